#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_export
short_description: Export the data of a hub on a machine
version_added: 0.1.0
description:
  - Writes database, configuration, generated secrets and homes of a hub as one archive to the directory
    C(STATE-exports) next to the cluster's state directory, so that it is kept when the state directory is removed.
  - The archive has the paths of the state directory; C(tar --extract --directory STATE) restores everything. It
    contains secrets, and only the account that created it can read it.
  - If users have system accounts (isolation C(system-users)), these are removed with the hub, and new ones get other
    user IDs. Restored homes then have to be given to the new accounts with C(chown).
  - Homes in C(hub_home_directory) outside of the state directory are not removed with a hub, and not exported.
  - The action of the same name fills in all options from the inventory.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state_directory:
    description: State directory of the cluster. Filled in by the action.
    type: path
  hub:
    description: Name of the hub. Filled in by the action.
    type: str
  own_homes:
    description: Whether the homes are in the state directory. Filled in by the action.
    type: bool
    default: false
  when:
    description: Date for the name of the archive. Filled in by the action.
    type: str
"""

EXAMPLES = r"""
- name: Export the hub's data
  hubfleet.jupyterhub.server_export:
"""

RETURN = r"""
path:
  description: The archive; empty if the hub does not exist, and in check mode.
  returned: success
  type: str
  sample: /var/lib/hubfleet/workstation-exports/demo-20261124T081500Z.tar.gz
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.export import (
    ExportError,
    export_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import (
    ForeignDirectoryError,
)


def main() -> None:
    """Export one hub."""
    module = AnsibleModule(
        argument_spec={
            "state_directory": {"type": "path"},
            "hub": {"type": "str"},
            "own_homes": {"type": "bool", "default": False},
            "when": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"])
    present = os.path.isdir(layout.hub(params["hub"]).directory)
    if module.check_mode or not present:
        module.exit_json(changed=present, path="")
    try:
        path = export_hub(layout, params["hub"], params["own_homes"], params["when"])
    except (ExportError, ForeignDirectoryError) as error:
        module.fail_json(msg=f"{error}; no data was removed, but the hub is stopped, deploy starts it again")
    module.exit_json(changed=True, path=path)


if __name__ == "__main__":
    main()
