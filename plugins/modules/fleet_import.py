#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_import
short_description: Create an inventory from the files of existing hubs
version_added: 0.1.0
description:
  - Reads the configuration files of existing hubs, and writes an inventory whose hubs have the same values.
  - Values that have an option are written as options, once for all hubs that share them; the rest as Helm values. The
    values of every hub are compared with the source, key by key, before anything is written.
  - Adds only C(hub.extraConfig.hubfleet-allowed-groups) to the values, if something in the profile list is for members
    of groups; without it, the chart would show it to everybody.
  - Encrypted files are not read, but listed in the report and in the variable C(hub_pending_secrets) of the hub.
    Secrets in plain text are written to files below C(secrets) in O(directory), which only their owner can read.
  - C(import-report.md) and C(import-report.json) in O(directory) list what was left out.
  - Runs on the controller. Connects to no machine.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  source:
    description:
      - What to import, relative to the current directory.
      - With O(format=2i2c), a directory of clusters, or the directory of one.
      - With O(format=z2jh), values files in Helm's order.
      - With O(format=tljh), a C(config.yaml).
      - With O(format=jupyterhub_config), a C(jupyterhub_config.py). It is read, not run.
    type: list
    elements: path
    required: true
  format:
    description:
      - Format of the source.
      - V(2i2c), a tree of clusters as in github.com/2i2c-org/infrastructure.
      - V(z2jh), values of the zero-to-jupyterhub chart, or of a chart that contains it as C(jupyterhub).
      - V(tljh), the configuration of The Littlest JupyterHub; the hub then runs on a machine.
      - V(jupyterhub_config), the configuration of any other JupyterHub, as far as it can be read without running it;
        the hub then runs on a machine.
    type: str
    choices: [2i2c, z2jh, tljh, jupyterhub_config]
    required: true
  directory:
    description: Directory for the inventory; it must be empty or not exist.
    type: path
    required: true
  hub:
    description: Name of the hub, for all but V(2i2c). Unset, derived from the name of the file or its directory.
    type: str
  cluster:
    description: Name of its cluster, for all but V(2i2c). Unset, V(kubernetes) or V(machine).
    type: str
  tier:
    description: Tier of the hub, for all but V(2i2c). Unset, derived from its name.
    type: str
    choices: [staging, production]
  overwrite:
    description: Replace files of an earlier import if O(directory) is not empty. Other files are kept.
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
  description: Content of C(import-report.json) - hubs, numbers of options and Helm values, and what was left out.
  returned: success
  type: dict
  sample: {format: z2jh, options: 41, helm_values: 7, hubs: [{name: research, options: 41, helm_values: 7}]}
files:
  description: Written files, relative to O(directory); in check mode, files that would be written.
  returned: success
  type: list
  elements: str
  sample: [inventory/hosts.yml, group_vars/all.yml]
"""
