#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_render
short_description: Write the Helm values of hubs on Kubernetes, ready for helm
version_added: 0.1.0
description:
  - Validates the fleet, and writes for every hub of the play that is on Kubernetes a directory with its values for the
    zero-to-jupyterhub chart (C(values.yaml)), those of its add-ons (C(ADDON.values.yaml)), and C(install.sh), which
    holds the commands that install them. Nothing of this collection is needed to run it.
  - The files hold the hub's secrets and can be read by their owner only.
  - Files of these names that it did not write are never replaced; it fails then, and writes nothing.
  - Where all hubs are rendered, directories of hubs that left the inventory are named, and left as they are.
  - The C(install.sh) of a hub with C(hub_pending_secrets) only says what is missing.
  - Hubs on other platforms are left out.
  - Runs in the controller, once for all hosts of the play; touches no cluster.
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
      - Where to write; a directory per hub is made in it.
      - Relative to where the playbook is run.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write Helm values
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Write what helm needs
      hubfleet.jupyterhub.fleet_render:
        directory: out
"""

RETURN = r"""
directory:
  description: Where the files are.
  returned: success
  type: str
  sample: /home/ada/fleet/out
hubs:
  description: Names of the hubs that are on Kubernetes.
  returned: success
  type: list
  elements: str
  sample: [research-staging, research]
files:
  description: Files that were written, or would be in check mode, below the directory.
  returned: success
  type: list
  elements: str
  sample: [research/values.yaml]
"""
