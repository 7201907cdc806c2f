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
  - Looks at the whole inventory, and reports what concerns the hubs that the play selects.
  - Runs in the controller, once for all hosts of the play; touches no machine.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options: {}
"""

EXAMPLES = r"""
- name: Validate the fleet
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Validate every hub
      hubfleet.jupyterhub.fleet_validate:
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
"""
