#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_explain
short_description: Show where the values of options, and of keys of the chart, come from
version_added: 0.1.0
description:
  - Prints for every hub of the play the value, the file and line that sets it, and what that overrides.
  - Accepts variables of hubs and clusters, and for hubs on Kubernetes also keys of the zero-to-jupyterhub chart, for
    which it prints the option or the Helm values that set them, and the chart's default.
  - Secrets are masked.
  - Runs on the controller, once for all hosts of the play. Changes nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  option:
    description:
      - A variable such as V(hub_idle_timeout), or a key such as V(singleuser.memory.limit).
      - If unset, all options that are set or have a default are printed as a table, those of the inventory first.
    type: str
"""

EXAMPLES = r"""
- name: Explain
  hosts: research
  gather_facts: false
  tasks:
    - name: Show when idle servers are stopped, and where this is set
      hubfleet.jupyterhub.fleet_explain:
        option: hub_idle_timeout

    - name: Show the memory limit of sessions
      hubfleet.jupyterhub.fleet_explain:
        option: singleuser.memory.limit
"""

RETURN = r"""
hubs:
  description:
    - By hub, the value and the places that set it, by descending precedence.
    - Without O(option), RV(ignore:values) has the same for each option.
  returned: success
  type: dict
  sample:
    research:
      value: 30m
      places:
        - where: inventory/host_vars/research.yml:9
          what: hub_idle_timeout
          value: 30m
        - where: default
          what: hub_idle_timeout
          value: 3600
"""
