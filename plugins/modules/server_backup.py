#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_backup
short_description: Back up a hub on a machine, or list its backups
version_added: 0.1.0
description:
  - Copies the database of a hub while it runs, and saves it with restic, together with configuration, generated
    secrets, versions of installed packages, and users' homes. The options C(cluster_backup_*) configure this.
  - The same program makes scheduled backups, without Ansible.
  - The action of the same name fills in the other options from the inventory; set only O(state).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
attributes:
  check_mode:
    details: In check mode, does not connect to the repository, and reports every existing hub as changed.
options:
  state:
    description: V(saved) makes a backup; V(listed) only lists backups.
    type: str
    choices: [saved, listed]
    default: saved
  hub:
    description: Name of the hub. Filled in by the action.
    type: str
"""

EXAMPLES = r"""
- name: Make a backup
  hubfleet.jupyterhub.server_backup:

- name: List the backups
  hubfleet.jupyterhub.server_backup:
    state: listed
"""

RETURN = r"""
backup:
  description: The backup; empty in check mode.
  returned: with O(state=saved)
  type: dict
  sample:
    id: 1a2b3c4d
    when: "2026-11-24T08:15:00Z"
    new: 12000000
    total: 340000000
    seconds: 3.1
    unread: []
summary:
  description: Summary of the backup; or that there are no backups.
  returned: with O(state=saved), and with O(state=listed) where there are no backups
  type: str
  sample: "backed up: 340 MB, 12 MB added to the repository, 3 s"
backups:
  description: Existing backups, newest last.
  returned: with O(state=listed)
  type: list
  elements: dict
  sample: [{id: 1a2b3c4d, when: "2026-11-24T08:15:00Z"}]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import (
    PROGRAM_ARGUMENTS,
    BackupError,
    Program,
    decode_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def main() -> None:
    """Save one hub, or list its backups."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["saved", "listed"], "default": "saved"},
            "hub": {"type": "str"},
            **PROGRAM_ARGUMENTS,
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"])
    program = Program.from_arguments(layout, params)
    request = {"hub": params["hub"], "settings": decode_settings(params["settings"])}
    try:
        if params["state"] == "listed":
            module.exit_json(changed=False, **program.run("list", **request))
        if not os.path.exists(layout.hub(params["hub"]).config("hub.json")):
            raise BackupError("the hub is not deployed, so there is nothing to save")
        if module.check_mode:
            module.exit_json(changed=True, backup={}, summary="would be backed up")
        answer = program.run("save", **request)
    except BackupError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, summary=answer.pop("summary"), backup=answer)


if __name__ == "__main__":
    main()
