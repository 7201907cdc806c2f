#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_plan
short_description: Compare every hub with what the inventory says, in one call
version_added: 0.1.0
description:
  - Validates the fleet, renders what every hub should be, reads what it is, and returns what differs.
  - Content counts, not files' dates - comments and the order of keys in the inventory change nothing.
  - A hub whose services do not run, run something older, or do not answer counts as changed too.
  - Runs in the controller, once for all hosts of the play; touches nothing.
  - Reports V(changed=true) when a deploy would change anything, so it is the same with and without check mode.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  diff_mode:
    support: full
    details: One difference per changing hub; secrets are not part of it.
options: {}
"""

EXAMPLES = r"""
- name: Plan
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Compare the inventory with what runs
      hubfleet.jupyterhub.fleet_plan:
      register: plan
    - name: Name the hubs that would change
      ansible.builtin.debug:
        msg: "{{ plan.changes | rejectattr('action', 'eq', 'unchanged') | map(attribute='hub') }}"
      run_once: true
"""

RETURN = r"""
changes:
  description: One entry per hub of the play.
  returned: success
  type: list
  elements: dict
  contains:
    hub:
      description: Name of the hub.
      type: str
    cluster:
      description: Name of its cluster.
      type: str
    tier:
      description: V(staging) or V(production).
      type: str
    url:
      description: Its public address.
      type: str
    action:
      description: V(create), V(update) or V(unchanged).
      type: str
    reasons:
      description: Why, in short phrases.
      type: list
      elements: str
  sample:
    - hub: demo
      cluster: workstation
      tier: production
      url: http://127.0.0.1:8100/demo/
      action: update
      reasons: [configuration, hub to restart]
machines:
  description: One entry per cluster of the play.
  returned: success
  type: list
  elements: dict
  contains:
    cluster:
      description: Name of the cluster.
      type: str
    hub:
      description: A hub that stands for the machine in plays.
      type: str
    changes:
      description: Whether any of its hubs changes.
      type: bool
    builds:
      description: Environments and tools that are to be built.
      type: list
      elements: dict
    packages:
      description: System packages that are missing.
      type: list
      elements: str
    state_directory:
      description: The cluster's state directory.
      type: str
    isolation:
      description: What keeps users apart.
      type: str
    supervisor:
      description: What keeps services running.
      type: str
    python:
      description: The Python that environments are made from.
      type: str
    proxy_account:
      description: The account that proxies run as, or empty.
      type: str
"""
