#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_services
short_description: Start or stop the services of a hub on the machine of its cluster
version_added: 0.1.0
description:
  - Runs the hub's proxy, hub and culler exactly as in the inventory, and waits until the hub answers.
  - Services that run as desired are not restarted; users' servers and kernels keep running when the hub restarts.
  - The hub is restarted as well if its database differs from the inventory because of changes in the admin panel.
  - If the version of JupyterHub changes, the database is copied and upgraded before the hub starts.
  - A service that outlived its supervisor is restarted under the supervisor.
  - The action of the same name fills in the other options from the inventory; set only O(state) and O(servers).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description: Whether the services run.
    type: str
    choices: [started, stopped]
    default: started
  servers:
    description: Whether O(state=stopped) also stops users' servers, which otherwise keep running.
    type: bool
    default: false
  services:
    description: The services. Filled in by the action.
    type: list
    elements: dict
    default: []
  supervisor:
    description: The supervisor. Filled in by the action.
    type: dict
  config:
    description: The hub's hub.json, for its health address. Filled in by the action.
    type: dict
  timeout:
    description: Timeout in seconds until the hub answers.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Start the hub's services
  hubfleet.jupyterhub.server_services:

- name: Stop the hub
  hubfleet.jupyterhub.server_services:
    state: stopped
"""

RETURN = r"""
changed_services:
  description: Services that were started, restarted or stopped.
  returned: success
  type: list
  elements: str
  sample: [hub]
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.deploy import (
    deploy_to_start,
    start_deploy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.machine import (
    services_to_stop,
    stop_services,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import create_supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    MACHINE_ERRORS,
)


def main() -> None:
    """Start or stop one hub's services."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
            "servers": {"type": "bool", "default": False},
            "services": {"type": "list", "elements": "dict", "default": []},
            "supervisor": {"type": "dict"},
            "config": {"type": "dict"},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    params = module.params
    services = [Service.from_dict(service) for service in params["services"]]
    layout, config = services[0].layout, params["config"]
    try:
        supervisor = create_supervisor(**params["supervisor"])
        if params["state"] == "stopped":
            stop = services_to_stop if module.check_mode else stop_services
            changed = stop(supervisor, services, params["servers"])
        elif module.check_mode:
            changed = deploy_to_start(layout, supervisor, services, config)
        else:
            changed = start_deploy(layout, supervisor, services, config, params["timeout"])
    except MACHINE_ERRORS as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changed), changed_services=changed)


if __name__ == "__main__":
    main()
