#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_reverse_proxy
short_description: Add a hub to the reverse proxy of a machine, or remove it
version_added: 0.1.0
description:
  - Writes the site of the hub from its deployed configuration, and runs Caddy with the sites of all hubs.
  - Waits until the hub's domain can be reached with TLS, or fails with Caddy's error message.
  - Reloads Caddy only if its configuration differs, and stops it with the last hub.
  - Does nothing if the cluster has no reverse proxy and had none.
  - The action of the same name fills in the other options from the inventory; set only O(state) and O(as_deployed).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description: Whether the hub is served.
    type: str
    choices: [present, absent]
    default: present
  as_deployed:
    description:
      - Use the settings for all hubs that were recorded with the last deploy of the hub, for example after a rollback,
        instead of those in the inventory. If another hub works with the current settings, these are not changed.
    type: bool
    default: false
  hub:
    description: Name of the hub. Filled in by the action.
    type: str
  state_directory:
    description: The cluster's state directory. Filled in by the action.
    type: path
  reverse_proxy:
    description: Settings for all hubs. Filled in by the action.
    type: dict
  service:
    description: The service of Caddy. Filled in by the action.
    type: dict
  supervisor:
    description: The supervisor. Filled in by the action.
    type: dict
  timeout:
    description: Timeout in seconds until Caddy answers, and again until it has a certificate.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Add the hub to the reverse proxy
  hubfleet.jupyterhub.server_reverse_proxy:

- name: Remove the hub from the reverse proxy
  hubfleet.jupyterhub.server_reverse_proxy:
    state: absent
"""

RETURN = r"""
changes:
  description: Changes of the reverse proxy, of V(configuration), V(started), V(reloaded) and V(stopped).
  returned: success
  type: list
  elements: str
  sample: [configuration, reloaded]
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.apply import (
    changes_of_site,
    remove_site,
    serve_site,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.recorded import (
    RecordedProxy,
    restored_proxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import create_supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    MACHINE_ERRORS,
)


def main() -> None:
    """Open or close one site."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "as_deployed": {"type": "bool", "default": False},
            "hub": {"type": "str"},
            "state_directory": {"type": "path"},
            "reverse_proxy": {"type": "dict"},
            "service": {"type": "dict"},
            "supervisor": {"type": "dict"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    params = module.params
    layout = Layout(params["state_directory"])
    proxy = RecordedProxy(ReverseProxy(**params["reverse_proxy"]), Service.from_dict(params["service"]))
    served = params["state"] == "present"
    change = serve_site if served else remove_site
    try:
        supervisor = create_supervisor(**params["supervisor"])
        if params["as_deployed"]:
            proxy = restored_proxy(layout, params["hub"], proxy)
        site = (layout, params["hub"], proxy.reverse_proxy, proxy.service, supervisor)
        if module.check_mode:
            changes = changes_of_site(*site, served)
        else:
            changes = change(*site, float(params["timeout"]))
    except (*MACHINE_ERRORS, KeyError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
