#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_validate
short_description: Validate the configuration of all hubs
version_added: 0.1.0
description:
  - Checks every C(hub_*) and C(cluster_*) variable of every hub against the schema, and the hubs against each other.
  - Prints one line per problem, with file and line of the value, what is allowed and the nearest valid name.
  - For hubs on Kubernetes, validates the values for the zero-to-jupyterhub chart against its schema, JupyterHub's
    configuration against its classes, and who can log in.
  - Uses the schema of the chart if the chart is available, else the recorded schema of its version.
  - Without a vault password, as for a pull request, values that are encrypted in place by
    C(ansible-vault encrypt_string) are not validated. Files that are encrypted as a whole, in the inventory or in
    lookups, need the password.
  - Reads the whole inventory, and reports problems of the hubs that the play selects.
  - Runs on the controller, once for all hosts of the play. Connects to no machine, and to a cluster only with
    O(dry_run).
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
requirements:
  - jsonschema-rs, for hubs on Kubernetes
  - helm, or helm-python-sdk, for O(render)
  - kubernetes-validate, for O(render)
  - jupyterhub-kubespawner, for the pods of sessions with O(render); without it, they are left out
  - kubectl, for O(dry_run)
options:
  render:
    description:
      - Render the manifests of hubs on Kubernetes, and validate each against the schema of its kind.
      - The pods of sessions are made by KubeSpawner, for every profile and choice, and validated as well. Python in
        C(hub.extraConfig) is not run.
      - Downloads missing charts.
    type: bool
    default: false
  dry_run:
    description:
      - The same as O(render), and let the cluster of kubectl's current context try the pods of sessions, including its
        admission rules, without creating them. The hubs must be of one cluster, and their namespaces must exist.
    type: bool
    default: false
  processes:
    description: Number of manifests that are rendered at the same time. Unset, the number of cores.
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
  description: Names of the valid hubs.
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
  description: Kinds of manifests without a schema, and the number of each.
  returned: success, when O(render=true)
  type: dict
  sample: {gateway.networking.k8s.io/v1 HTTPRoute: 2}
"""
