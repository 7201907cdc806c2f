#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_query
short_description: Answer a query of the controller on the machine of a cluster
version_added: 0.1.0
description:
  - Used by the actions of this collection for clusters on other machines than the controller; not for plays.
  - Answers contain no secrets.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    details: Queries that change the machine, V(change_users), V(lock) and V(unlock), are refused in check mode.
options:
  query:
    description:
      - The query.
      - V(facts) - facts of the machine and of the cluster.
      - V(observe) - the same, and the state of its hubs.
      - V(deployed) - names of the hubs that are deployed.
      - V(history) - their recorded deploys.
      - V(backups) - when they were backed up last.
      - V(environments) - which environments were built, and who uses them.
      - V(users) - their users.
      - V(rename_problem) - why a user cannot be renamed.
      - V(change_users) - change users of a hub.
      - V(lock), V(unlock) - take and release the lock of the cluster.
    type: str
    choices:
      [facts, observe, history, deployed, backups, environments, users, rename_problem, change_users, lock, unlock]
    required: true
  arguments:
    description: Arguments of the query; see C(module_utils/platform/server/queries.py).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: List the deploys of a hub
  hubfleet.jupyterhub.server_query:
    query: history
    arguments:
      cluster: workstation
      directory: /var/lib/hubfleet/workstation
      hubs: [demo]
"""

RETURN = r"""
answer:
  description: The answer; its form depends on the query.
  returned: success
  type: raw
  sample: {replaced: false}
explained:
  description: Whether C(msg) explains the failure to the operator, and needs no further output.
  returned: failure
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.queries import (
    QUERIES,
    answer,
)

#: Queries that change the machine.
CHANGING = ("change_users", "lock", "unlock")


def main() -> None:
    """Answer one query."""
    module = AnsibleModule(
        argument_spec={
            "query": {"type": "str", "choices": list(QUERIES), "required": True},
            "arguments": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    name = module.params["query"]
    if module.check_mode and name in CHANGING:
        module.fail_json(msg=f"the query {name!r} changes the machine; it is refused in check mode", explained=True)
    try:
        found = answer(name, module.params["arguments"])
        # A lock that another owner holds is answered with its holder, and an unlock that found no lock with false.
        changed = name in CHANGING and bool(found) and (name == "unlock" or "holder" not in found)
        module.exit_json(changed=changed, answer=found)
    except PlatformError as error:
        module.fail_json(msg=str(error), explained=True)


if __name__ == "__main__":
    main()
