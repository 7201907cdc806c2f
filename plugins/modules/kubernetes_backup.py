#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_backup
short_description: Back up a hub on Kubernetes, or list its backups
version_added: 0.1.0
description:
  - Saves the database of a hub while it runs, its generated secrets, the values of its release, and users' homes with
    restic, in pods that mount their volumes. The options C(cluster_backup_*) configure this.
  - The pods and the Secret that they read are removed at the end; what an interrupted backup left is removed by the
    next one.
  - Records beside the release when the hub was backed up.
  - Runs on the controller, which needs the Python package kubernetes.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    details: In check mode, does not connect to the repository, and reports every existing hub as changed.
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  state:
    description: V(saved) makes a backup; V(listed) only lists backups.
    type: str
    choices: [saved, listed]
    default: saved
"""

EXAMPLES = r"""
- name: Make a backup
  hubfleet.jupyterhub.kubernetes_backup:

- name: List the backups
  hubfleet.jupyterhub.kubernetes_backup:
    state: listed
"""

RETURN = r"""
backup:
  description: The backup; empty in check mode.
  returned: with O(state=saved)
  type: dict
  sample:
    id: 1a2b3c4d
    when: "2026-11-24T08:15:00Z"
    new: 12000000
    total: 340000000
    seconds: 31.1
    unread: []
summary:
  description: Summary of the backup; or that there are no backups.
  returned: with O(state=saved), and with O(state=listed) where there are no backups
  type: str
  sample: "backed up: 340 MB, 12 MB added to the repository, 31 s"
backups:
  description: Existing backups, newest last.
  returned: with O(state=listed)
  type: list
  elements: dict
  sample: [{id: 1a2b3c4d, when: "2026-11-24T08:15:00Z"}]
"""
