#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_rollback
short_description: Roll a hub on a machine back to an earlier deploy
version_added: 0.1.0
description:
  - Writes the files of an earlier deploy, and starts the hub's services with the tools and environments of that deploy.
    If the version of JupyterHub differs, the database of that version is restored.
  - The rollback is recorded as a deploy in the hub's history. Users' servers and kernels keep running; homes and
    generated secrets are not changed.
  - Changes nothing if the hub is in this state already.
  - With C(--diff), shows the differences of the hub's configuration.
  - The action of the same name fills in the other options from the inventory; set only O(number) and O(undo).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  number:
    description: Number of the deploy, as in the playbook status. Unset, the newest earlier deploy that ran.
    type: int
  undo:
    description:
      - Roll back only if the last deploy brought another version of the hub; otherwise fail without changes.
      - For automatic rollbacks. An older version does not help a hub that fails although it did not change.
    type: bool
    default: false
  directory:
    description: The hub's directory. Filled in by the action.
    type: path
  supervisor:
    description: The supervisor. Filled in by the action.
    type: dict
  record:
    description: The record for the hub's history. Filled in by the action.
    type: dict
    default: {}
  keep:
    description: Number of deploys to keep in the history. Filled in by the action.
    type: int
    default: 10
  timeout:
    description: Timeout in seconds until the hub answers.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Roll back the last deploy
  hubfleet.jupyterhub.server_rollback:

- name: Roll back a deploy that failed
  hubfleet.jupyterhub.server_rollback:
    undo: true

- name: Roll back to the third deploy
  hubfleet.jupyterhub.server_rollback:
    number: 3
"""

RETURN = r"""
number:
  description: Number of the restored deploy.
  returned: success
  type: int
  sample: 3
when:
  description: Time of this deploy.
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
            changed = roll_back(layout, supervisor, params["record"], plan, params["keep"], params["timeout"])
    except MACHINE_ERRORS as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, changed_services=changed, **result)


def _shown(texts: dict[str, bytes]) -> str:
    """Return what can be shown of a hub's files, once the action has hidden what the inventory keeps encrypted."""
    return texts.get("hub.json", b"").decode(errors="replace")


if __name__ == "__main__":
    main()
