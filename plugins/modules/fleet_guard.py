#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_guard
short_description: Make sure that clusters are the right ones, and that nobody else changes them
version_added: 0.1.0
description:
  - Compares the identity of each cluster with the one recorded at the first contact, beside the inventory in
    C(.cluster-identities.json), and refuses another one. A cluster that is not recorded yet is recorded.
  - Refuses to go on outside of the maintenance windows of a cluster (C(cluster_maintenance_windows)).
  - Takes the lock of each cluster for as long as the playbook runs. While another deploy holds it, this one is refused.
    The lock of a deploy that is seen to have ended is replaced, also after a reboot. Where that cannot be seen, as of a
    deploy in another container, the lock counts as held; see O(break_lock).
  - Runs in the controller, once for all hosts of the play. In check mode only compares.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  state:
    description: V(compared) only compares identities, at any time. V(unlocked) gives the locks back.
    type: str
    choices: [locked, unlocked, compared]
    default: locked
  ignore_maintenance_window:
    description: Go on outside of maintenance windows, too. In check mode, windows do not count.
    type: bool
    default: false
  changes:
    description:
      - What RV(hubfleet.jupyterhub.fleet_plan#module:changes) says. Once locked, a hub that is no longer what it was
        when that was planned is an error, since somebody else has changed it in between.
      - Clusters that did not answer then are left out.
    type: list
    elements: dict
  break_lock:
    description:
      - Clusters whose lock is taken from a deploy that ended without releasing it.
      - Names separated by commas, or a list.
      - Refused while that deploy is seen to run.
    type: raw
    default: []
  ignore_unreachable:
    description: Continue without clusters that do not answer; RV(unreachable) lists their hubs.
    type: bool
    default: false
  unreachable:
    description: The return value RV(unreachable) of an earlier task; the clusters of these hubs are left out.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Guard the clusters
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Make sure that these are the right clusters, and that nobody else changes them
      hubfleet.jupyterhub.fleet_guard:
"""

RETURN = r"""
clusters:
  description: Clusters that were locked, or whose lock was given back.
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
unreachable:
  description: Hubs whose cluster does not answer, each with the reason.
  returned: when O(state=locked)
  type: dict
  sample: {research: "research.example.org cannot be used: Connection refused"}
"""
