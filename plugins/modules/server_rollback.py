#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_rollback
short_description: Make a hub on a machine what it was at an earlier deploy
version_added: 0.1.0
description:
  - Writes the files of an earlier deploy and starts the hub's services as they were started then, from the tools and
    environments of then. Where JupyterHub had another version, the database of then is put back.
  - The rollback is itself a deploy in the hub's history. Users' servers and kernels live on; homes and generated
    secrets stay as they are.
  - Where the hub is what it was then already, nothing is changed.
  - With C(--diff) shows how the hub's configuration differs.
  - The action of the same name fills in what the inventory says; a play gives only O(number) and O(undo).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  number:
    description: Number of the deploy, as the playbook status shows it; the newest that ran before when unset.
    type: int
  undo:
    description:
      - Go back only where the last deploy brought another version of the hub; otherwise fail, touching nothing.
      - For what goes back by itself. A hub that fails just as it was before gains nothing from becoming older.
    type: bool
    default: false
  directory:
    description: The hub's directory. Filled in by the action.
    type: path
  homes:
    description: Directory of the users' homes. Filled in by the action.
    type: path
  shared_homes:
    description: Whether users reach their homes under accounts of their own. Filled in by the action.
    type: bool
    default: false
  supervisor:
    description: What keeps the services running. Filled in by the action.
    type: dict
  record:
    description: Who goes back, when, and with which release of the collection. Filled in by the action.
    type: dict
    default: {}
  keep:
    description: How many deploys the history keeps. Filled in by the action.
    type: int
    default: 10
  timeout:
    description: Seconds that the hub may take until it answers.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Go back to what ran before
  hubfleet.jupyterhub.server_rollback:

- name: Take back the deploy that just failed
  hubfleet.jupyterhub.server_rollback:
    undo: true

- name: Go back to the third deploy
  hubfleet.jupyterhub.server_rollback:
    number: 3
"""

RETURN = r"""
number:
  description: Number of the deploy that the hub is like again.
  returned: success
  type: int
  sample: 3
when:
  description: When that was.
  returned: success
  type: str
  sample: "2026-11-24T08:15:00Z"
changed_services:
  description: Services that were restarted.
  returned: success
  type: list
  elements: str
  sample: [hub]
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.deploy import (
    Homes,
    roll_back,
    rollback_plan,
    rollback_to_start,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import create_supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    MACHINE_ERRORS,
)


def main() -> None:
    """Roll back one hub."""
    module = AnsibleModule(
        argument_spec={
            "number": {"type": "int"},
            "undo": {"type": "bool", "default": False},
            "directory": {"type": "path"},
            "homes": {"type": "path"},
            "shared_homes": {"type": "bool", "default": False},
            "supervisor": {"type": "dict"},
            "record": {"type": "dict", "default": {}},
            "keep": {"type": "int", "default": 10},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = HubLayout(params["directory"])
    try:
        plan = rollback_plan(layout, params["number"], params["undo"])
        result = {"number": plan.target.number, "when": plan.target.when}
        if module._diff:
            result["diff"] = {"before": _shown(plan.before), "after": _shown(plan.texts)}
        if plan.arrived:
            module.exit_json(changed=False, changed_services=[], **result)
        supervisor = create_supervisor(**params["supervisor"])
        if module.check_mode:
            changed = rollback_to_start(layout, supervisor, plan)
        else:
            homes = Homes(params["homes"], params["shared_homes"])
            changed = roll_back(layout, supervisor, homes, params["record"], plan, params["keep"], params["timeout"])
    except MACHINE_ERRORS as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, changed_services=changed, **result)


def _shown(texts: dict[str, bytes]) -> str:
    """Return what can be shown of a hub's files, once the action has hidden what the inventory keeps encrypted."""
    return texts.get("hub.json", b"").decode(errors="replace")


if __name__ == "__main__":
    main()
