#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_export
short_description: Export the data of a hub on Kubernetes
version_added: 0.1.0
description:
  - Writes database, generated secrets, the values of the release and homes of a hub to archives in a new directory
    C(HUB-WHEN) on the controller, through the API server, in pods that mount the volumes.
  - Needs no repository of backups. The archives contain secrets, and only the account that created them can read them.
  - Runs on the controller, which needs the Python package kubernetes.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  directory:
    description: Where the directory is made; defaults to C(exports) beside the directory of the inventory.
    type: path
"""

EXAMPLES = r"""
- name: Export the hub's data
  hubfleet.jupyterhub.kubernetes_export:
"""

RETURN = r"""
path:
  description: The directory; empty if there is no data of the hub, and in check mode.
  returned: success
  type: str
  sample: /srv/fleet/exports/demo-20261124T081500Z
"""
