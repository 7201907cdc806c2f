#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_gate
short_description: Say which hubs of a deploy may go on, after others failed
version_added: 0.1.0
description:
  - Staging hubs go on where the machine of their cluster is ready; production hubs where, besides, no staging hub of
    their cluster failed. So failures stay inside of their cluster.
  - Says which hubs are skipped, and why.
  - Part of the playbook deploy; runs in the controller, once for all hosts of the play.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  stage:
    description: The tier that is to be deployed.
    type: str
    choices: [staging, production]
    required: true
  changes:
    description: RV(hubfleet.jupyterhub.fleet_plan#module:changes).
    type: list
    elements: dict
    required: true
  machines:
    description: RV(hubfleet.jupyterhub.fleet_plan#module:machines).
    type: list
    elements: dict
    default: []
  max_failures:
    description: Let no more hubs go on once more than this have failed; no limit when unset.
    type: raw
  waves:
    description:
      - Sizes of the waves that hubs are deployed in, as numbers or shares such as V(10%).
      - Unset, one hub, a tenth and the rest where more than twenty change, and all at once else.
    type: raw
  soak:
    description: Seconds between two waves. Nothing but looked at - it is an error if it is no whole number.
    type: raw
  quiet:
    description: Do not print which hubs are skipped.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Choose the production hubs that go on
  hubfleet.jupyterhub.fleet_gate:
    stage: production
    changes: "{{ plan.changes }}"
    machines: "{{ plan.machines }}"
  register: production
  run_once: true
"""

RETURN = r"""
hubs:
  description: Hubs that go on.
  returned: success
  type: list
  elements: str
  sample: [research]
skipped:
  description: Hubs that do not, and why.
  returned: success
  type: dict
  sample: {maths: staging hub maths-staging of its cluster failed}
waves:
  description: How many hubs are in each wave.
  returned: success
  type: list
  elements: int
  sample: [1, 10, 89]
"""
