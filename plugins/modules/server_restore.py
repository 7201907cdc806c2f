#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_restore
short_description: Bring a hub on a machine back from a backup
version_added: 0.1.0
description:
  - With O(state=examined) only looks for the backup, and whether it may be brought to this machine.
  - With O(state=fetched) brings a backup to the machine, holds it against its manifest, and gives homes to the accounts
    that users have on this machine. Nothing of a hub that runs is touched.
  - With O(state=placed) moves what was fetched to where it belongs. A deploy does the rest.
  - The database that comes back knows of no running server.
  - A hub that is there is not overwritten, unless O(replace) is set; then it is kept below C(replaced) in the state
    directory, and homes that are replaced beside their new ones.
  - The action of the same name fills in what the inventory says; a play gives only O(state), O(backup) and O(replace).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
attributes:
  check_mode:
    details: In check mode only looks for the backup.
options:
  state:
    description: How far to go.
    type: str
    choices: [examined, fetched, placed]
    default: placed
  backup:
    description: Id of the backup, or V(latest).
    type: str
    default: latest
  replace:
    description: Replace a hub that is there.
    type: bool
    default: false
  target:
    description: Where the hub goes. Filled in by the action.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Bring the newest backup to the machine
  hubfleet.jupyterhub.server_restore:
    state: fetched

- name: Put it into its place
  hubfleet.jupyterhub.server_restore:
"""

RETURN = r"""
id:
  description: Id of the backup.
  returned: success
  type: str
  sample: 1a2b3c4d
when:
  description: When it was made.
  returned: success
  type: str
  sample: "2026-11-24T08:15:00Z"
there:
  description: Whether a hub is there that is replaced.
  returned: with O(state=examined) and O(state=fetched)
  type: bool
  sample: false
users:
  description: Users in the database.
  returned: success, but in check mode
  type: int
  sample: 12
files:
  description: Files in homes, by the manifest of the backup.
  returned: success, but in check mode
  type: int
  sample: 3411
servers:
  description: Servers that ran when the backup was made, and that the database knows of no longer.
  returned: success, but in check mode
  type: int
  sample: 2
kept:
  description: Where the hub that was replaced is kept.
  returned: with O(state=placed)
  type: str
  sample: ""
left:
  description: Homes that were there already, and stay as they are.
  returned: with O(state=placed)
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import (
    PROGRAM_ARGUMENTS,
    BackupError,
    Program,
    decode_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def main() -> None:
    """Fetch or place one hub."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["examined", "fetched", "placed"], "default": "placed"},
            "backup": {"type": "str", "default": "latest"},
            "replace": {"type": "bool", "default": False},
            "target": {"type": "dict", "default": {}},
            **PROGRAM_ARGUMENTS,
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"])
    program = Program.from_arguments(layout, params)
    request = {
        **params["target"],
        "settings": decode_settings(params["settings"]),
        "from": params["backup"],
        "replace": params["replace"],
    }
    state = params["state"]
    commands = {"examined": "examine", "fetched": "fetch", "placed": "place"}
    command = "examine" if module.check_mode else commands[state]
    try:
        answer = program.run(command, **request)
    except BackupError as error:
        module.fail_json(msg=str(error))
    nothing = state == "examined" or answer.get("done") or (state == "fetched" and answer.get("fetched"))
    module.exit_json(**{"changed": not nothing, **answer})


if __name__ == "__main__":
    main()
