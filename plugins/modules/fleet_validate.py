#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_validate
short_description: Validate the configuration of all hubs in one call
version_added: 0.1.0
description:
  - Checks every C(hub_*) and C(cluster_*) variable of every hub against the schema, and the hubs against each other.
  - Prints one line per problem, with file and line of the value, what is allowed and the nearest valid name.
  - Hubs on Kubernetes are checked for what they come to - their values for the zero-to-jupyterhub chart against its
    schema, JupyterHub's own configuration against the classes that take it, and who could log in.
  - The chart's own schema is used where the chart is at hand, else what is recorded of that version.
  - Without any vault password, as on a pull request, values that are encrypted in place, by
    C(ansible-vault encrypt_string), are left encrypted, and the rest is validated. Files that are encrypted as a whole,
    in the inventory or looked up, need the password.
  - Looks at the whole inventory, and reports what concerns the hubs that the play selects.
  - Runs in the controller, once for all hosts of the play; touches no machine.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
requirements:
  - jsonschema-rs, for hubs on Kubernetes
  - helm, or helm-python-sdk, for O(render)
  - kubernetes-validate, for O(render)
options:
  render:
    description:
      - Render the manifests of hubs on Kubernetes, and check each against the schema of its kind.
      - Charts that are not at hand are downloaded.
    type: bool
    default: false
  processes:
    description: How many manifests are rendered side by side; as many as there are cores when unset.
    type: int
"""

EXAMPLES = r"""
- name: Validate the fleet
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Validate every hub
      hubfleet.jupyterhub.fleet_validate:
        render: true
"""

RETURN = r"""
hubs:
  description: Names of the hubs that were found valid.
  returned: success
  type: list
  elements: str
  sample: [demo-staging, demo]
clusters:
  description: Names of their clusters.
  returned: success
  type: list
  elements: str
  sample: [workstation]
unchecked:
  description: Kinds of manifests that no schema is known for, and how many of each there are.
  returned: success, when O(render=true)
  type: dict
  sample: {gateway.networking.k8s.io/v1 HTTPRoute: 2}
"""
