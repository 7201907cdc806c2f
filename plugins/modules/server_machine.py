#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_machine
short_description: Prepare the machine of a cluster
version_added: 0.1.0
description:
  - Creates the cluster's state directory, writes the code that runs beside JupyterHub into it, and starts the
    supervisor.
  - With O(state=absent), stops the supervisor and removes the state directory if it contains no hub.
  - With O(state=pruned), removes environments and tools that no deploy in the history of a hub and no process needs.
  - The action of the same name fills in the other options from the inventory; set only O(state), O(supervisor_only),
    O(builds) and O(leaving).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description: Whether the state directory exists; V(pruned) also removes unneeded builds.
    type: str
    choices: [present, absent, pruned]
    default: present
  supervisor_only:
    description: Only start the supervisor, whose tools must be built already; else do everything before that.
    type: bool
    default: false
  builds:
    description: Directories of environments and tools to keep, with O(state=pruned).
    type: list
    elements: str
    default: []
  state_directory:
    description: The cluster's state directory. Filled in by the action.
    type: path
  shared:
    description: Whether other accounts traverse the state directory. Filled in by the action.
    type: bool
    default: false
  leaving:
    description: Hubs that the playbook removes with their data. In check mode, O(state=absent) counts them as removed.
    type: list
    elements: str
    default: []
  runtime:
    description: The code that runs beside JupyterHub. Filled in by the action.
    type: dict
    default: {}
  runtime_digest:
    description: Name of the directory of this code. Filled in by the action.
    type: str
  supervisor:
    description: The supervisor. Filled in by the action.
    type: dict
"""

EXAMPLES = r"""
- name: Prepare the machine
  hubfleet.jupyterhub.server_machine:

- name: Start the supervisor
  hubfleet.jupyterhub.server_machine:
    supervisor_only: true
"""

RETURN = r"""
removed:
  description: Directories of environments and tools that were removed.
  returned: with O(state=pruned)
  type: list
  elements: str
  sample: [python-0a1b2c3d4e5f]
state_directory:
  description: The cluster's state directory.
  returned: success
  type: str
  sample: /var/lib/hubfleet/workstation
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.machine import (
    is_left,
    is_prepared,
    prepare_machine,
    remove_machine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.pruning import (
    prune,
    unneeded,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import create_supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    MACHINE_ERRORS,
    Supervisor,
)


def main() -> None:
    """Prepare or clear one machine."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent", "pruned"], "default": "present"},
            "supervisor_only": {"type": "bool", "default": False},
            "builds": {"type": "list", "elements": "str", "default": []},
            "state_directory": {"type": "path"},
            "shared": {"type": "bool", "default": False},
            "leaving": {"type": "list", "elements": "str", "default": []},
            "runtime": {"type": "dict", "default": {}},
            "runtime_digest": {"type": "str"},
            "supervisor": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout, supervisor = Layout(params["state_directory"]), create_supervisor(**params["supervisor"])
    try:
        result = (_foreseen if module.check_mode else _done)(params, layout, supervisor)
    except MACHINE_ERRORS as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result, state_directory=layout.root)


def _done(params: dict[str, Any], layout: Layout, supervisor: Supervisor) -> dict[str, Any]:
    if params["state"] == "pruned":
        removed = prune(layout, set(params["builds"]))
        return {"changed": bool(removed), "removed": removed}
    if params["state"] == "absent":
        return {"changed": remove_machine(layout, supervisor)}
    if params["supervisor_only"]:
        return {"changed": supervisor.prepare()}
    return {"changed": prepare_machine(layout, params["shared"], params["runtime"], params["runtime_digest"])}


def _foreseen(params: dict[str, Any], layout: Layout, supervisor: Supervisor) -> dict[str, Any]:
    if params["state"] == "pruned":
        removed = list(unneeded(layout, set(params["builds"])))
        return {"changed": bool(removed), "removed": removed}
    if params["state"] == "absent":
        return {"changed": is_left(layout, params["leaving"])}
    if params["supervisor_only"]:
        return {"changed": not supervisor.alive()}
    return {"changed": not is_prepared(layout, params["shared"], params["runtime_digest"])}


if __name__ == "__main__":
    main()
