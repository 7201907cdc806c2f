#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_hub
short_description: Deploy, stop or remove a hub on Kubernetes
version_added: 0.1.0
description:
  - Makes the Helm release of a hub, and those of its add-ons, what the inventory says, and waits until their pods run.
    While it waits, it prints what for; where the pods cannot start, it fails with the reason as soon as it is certain.
  - Does nothing where the hub is as the inventory says. Helm is only called where something differs.
  - Records beside the release who deployed what, in a Secret that also holds the secrets that are generated for the
    hub.
  - The cluster, the chart and its values follow from the inventory. Runs on the controller, which needs the program
    helm, and the Python package kubernetes.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  diff_mode:
    support: full
    details: Shows the differences of values, with secrets masked.
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  state:
    description:
      - V(present) - the hub is deployed and runs.
      - V(stopped) - the hub, its proxy and its other Deployments have no pods. Users' servers go on, unless
        O(end_sessions) is set.
      - V(absent) - the release and its add-ons are removed. Claims and secrets of the hub stay, unless
        O(remove_data=true).
    type: str
    choices: [present, stopped, absent]
    default: present
  repair:
    description:
      - Whether the plan found changes by others, with V(present). Helm is called although the inventory has not
        changed, and what others changed is replaced.
    type: bool
    default: false
  end_sessions:
    description:
      - Whether users' servers may be ended, with V(stopped) and V(absent).
      - If V(false), the module fails while users have servers. Unset, servers are not looked at.
    type: bool
  end_sessions_variable:
    description: The extra variable that allows the playbook to end sessions, for the error message.
    type: str
    default: stop_end_sessions
  remove_data:
    description: Whether to remove the claims of the hub and of its users as well, with V(absent).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Deploy a hub
  hubfleet.jupyterhub.kubernetes_hub:

- name: Stop a hub unless users have servers
  hubfleet.jupyterhub.kubernetes_hub:
    state: stopped
    end_sessions: false

- name: Remove a hub and keep its data
  hubfleet.jupyterhub.kubernetes_hub:
    state: absent
    end_sessions: true
"""

RETURN = r"""
reasons:
  description: What differed.
  returned: with O(state=present), when something differed
  type: list
  elements: str
  sample: [configuration]
revision:
  description: Revision of the release.
  returned: with O(state=present), when the hub was deployed
  type: int
  sample: 4
stopped:
  description: Deployments that were stopped.
  returned: with O(state=stopped)
  type: list
  elements: str
  sample: [hub, proxy]
users:
  description: Users whose servers were ended.
  returned: with O(state=stopped) and O(state=absent)
  type: list
  elements: str
  sample: [ada, ben]
"""
