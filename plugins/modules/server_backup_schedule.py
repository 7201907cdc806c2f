#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_backup_schedule
short_description: Let a machine make backups of its hubs by itself
version_added: 0.1.0
description:
  - Sets up a timer of systemd where that supervises the hubs, else a line for cron, which runs the same program as
    M(hubfleet.jupyterhub.server_backup); or removes them, where there is to be no schedule.
  - The machine keeps the settings of its backups, the password of restic included, for the account that deploys only.
  - The action of the same name fills in what the inventory says; a play gives no options.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
attributes:
  check_mode:
    support: none
    details: Skipped in check mode.
options:
  schedule:
    description: When, as C(cluster_backup_schedule) has it. Filled in by the action.
    type: str
    default: never
  systemd:
    description: Whether systemd is to do it. Filled in by the action.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Let the machine make backups as the inventory says
  hubfleet.jupyterhub.server_backup_schedule:
"""

RETURN = r"""
by:
  description: What makes the backups, C(systemd) or C(cron); empty where nothing does.
  returned: success
  type: str
  sample: systemd
command:
  description: The command that makes them; for something else to run, where there is neither.
  returned: success
  type: str
  sample: /usr/bin/python3 -I /var/lib/hubfleet/east/runtime/0a1b/hubfleet_runtime/backup/program.py scheduled STATE
"""

import os
import shlex

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.machine import (
    write_package,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import (
    PROGRAM,
    PROGRAM_ARGUMENTS,
    unpacked,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.schedule import (
    Schedule,
    ScheduleError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def main() -> None:
    """Set up or remove the schedule of one cluster."""
    module = AnsibleModule(
        argument_spec={
            "schedule": {"type": "str", "default": "never"},
            "systemd": {"type": "bool", "default": False},
            **PROGRAM_ARGUMENTS,
        },
    )
    params = module.params
    layout = Layout(params["state_directory"])
    installed = layout.runtime(params["runtime_digest"])
    command = (params["python"], "-I", os.path.join(installed, PROGRAM), "scheduled", layout.root)
    schedule = Schedule(layout, params["schedule"], command, params["systemd"])
    try:
        if params["settings"]:
            os.umask(0o022)
            write_package(installed, params["runtime"])
        changed, by = schedule.set_up(unpacked(params["settings"]) if params["settings"] else {})
    except (OSError, ScheduleError) as error:
        module.fail_json(msg=f"the schedule of backups could not be set up: {error}")
    module.exit_json(changed=changed, by=by, command=shlex.join(command))


if __name__ == "__main__":
    main()
