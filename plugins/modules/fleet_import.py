#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_import
short_description: Make an inventory from the files of existing hubs
version_added: 0.1.0
description:
  - Reads the files that existing hubs are made of, and writes an inventory whose hubs have the very same values.
  - What there are options for is written as options, once for all hubs that share it; the rest as Helm values. The
    values of every hub are compared with the source, key by key, before anything is written.
  - Nothing is added to the values but C(hub.extraConfig.hubfleet-allowed-groups), where something in the profile list
    is for members of groups only; without it the chart shows such to everyone.
  - Encrypted files are not read, but listed, in O(directory) as well as in the variable C(hub_pending_secrets) of the
    hub. Secrets in plain text go into files below C(secrets) in O(directory), which only their owner can read.
  - Everything that is not carried over is in C(import-report.md) and C(import-report.json) in O(directory).
  - Runs in the controller; touches no machine.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  source:
    description:
      - What to import; relative paths start at the current directory.
      - With O(format=2i2c), a directory of clusters, or the directory of one.
      - With O(format=z2jh), values files in Helm's order.
      - With O(format=tljh), a C(config.yaml).
    type: list
    elements: path
    required: true
  format:
    description:
      - What the source is.
      - V(2i2c), a tree of clusters as in github.com/2i2c-org/infrastructure.
      - V(z2jh), values of the zero-to-jupyterhub chart, or of a chart that holds it as its part C(jupyterhub).
      - V(tljh), the configuration of The Littlest JupyterHub; the hub then runs on a machine.
    type: str
    choices: [2i2c, z2jh, tljh]
    required: true
  directory:
    description: Directory for the inventory; a new one, or an empty one.
    type: path
    required: true
  hub:
    description: Name of the hub, with V(z2jh) and V(tljh); made from the name of the file or its directory when unset.
    type: str
  cluster:
    description: Name of its cluster, with V(z2jh) and V(tljh); V(kubernetes) or V(machine) when unset.
    type: str
  tier:
    description: Tier of the hub, with V(z2jh) and V(tljh); made from its name when unset.
    type: str
    choices: [staging, production]
  overwrite:
    description: Replace the files that an import writes, where O(directory) is not empty. Other files are left alone.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Import a tree of clusters
  hubfleet.jupyterhub.fleet_import:
    source: infrastructure/config/clusters
    format: 2i2c
    directory: my-fleet

- name: Import a hub from its values files
  hubfleet.jupyterhub.fleet_import:
    source: [values.yaml, production.yaml]
    format: z2jh
    directory: my-fleet
    hub: research
"""

RETURN = r"""
report:
  description: What C(import-report.json) holds - hubs, their values by options and as Helm values, what is left out.
  returned: success
  type: dict
  sample: {format: z2jh, options: 41, helm_values: 7, hubs: [{name: research, options: 41, helm_values: 7}]}
files:
  description: Files that were written, or would be in check mode, relative to O(directory).
  returned: success
  type: list
  elements: str
  sample: [inventory/hosts.yml, group_vars/all.yml]
"""
