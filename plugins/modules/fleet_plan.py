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
  - Hubs that are on a machine, but not in the inventory any more, are reported as V(orphaned), and never touched.
  - With O(against) no hub is asked - what the inventory says is compared with what it said. Values that are encrypted
    in place need no password for that; files that are encrypted as a whole do.
  - Runs in the controller, once for all hosts of the play; touches nothing.
  - Reports V(changed=true) when a deploy would change anything, so it is the same with and without check mode.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  diff_mode:
    support: full
    details: One difference per changing hub; secrets are not part of it.
options:
  against:
    description: A git revision of the inventory to compare with, such as V(origin/main), rather than the hubs.
    type: str
  file:
    description: Write the plan as JSON to this file, for CI, or to deploy exactly it later. It holds no secret.
    type: path
  markdown:
    description: Write the plan as Markdown to this file, for the comment of a pull request.
    type: path
  fail_on_changes:
    description: Fail when anything is not as the inventory says, so that C(ansible-playbook) ends with code 2.
    type: bool
    default: false
  plan_file:
    description: Fail unless the plan is still the one in this file, which O(file) wrote.
    type: path
  ignore_unreachable:
    description: Do not fail where a cluster does not answer, as long as others do.
    type: bool
    default: false
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

- name: What does this branch change?
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Compare with the main branch
      hubfleet.jupyterhub.fleet_plan:
        against: origin/main
        markdown: plan.md
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
      description:
        - V(create), V(update) or V(unchanged).
        - V(drifted) - what the inventory says was deployed, and then something else changed the hub.
        - V(orphaned) - the hub left the inventory.
        - V(unreachable) - its cluster does not answer, or lets nothing be done; the only reason says why.
      type: str
    reasons:
      description: Why, in short phrases.
      type: list
      elements: str
    live:
      description: Fingerprint of the hub as it is; empty where there is none, or where revisions were compared.
      type: str
    passwords:
      description: Directory on the machine that holds the passwords which the hub made itself. Never a password.
      type: str
      returned: when C(hub_authenticator) is V(shared-password), and O(against) is not given
  sample:
    - hub: demo
      cluster: workstation
      tier: production
      url: http://127.0.0.1:8100/demo/
      action: update
      reasons: [configuration, hub to restart]
to_deploy:
  description: How many hubs a deploy would act on.
  returned: success
  type: int
  sample: 1
counts:
  description: How many hubs there are of each action.
  returned: success
  type: dict
  sample: {update: 1, unchanged: 5}
facts:
  description:
    - Facts of each cluster that answered, without secrets. Tasks that are given them need not read the cluster again.
    - Empty when O(against) is given.
  returned: success
  type: dict
  sample: {workstation: {identity: "machine-id:0123456789abcdef", architecture: x86_64}}
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
    reverse_proxy_account:
      description: The account that the reverse proxy runs as, or empty.
      type: str
"""
