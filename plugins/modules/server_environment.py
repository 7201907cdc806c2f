#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_environment
short_description: Build an environment or a tool on the machine of a cluster
version_added: 0.1.0
description:
  - Builds a directory named by a digest of its inputs; a complete directory is not built again.
  - Python environments are built with uv from requirements with hashes, byte-compiled, and tested.
  - The proxy is installed with npm.
  - What a repository brings along is built in a sandbox, with uv, or with rattler for an C(environment.yml), and as an
    account of its own if root builds. Its C(postBuild) and its tests must succeed.
  - Does not affect users' servers that run in an older environment.
  - The action of the same name fills in the other options from the inventory; set only O(hub) and O(directory).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  hub:
    description: A hub that needs the directory. Read by the action.
    type: str
    required: true
  directory:
    description: Name of the directory, as M(hubfleet.jupyterhub.fleet_plan) returns it.
    type: str
    required: true
  build:
    description: What to build. Filled in by the action.
    type: dict
  state_directory:
    description: The cluster's state directory. Filled in by the action.
    type: path
  uv:
    description: Path of uv. Filled in by the action.
    type: path
  npm:
    description: Command line of npm. Filled in by the action.
    type: list
    elements: str
  package_index:
    description: Address of the Python package index, which may contain a password. Filled in by the action.
    type: str
  npm_registry:
    description: Address of the npm registry, which may contain a password. Filled in by the action.
    type: str
  archive:
    description: Path of an archive of the repository to build. Filled in by the action.
    type: path
  conda:
    description: What the C(environment.yml) of a repository asks for. Filled in by the action.
    type: dict
  rattler:
    description: Directory of rattler, which installs packages of conda. Filled in by the action.
    type: path
  conda_channel_alias:
    description: URL that channels of conda are relative to, which may contain a password. Filled in by the action.
    type: str
  account:
    description: >-
      Account that the code of a repository runs as; unset, the account of the deploy. Filled in by the action.
    type: str
"""

EXAMPLES = r"""
- name: Build the missing environments
  hubfleet.jupyterhub.server_environment:
    hub: "{{ item.hubs | first }}"
    directory: "{{ item.directory }}"
  loop: "{{ (plan.machines | selectattr('cluster', 'eq', 'workstation') | first).builds }}"
"""

RETURN = r"""
path:
  description: The directory.
  returned: success
  type: str
  sample: /var/lib/hubfleet/workstation/environments/python-0123456789ab
seconds:
  description: Duration of each step of the build, in seconds.
  returned: when it was built
  type: dict
  sample: {create: 0.1, install: 3.9, try: 1.2}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.sandbox import SandboxError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.steps import BuildError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import CondaEnvironment
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import (
    Builder,
    from_dict,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def main() -> None:
    """Build one directory."""
    module = AnsibleModule(
        argument_spec={
            "hub": {"type": "str", "required": True},
            "directory": {"type": "str", "required": True},
            "build": {"type": "dict"},
            "state_directory": {"type": "path"},
            "uv": {"type": "path"},
            "npm": {"type": "list", "elements": "str"},
            "package_index": {"type": "str", "no_log": True},
            "npm_registry": {"type": "str", "no_log": True},
            "archive": {"type": "path"},
            "account": {"type": "str"},
            "conda": {"type": "dict"},
            "rattler": {"type": "path"},
            "conda_channel_alias": {"type": "str", "no_log": True},
        },
        required_together=[("build", "state_directory", "uv")],
        supports_check_mode=True,
    )
    params = module.params
    conda = params["conda"]
    tools = Tools(
        uv=params["uv"],
        npm=params["npm"] or [],
        index=params["package_index"],
        registry=params["npm_registry"],
        archive=params["archive"] or "",
        account=params["account"],
        conda=CondaEnvironment(**conda) if conda else None,
        rattler=params["rattler"] or "",
        channel_alias=params["conda_channel_alias"] or "",
    )
    builder = Builder(from_dict(params["build"]), Layout(params["state_directory"]), tools)
    if module.check_mode:
        module.exit_json(changed=not builder.is_current(), path=builder.target)
    try:
        changed = builder.run()
    except (BuildError, SandboxError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, path=builder.target, seconds=builder.seconds)


if __name__ == "__main__":
    main()
