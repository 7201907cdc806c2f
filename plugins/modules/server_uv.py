#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_uv
short_description: Install uv on the machine of a cluster
version_added: 0.1.0
description:
  - Environments are built with uv. Other machines than the controller get a copy in their state directory.
  - The action of the same name fills in all options from the inventory, and copies the program. On the controller's own
    machine it does nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state_directory:
    description: The cluster's state directory. Filled in by the action.
    type: path
  directory:
    description: Name of the directory of the program. Filled in by the action.
    type: str
  source:
    description: A copy of the program on the machine. Filled in by the action.
    type: path
"""

EXAMPLES = r"""
- name: Install uv
  hubfleet.jupyterhub.server_uv:
"""

RETURN = r"""
there:
  description: Whether the program is installed.
  returned: on another machine than the controller
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.steps import BuildError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import (
    has_program,
    install_program,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def main() -> None:
    """Install uv, or tell whether it is there."""
    module = AnsibleModule(
        argument_spec={
            "state_directory": {"type": "path"},
            "directory": {"type": "str"},
            "source": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params = module.params
    program = f"{Layout(params['state_directory']).tool(params['directory'])}/uv"
    there = has_program(program)
    if there or module.check_mode or not params["source"]:
        module.exit_json(changed=not there and module.check_mode, there=there)
    try:
        install_program(params["source"], program)
    except BuildError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, there=True)


if __name__ == "__main__":
    main()
