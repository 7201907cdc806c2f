#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_restore
short_description: Restore a hub on a machine from a backup
version_added: 0.1.0
description:
  - With O(state=examined), only finds the backup, and checks whether it can be restored on this machine.
  - With O(state=fetched), copies a backup to the machine, compares it with its manifest, and gives homes to the
    accounts that users have on this machine. Does not change an existing hub.
  - With O(state=placed), moves the fetched files into place. A deploy does the rest.
  - The restored database has no running servers.
  - An existing hub is not replaced unless O(replace) is set; then it is kept below C(replaced) in the state directory,
    and replaced homes are kept next to the new ones.
  - The action of the same name fills in the other options from the inventory; set only O(state), O(backup) and
    O(replace).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
attributes:
  check_mode:
    details: In check mode, only finds the backup.
options:
  state:
    description: The step to complete.
    type: str
    choices: [examined, fetched, placed]
    default: placed
  backup:
    description: Id of the backup, or V(latest).
    type: str
    default: latest
  replace:
    description: Replace an existing hub.
    type: bool
    default: false
  target:
    description: Paths of the restored hub. Filled in by the action.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Fetch the newest backup
  hubfleet.jupyterhub.server_restore:
    state: fetched

- name: Move it into place
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
  description: Whether an existing hub is replaced.
  returned: with O(state=examined) and O(state=fetched)
  type: bool
  sample: false
users:
  description: Users in the database.
  returned: success, except in check mode
  type: int
  sample: 12
files:
  description: Files in homes, by the manifest of the backup.
  returned: success, except in check mode
  type: int
  sample: 3411
servers:
  description: Servers that were running in the backup, and were removed from the database.
  returned: success, except in check mode
  type: int
  sample: 2
kept:
  description: Directory of the replaced hub.
  returned: with O(state=placed)
  type: str
  sample: ""
left:
  description: Existing homes that were kept.
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
