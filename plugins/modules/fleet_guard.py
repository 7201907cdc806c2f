#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_guard
short_description: Compare the identities of clusters, and lock them
version_added: 0.1.0
description:
  - Compares the identity of each cluster with the recorded one in C(.cluster-identities.json) next to the inventory,
    and fails if they differ. Records the identity of new clusters.
  - Fails outside of the maintenance windows of a cluster (C(cluster_maintenance_windows)).
  - Locks each cluster for as long as the playbook runs, and fails if another deploy holds the lock. The lock of a
    deploy that is known to have ended is replaced, also after a reboot. If this is unknown, as for a deploy in another
    container, the lock counts as held; see O(break_lock).
  - Runs on the controller, once for all hosts of the play. Only compares in check mode.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description: V(compared) only compares identities, at any time. V(unlocked) releases the locks.
    type: str
    choices: [locked, unlocked, compared]
    default: locked
  ignore_maintenance_window:
    description: Continue outside of maintenance windows. Check mode ignores them.
    type: bool
    default: false
  changes:
    description:
      - The return value RV(hubfleet.jupyterhub.fleet_plan#module:changes). Only clusters with hubs that change are
        compared and locked, without those that were unreachable in the plan.
      - Fails if such a hub changed between the plan and the lock.
    type: list
    elements: dict
  as_deployed:
    description: Hubs are used as they were deployed, so that their options in the inventory may be invalid.
    type: bool
    default: false
  break_lock:
    description:
      - Clusters whose lock is taken over from a deploy that ended without releasing it.
      - A list, or names separated by commas.
      - Fails if that deploy is known to run.
    type: raw
    default: []
  ignore_unreachable:
    description: Continue without clusters that do not answer; RV(unreachable_hubs) lists their hubs.
    type: bool
    default: false
  unreachable_hubs:
    description: The return value RV(unreachable_hubs) of an earlier task; the clusters of these hubs are left out.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Guard the clusters
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Compare the identities of the clusters, and lock them
      hubfleet.jupyterhub.fleet_guard:
"""

RETURN = r"""
clusters:
  description: Clusters that were locked, unlocked or compared.
  returned: success
  type: list
  elements: str
  sample: [workstation]
recorded:
  description: Clusters whose identity was recorded.
  returned: success
  type: list
  elements: str
  sample: [workstation]
facts:
  description: Facts of each cluster, as in RV(hubfleet.jupyterhub.fleet_plan#module:facts).
  returned: unless O(state=unlocked)
  type: dict
  sample: {workstation: {identity: "machine-id:0123456789abcdef", architecture: x86_64}}
changes:
  description: O(changes), with the action V(unreachable) for hubs whose cluster stopped to answer since the plan.
  returned: unless O(state=unlocked)
  type: list
  elements: dict
unreachable_hubs:
  description: Hubs whose cluster is unreachable, or stopped to answer meanwhile, each with the reason.
  returned: unless O(state=unlocked)
  type: dict
  sample: {research: "research.example.org cannot be used: Connection refused"}
"""
