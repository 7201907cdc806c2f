#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_drill
short_description: Test a backup of a hub on a machine
version_added: 0.1.0
description:
  - Restores the backup of a hub beside it, with its own state directory, accounts, and ports that only the machine
    itself can reach, starts it, checks it as a user, and removes it, even if a step fails. Does not change the hub
    itself.
  - Removes what an interrupted drill left behind.
  - The action of the same name fills in the other options from the inventory, and runs the check; set only O(backup)
    and O(break_lock).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
  - hubfleet.jupyterhub.backup_program
attributes:
  check_mode:
    details: Restores nothing in check mode.
options:
  state:
    description: What to do. Filled in by the action.
    type: str
    choices: [present, absent]
    default: present
  backup:
    description: Id of the backup, or V(latest).
    type: str
    default: latest
  break_lock:
    description: Clusters whose locks of lost drills are taken over; see M(hubfleet.jupyterhub.fleet_guard). Read by the
      action.
    type: raw
    default: []
  hub:
    description: Name of the hub. Filled in by the action.
    type: str
  target:
    description: Paths of the restored hub. Filled in by the action.
    type: dict
    default: {}
  builds:
    description: State directory of the real hub, with tools and environments. Filled in by the action.
    type: path
  content:
    description: The files of the hub, encoded. Filled in by the action.
    type: str
  config:
    description: The hub's hub.json. Filled in by the action.
    type: dict
    default: {}
  services:
    description: The services of the hub. Filled in by the action.
    type: list
    elements: dict
    default: []
  generated:
    description: Names of generated secrets. Filled in by the action.
    type: list
    elements: str
    default: []
  record:
    description: The record for the history. Filled in by the action.
    type: dict
    default: {}
  supervisor:
    description: The supervisor. Filled in by the action.
    type: dict
    default: {}
  timeout:
    description: Timeout in seconds until the hub answers.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Test the newest backup
  hubfleet.jupyterhub.server_drill:
"""

RETURN = r"""
id:
  description: Id of the backup.
  returned: success, except in check mode
  type: str
  sample: 1a2b3c4d
when:
  description: When it was made.
  returned: success, except in check mode
  type: str
  sample: "2026-11-24T08:15:00Z"
summary:
  description: Summary of the drill.
  returned: success
  type: str
  sample: "the backup 1a2b3c4d of 2026-11-24T08:15:00Z is good: 2 users, 34 files; restored in 9 s, check passed in 4 s"
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.hub_files import (
    unpack,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.drill import Drill
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import (
    PROGRAM_ARGUMENTS,
    Program,
    decode_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import create_supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    MACHINE_ERRORS,
)


def main() -> None:
    """Start or clear one drill."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "backup": {"type": "str", "default": "latest"},
            "break_lock": {"type": "raw", "default": []},
            "hub": {"type": "str"},
            "target": {"type": "dict", "default": {}},
            "builds": {"type": "path"},
            "content": {"type": "str", "no_log": True},
            "config": {"type": "dict", "default": {}},
            "services": {"type": "list", "elements": "dict", "default": []},
            "generated": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "record": {"type": "dict", "default": {}},
            "supervisor": {"type": "dict", "default": {}},
            **PROGRAM_ARGUMENTS,
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"], builds=params["builds"])
    drill = Drill(
        params["hub"],
        layout,
        Program.from_arguments(layout, params),
        create_supervisor(**params["supervisor"]),
        params["target"],
        params["config"],
        [Service.from_dict(service) for service in params["services"]],
        params["generated"],
    )
    try:
        if params["state"] == "absent":
            module.exit_json(changed=drill.has_leftovers() if module.check_mode else drill.clear())
        if module.check_mode:
            module.exit_json(changed=True)
        settings, texts = decode_settings(params["settings"]), unpack(params["content"])
        found = drill.start(settings, params["backup"], params["record"], texts, params["timeout"])
    except (*MACHINE_ERRORS, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, **found)


if __name__ == "__main__":
    main()
