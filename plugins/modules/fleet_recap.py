#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_recap
short_description: Print the outcome of a deploy for each hub
version_added: 0.1.0
description:
  - Prints one line per hub, with its name, outcome, address and the reason, and where generated passwords are stored.
  - Is skipped in check mode, and if no hub was to be deployed.
  - Fails if a hub differs from the inventory, so that C(ansible-playbook) does not exit with 0.
  - Runs on the controller, once for all hosts of the play. Changes nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  changes:
    description: The return value RV(hubfleet.jupyterhub.fleet_plan#module:changes).
    type: list
    elements: dict
    default: []
  machines:
    description: The return value RV(hubfleet.jupyterhub.fleet_plan#module:machines).
    type: list
    elements: dict
    default: []
  max_failures:
    description: As in M(hubfleet.jupyterhub.fleet_gate).
    type: raw
"""

EXAMPLES = r"""
- name: Print the outcome
  hubfleet.jupyterhub.fleet_recap:
    changes: "{{ plan.changes }}"
"""

RETURN = r"""
hubs:
  description:
    - Outcome of each hub - V(deployed), V(checked), V(unchanged), V(rolled back), V(skipped), V(unreachable) or
      V(FAILED) - with the reason and its address.
  returned: unless skipped
  type: dict
  sample: {demo: {result: deployed, why: "", url: "http://127.0.0.1:8100/demo/"}}
"""
