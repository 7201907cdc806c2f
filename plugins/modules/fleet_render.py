#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_render
short_description: Write the Helm values of hubs on Kubernetes
version_added: 0.1.0
description:
  - Validates the fleet, and writes for every hub of the play that is on Kubernetes a directory with its values for the
    zero-to-jupyterhub chart (C(values.yaml)), those of its add-ons (C(ADDON.values.yaml)), and C(install.sh) with the
    commands that install them, which do not need this collection.
  - With C(cluster_permissions=namespace), also C(role.yaml) with the permissions that these commands need.
  - The files contain the hub's secrets, and only their owner can read them.
  - Fails without writing anything if files of these names exist that it did not write.
  - If all hubs are rendered, lists the directories of hubs that are no longer in the inventory, and keeps them.
  - The C(install.sh) of a hub with C(hub_pending_secrets) only prints which secrets are missing.
  - Hubs on other platforms are left out.
  - Runs on the controller, once for all hosts of the play. Connects to no cluster.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Secrets are masked, and so is the content of files.
options:
  directory:
    description:
      - Directory to write to; it gets a subdirectory per hub.
      - Relative to the current directory.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write Helm values
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Write the Helm values of every hub
      hubfleet.jupyterhub.fleet_render:
        directory: out
"""

RETURN = r"""
directory:
  description: Absolute path of the directory.
  returned: success
  type: str
  sample: /home/ada/fleet/out
hubs:
  description: Names of the hubs on Kubernetes.
  returned: success
  type: list
  elements: str
  sample: [research-staging, research]
files:
  description: Written files, relative to the directory; in check mode, files that would be written.
  returned: success
  type: list
  elements: str
  sample: [research/values.yaml]
"""
