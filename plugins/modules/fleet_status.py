#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_status
short_description: Print the status of every hub
version_added: 0.1.0
description:
  - Prints a table with one line per hub - version of JupyterHub, health, whether it matches the inventory, when, by
    whom, from which revision and with which result it was deployed last, and when it was backed up last.
  - Hubs that are on a machine, but no longer in the inventory, are listed as V(orphaned).
  - Runs on the controller, once for all hosts of the play. Changes nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  history:
    description: Also list the recorded deploys of each hub, with the numbers for the playbook rollback.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Status
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Print the status and earlier deploys of every hub
      hubfleet.jupyterhub.fleet_status:
        history: true
"""

RETURN = r"""
hubs:
  description: By hub, the content of the table, and its deploys, newest first.
  returned: success
  type: dict
  sample:
    demo:
      cluster: workstation
      tier: production
      health: up
      inventory: unchanged
      reasons: []
      backup: "2026-11-24T03:00:00Z"
      deploys:
        - number: 2
          when: "2026-11-24T08:15:00Z"
          who: ada@workstation
          collection: 0.1.0
          revision: 0123456789ab
          jupyterhub: 5.5.4
          back_to: 0
          result: checked
"""
