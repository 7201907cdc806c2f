#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_drill
short_description: Test a backup of a hub on Kubernetes
version_added: 0.1.0
description:
  - Restores the backup of a hub into a namespace of its own, C(NAMESPACE-drill), which nothing outside of the cluster
    reaches, starts it, checks it as a user through the API server, and removes the namespace, even if a step fails.
    Does not change the hub itself.
  - Removes what an interrupted drill left behind.
  - Needs an account that may make namespaces.
  - Runs on the controller, which needs the program helm, and the Python package kubernetes.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    details: Restores nothing in check mode.
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  backup:
    description: Id of the backup, or V(latest).
    type: str
    default: latest
  break_lock:
    description: Clusters whose locks of lost drills are taken over; see M(hubfleet.jupyterhub.fleet_guard).
    type: raw
    default: []
"""

EXAMPLES = r"""
- name: Test the newest backup
  hubfleet.jupyterhub.kubernetes_drill:
"""

RETURN = r"""
id:
  description: Id of the backup.
  returned: success, except in check mode
  type: str
  sample: 1a2b3c4d
when:
  description: When it was made.
  returned: success, except in check mode
  type: str
  sample: "2026-11-24T08:15:00Z"
summary:
  description: Summary of the drill.
  returned: success
  type: str
  sample: "the backup 1a2b3c4d of 2026-11-24T08:15:00Z is good: 2 users, 34 files; restored in 9 s, check passed in 4 s"
"""
