#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_environment_report
short_description: List the environments that were built, and who uses them
version_added: 0.1.0
description:
  - Prints a table of the environments of each cluster, with age, size, the hubs that offer each build, the users whose
    servers run in it, and who used the environment last.
  - On machines, hubs are those that offer a build since their last deploy, or can be rolled back to it.
  - On Kubernetes, these are images that the playbook C(environments) has built, with the hubs that offer them by the
    inventory, and earlier ones in which servers still run. Sizes and last uses are not known.
  - Clusters that do not answer are left out with a warning.
  - Runs on the controller, once for all hosts of the play. Reads each cluster once. Changes nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: List environments
  hosts: clusters
  gather_facts: false
  tasks:
    - name: List what was built, and who uses it
      hubfleet.jupyterhub.fleet_environment_report:
"""

RETURN = r"""
clusters:
  description: >-
    For each cluster, what was built (name, directory, time in UTC, bytes, users, hubs, and hubs with earlier deploys of
    it), and the last use of each server of a user.
  returned: success
  type: dict
  sample:
    workstation:
      built:
        - name: maps
          directory: maps-4a6310c5f9d2
          built: "2026-11-30T09:15:00Z"
          size: 618000000
          users: [ada]
          hubs: [lab]
          earlier: []
      uses:
        - {hub: lab, user: ada, environment: maps, when: "2026-11-30T10:00:00Z"}
"""
