#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_check
short_description: Act like a user on hubs of a cluster's machine
version_added: 0.1.0
description:
  - Used by M(hubfleet.jupyterhub.fleet_check) for hubs on another machine than the controller; not for plays.
  - Acts with the hubs' own tokens, which do not leave the machine, and notes there whether a hub passed.
requirements:
  - aiohttp, on the machine of the hubs; the environment that hubs run in has it
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  hubs:
    description: The hubs, with what is tried on them.
    type: list
    elements: dict
    required: true
  options:
    description: Limits of the check.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Start a server and run the usual code
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
  description: How it went, and hubs that could not be checked.
  returned: success
  type: dict
  sample: {problems: {}, results: [{cluster: workstation, name: demo, ok: true}]}
told:
  description: That C(msg) says, in a sentence for people, why nothing was checked.
  returned: failure
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check import (
    check_hubs,
    target_of,
)


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
        module.fail_json(msg=str(error), told=True)
    module.exit_json(changed=False, checked=checked.as_dict())


if __name__ == "__main__":
    main()
