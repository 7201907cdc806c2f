#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_restore
short_description: Restore a hub on Kubernetes from a backup
version_added: 0.1.0
description:
  - Makes the namespace of a hub, its claims and the Secret of its records, and fills them from a backup, in pods that
    mount the volumes. A deploy does the rest.
  - The backup is compared with its manifest. The restored database has no running servers.
  - An existing hub is not replaced unless O(replace) is set; then it is stopped, and backed up before. Such a backup
    is only restored by its id.
  - What was interrupted can be repeated.
  - Runs on the controller, which needs the Python package kubernetes.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    details: In check mode, only finds out whether the hub exists.
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  backup:
    description: Id of the backup, or V(latest).
    type: str
    default: latest
  replace:
    description: Replace an existing hub.
    type: bool
    default: false
  end_sessions:
    description: With O(replace), end the sessions of users; otherwise the module fails while there are any.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Restore the newest backup
  hubfleet.jupyterhub.kubernetes_restore:
"""

RETURN = r"""
id:
  description: Id of the backup.
  returned: success
  type: str
  sample: 1a2b3c4d
when:
  description: When it was made.
  returned: when something was restored
  type: str
  sample: "2026-11-24T08:15:00Z"
users:
  description: Users in the database.
  returned: when something was restored
  type: int
  sample: 12
files:
  description: Files in homes, by the manifest of the backup.
  returned: when something was restored
  type: int
  sample: 3411
servers:
  description: Servers that were running in the backup, and were removed from the database.
  returned: when something was restored
  type: int
  sample: 2
kept:
  description: Id of the backup of the hub that was replaced.
  returned: success, except in check mode
  type: str
  sample: ""
left:
  description: Existing homes that were kept.
  returned: success, except in check mode
  type: list
  elements: str
  sample: []
"""
