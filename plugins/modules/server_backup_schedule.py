#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_backup_schedule
short_description: Schedule the backups of the hubs on a machine
version_added: 0.1.0
description:
  - Creates a systemd timer if systemd supervises the hubs, else an entry of cron, that runs the same program as
    M(hubfleet.jupyterhub.server_backup). Removes them if no schedule is configured.
  - Stores the settings of backups on the machine, including restic's password, readable only by the account that
    deploys.
  - The action of the same name fills in all options from the inventory.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
options:
  schedule:
    description: The value of C(cluster_backup_schedule). Filled in by the action.
    type: str
    default: never
  systemd:
    description: Whether systemd starts the backups. Filled in by the action.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Schedule the backups of the hubs
  hubfleet.jupyterhub.server_backup_schedule:
"""

RETURN = r"""
by:
  description: What starts the backups, V(systemd) or V(cron); empty without a schedule.
  returned: success
  type: str
  sample: systemd
command:
  description: The command that makes the backups, for another scheduler if the machine has neither.
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
    decode_settings,
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
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"])
    installed = layout.runtime(params["runtime_digest"])
    command = (params["python"], "-I", os.path.join(installed, PROGRAM), "scheduled", layout.root)
    schedule = Schedule(layout, params["schedule"], command, params["systemd"])
    settings = decode_settings(params["settings"]) if params["settings"] else {}
    try:
        if module.check_mode:
            changed = schedule.differs(settings)
        else:
            if settings:
                os.umask(0o022)
                write_package(installed, params["runtime"])
            changed = schedule.set_up(settings)
    except (OSError, ScheduleError) as error:
        module.fail_json(msg=f"the schedule of backups could not be set up: {error}")
    module.exit_json(changed=changed, by=schedule.scheduler, command=shlex.join(command))


if __name__ == "__main__":
    main()
