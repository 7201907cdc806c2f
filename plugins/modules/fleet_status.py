#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_status
short_description: Tell what runs of a fleet, whether it is as the inventory says, and who deployed it
version_added: 0.1.0
description:
  - Prints a table with a line for each hub - its version of JupyterHub, whether it is up, whether it is as the
    inventory says, when, by whom, from which revision and with what result it was deployed last, and when it was backed
    up last.
  - Hubs that left the inventory, but are still on a machine, are listed as V(orphaned).
  - Runs in the controller, once for all hosts of the play; touches nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  history:
    description: Also list the deploys of each hub that are remembered, with the numbers that rollback takes.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Status
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Tell what runs, and what was deployed before
      hubfleet.jupyterhub.fleet_status:
        history: true
"""

RETURN = r"""
hubs:
  description: By hub, what is in the table, and its deploys, the newest first.
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
