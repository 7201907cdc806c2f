#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_hub
short_description: Write or remove the files of a hub on the machine of its cluster
version_added: 0.1.0
description:
  - Writes the hub's configuration, and generates its secrets once. Generated secrets never leave the machine.
  - First records the deploy in the hub's history, with everything that a rollback needs.
  - The action of the same name fills in the other options from the inventory; set only O(state) and O(remove_data).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description:
      - V(present) - the files match the inventory.
      - V(absent) - with O(remove_data), the hub's directory, its users' homes and their accounts are removed, except
        for directories behind symbolic links. Fails if no deploy made the state directory.
    type: str
    choices: [present, absent]
    default: present
  remove_data:
    description: Whether V(absent) removes data. This cannot be undone.
    type: bool
    default: false
  hub:
    description: Name of the hub. Filled in by the action.
    type: str
  directory:
    description: The hub's directory. Filled in by the action.
    type: path
  homes:
    description: Directory of the users' homes. Filled in by the action.
    type: path
  own_homes:
    description: Whether the homes are in the state directory; only those are removed. Filled in by the action.
    type: bool
    default: false
  runtime_directory:
    description: Directory with the runtime directories of users' servers. Filled in by the action.
    type: path
  shared_homes:
    description: Whether users have accounts of their own. Filled in by the action.
    type: bool
    default: false
  generated:
    description: Names of the secrets to generate. Filled in by the action.
    type: list
    elements: str
    default: []
  content:
    description: The files, encoded, since they contain secrets. Filled in by the action.
    type: str
  record:
    description: The record for the hub's history. Filled in by the action.
    type: dict
    default: {}
  keep:
    description: Number of deploys to keep in the history. Filled in by the action.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Write the hub's files
  hubfleet.jupyterhub.server_hub:

- name: Remove a hub and its data
  hubfleet.jupyterhub.server_hub:
    state: absent
    remove_data: true
"""

RETURN = r"""
kept:
  description: Directories of the hub that were not removed, since they are behind symbolic links.
  returned: with O(remove_data)
  type: list
  elements: str
  sample: [/var/lib/hubfleet/workstation/homes/demo]
written:
  description: Names of files and directories that were written or removed.
  returned: success
  type: list
  elements: str
  sample: [config/hub.json]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.deploy import (
    Homes,
    write_deploy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.hub_files import (
    data_to_keep,
    data_to_remove,
    files_to_write,
    remove_data,
    unpack,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import (
    ForeignDirectoryError,
)


def main() -> None:
    """Write or remove one hub's files."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "remove_data": {"type": "bool", "default": False},
            "hub": {"type": "str"},
            "directory": {"type": "path"},
            "homes": {"type": "path"},
            "own_homes": {"type": "bool", "default": False},
            "runtime_directory": {"type": "path"},
            "shared_homes": {"type": "bool", "default": False},
            "generated": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "content": {"type": "str", "no_log": True},
            "record": {"type": "dict", "default": {}},
            "keep": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = HubLayout(params["directory"])
    more = {}
    try:
        if params["remove_data"]:
            more["kept"] = data_to_keep(layout, params["homes"], params["own_homes"])
        written = (_absent if params["state"] == "absent" else _present)(params, layout, module.check_mode)
    except ForeignDirectoryError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        where = error.filename or f"a file of hub {params['hub']}"
        module.fail_json(msg=f"{where} could not be written: {reason(error)}")
    module.exit_json(changed=bool(written), written=written, **more)


def _absent(params: dict[str, Any], layout: HubLayout, check_mode: bool) -> list[str]:
    if not params["remove_data"]:
        return []
    data = (layout, params["hub"], params["homes"], params["own_homes"])
    return data_to_remove(*data) if check_mode else remove_data(*data, params["runtime_directory"])


def _present(params: dict[str, Any], layout: HubLayout, check_mode: bool) -> list[str]:
    texts, generated = unpack(params["content"]), params["generated"]
    if check_mode:
        return files_to_write(layout, texts, generated, params["homes"], params["shared_homes"])
    homes = Homes(params["homes"], params["shared_homes"])
    return write_deploy(layout, params["record"], texts, generated, homes, params["keep"])


if __name__ == "__main__":
    main()
