#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_recap
short_description: Tell what a deploy did to each hub, and where the hubs are
version_added: 0.1.0
description:
  - Prints one line per hub - its name, what became of it, its address, and why - and where generated passwords lie.
  - Fails where a hub is not as the inventory says, so that C(ansible-playbook) ends with a code other than 0.
  - Runs in the controller, once for all hosts of the play; touches nothing.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  changes:
    description: What M(hubfleet.jupyterhub.fleet_plan) returned as RV(hubfleet.jupyterhub.fleet_plan#module:changes).
    type: list
    elements: dict
    default: []
  machines:
    description: What M(hubfleet.jupyterhub.fleet_plan) returned as RV(hubfleet.jupyterhub.fleet_plan#module:machines).
    type: list
    elements: dict
    default: []
  max_failures:
    description: As in M(hubfleet.jupyterhub.fleet_gate).
    type: raw
"""

EXAMPLES = r"""
- name: Tell what was done
  hubfleet.jupyterhub.fleet_recap:
    changes: "{{ plan.changes }}"
"""

RETURN = r"""
hubs:
  description:
    - What became of each hub - V(deployed), V(checked), V(unchanged), V(rolled back), V(skipped), V(unreachable) or
      V(FAILED) - why, and where it is.
  returned: always
  type: dict
  sample: {demo: {result: deployed, why: "", url: "http://127.0.0.1:8100/demo/"}}
"""
