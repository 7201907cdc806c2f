#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_sessions
short_description: List the users of a hub with running servers, and fail if there are any
version_added: 0.1.0
description:
  - Finds servers by their processes, so it works whether or not the hub runs.
  - The action of the same name fills in the other options from the inventory; set only O(refuse).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  refuse:
    description: Fail if a server runs.
    type: bool
    default: true
  variable:
    description: The extra variable that allows the playbook to end sessions, for the error message.
    type: str
    default: stop_end_sessions
  directory:
    description: The hub's directory. Filled in by the action.
    type: path
"""

EXAMPLES = r"""
- name: Fail if users have running servers
  hubfleet.jupyterhub.server_sessions:

- name: List users with running servers
  hubfleet.jupyterhub.server_sessions:
    refuse: false
"""

RETURN = r"""
users:
  description: Users with running servers.
  returned: always
  type: list
  elements: str
  sample: [ada, ben]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.hub_processes import (
    users_of_servers,
)


def main() -> None:
    """List the open sessions of one hub."""
    module = AnsibleModule(
        argument_spec={
            "refuse": {"type": "bool", "default": True},
            "variable": {"type": "str", "default": "stop_end_sessions"},
            "directory": {"type": "path"},
        },
        supports_check_mode=True,
    )
    users = users_of_servers(module.params["directory"])
    if users and module.params["refuse"]:
        module.fail_json(
            msg=f"this would end the sessions of {', '.join(users)}; wait until they are done, or end them with "
            f"-e {module.params['variable']}=true; nothing was changed",
            users=users,
        )
    module.exit_json(changed=False, users=users)


if __name__ == "__main__":
    main()
