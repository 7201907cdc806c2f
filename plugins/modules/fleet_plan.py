#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_plan
short_description: Compare every hub with the inventory
version_added: 0.1.0
description:
  - Validates the fleet, renders the desired state of every hub, reads the observed state, and returns the differences.
  - Compares content - comments, the order of keys and dates of files do not matter.
  - A hub whose services do not run, run an older configuration, or do not answer counts as changed, too.
  - Hubs that are on a machine, but no longer in the inventory, are reported as V(orphaned), and never changed.
  - With O(against), compares the inventory with an earlier revision, and connects to no hub. Values that are encrypted
    in place need no password for this; files that are encrypted as a whole do.
  - Runs on the controller, once for all hosts of the play. Changes nothing.
  - Reports V(changed=true) if a deploy would change anything, with and without check mode.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  diff_mode:
    support: full
    details: One difference per changing hub; secrets are masked.
options:
  against:
    description: A git revision of the inventory to compare with instead of the hubs, such as V(origin/main).
    type: str
  drift:
    description:
      - How closely to look for what others changed.
      - V(cheap) - what one read of a cluster tells.
      - V(deep) - on Kubernetes, also every field of every object, with who changed it and when; on machines, the same
        as V(cheap), which compares all files.
    type: str
    choices: [cheap, deep]
    default: cheap
  file:
    description: Write the plan as JSON to this file, for CI, or to deploy exactly this plan later. It has no secrets.
    type: path
  markdown:
    description: Write the plan as Markdown to this file, for the comment of a pull request.
    type: path
  fail_on_changes:
    description: Fail if anything differs from the inventory, so that C(ansible-playbook) exits with code 2.
    type: bool
    default: false
  plan_file:
    description: Fail if the plan in this file, written by O(file), is out of date.
    type: path
  ignore_unreachable:
    description: Do not fail if a cluster is unreachable, as long as others are reachable.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Plan
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Compare the hubs with the inventory
      hubfleet.jupyterhub.fleet_plan:
      register: plan
    - name: Print the hubs that would change
      ansible.builtin.debug:
        msg: "{{ plan.changes | rejectattr('action', 'eq', 'unchanged') | map(attribute='hub') }}"
      run_once: true

- name: Plan a branch
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
        - V(drifted) - the inventory was deployed, and the hub changed since.
        - V(orphaned) - the hub is no longer in the inventory.
        - V(unreachable) - its cluster does not answer or denies access, as described by the only reason.
      type: str
    reasons:
      description: The reasons, as short phrases.
      type: list
      elements: str
    live:
      description: Fingerprint of the observed hub; empty if it does not exist, or if revisions are compared.
      type: str
    passwords:
      description: Sentence that says where passwords and tokens are that the hub generates. Never contains one itself.
      type: str
      returned: when C(hub_authenticator) is V(native), or V(shared-password) for new hubs, and O(against) is not given
  sample:
    - hub: demo
      cluster: workstation
      tier: production
      url: http://127.0.0.1:8100/demo/
      action: update
      reasons: [configuration, hub to restart]
to_deploy:
  description: Number of hubs that a deploy would change.
  returned: success
  type: int
  sample: 1
counts:
  description: Number of hubs per action.
  returned: success
  type: dict
  sample: {update: 1, unchanged: 5}
facts:
  description:
    - Facts of each reachable cluster, without secrets. Tasks that get them do not read the cluster again.
    - Empty with O(against).
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
      description: The hub that represents the machine in plays.
      type: str
    changes:
      description: Whether any of its hubs changes.
      type: bool
    builds:
      description: Environments and tools to build.
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
      description: Isolation of users.
      type: str
    supervisor:
      description: Supervisor of services.
      type: str
    python:
      description: The Python of environments.
      type: str
    proxy_account:
      description: The account that proxies run as, or empty.
      type: str
    reverse_proxy_account:
      description: The account that the reverse proxy runs as, or empty.
      type: str
    build_account:
      description: The account that builds of repositories run as, or empty.
      type: str
"""
