#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_check
short_description: Check hubs on the machine of a cluster as a user
version_added: 0.1.0
description:
  - Used by M(hubfleet.jupyterhub.fleet_check) for hubs on other machines than the controller; not for plays.
  - Uses the hubs' own tokens, which do not leave the machine, and records there whether a hub passed.
requirements:
  - aiohttp, on the machine of the hubs; it is part of the environment of hubs
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  hubs:
    description: The hubs, with the environments and sizes to check.
    type: list
    elements: dict
    required: true
  options:
    description: Limits of the check.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Start a server and run code
  hubfleet.jupyterhub.server_check:
    hubs:
      - name: demo
        cluster: workstation
        directory: /var/lib/hubfleet/workstation/hubs/demo
        url: http://127.0.0.1:8100/demo/
        token: ""
        choices:
          - environment: python
            size: small
            options: {profile: python, size: small}
"""

RETURN = r"""
checked:
  description: Results, and hubs that could not be checked.
  returned: success
  type: dict
  sample: {problems: {}, results: [{cluster: workstation, name: demo, ok: true}]}
explained:
  description: Whether C(msg) explains the failure to the operator, and needs no further output.
  returned: failure
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, target_of
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check import check_hubs


def main() -> None:
    """Check some hubs."""
    module = AnsibleModule(
        argument_spec={
            "hubs": {"type": "list", "elements": "dict", "required": True},
            "options": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, checked={"results": [], "problems": {}})
    hubs = [dict(hub) for hub in module.params["hubs"]]
    directories = [hub.pop("directory") for hub in hubs]
    try:
        targets = zip(map(target_of, hubs), directories)
        checked = check_hubs(list(targets), CheckOptions(**module.params["options"]))
    except RuntimeError as error:
        module.fail_json(msg=str(error), explained=True)
    module.exit_json(changed=False, checked=checked.as_dict())


if __name__ == "__main__":
    main()
