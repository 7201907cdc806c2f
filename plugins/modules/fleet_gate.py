#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_gate
short_description: Select the hubs of a deploy that continue after others failed
version_added: 0.1.0
description:
  - Staging hubs continue if the machine of their cluster is ready; production hubs continue if also no staging hub of
    their cluster failed. So failures do not affect other clusters.
  - Hubs fail if something that they need could not be built, other hubs of the machine continue.
  - Prints which hubs are skipped, and why.
  - Part of the playbook deploy; runs on the controller, once for all hosts of the play.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  stage:
    description: The tier to deploy.
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
    description: Continue with no more hubs after more failures than this. Unset, there is no limit.
    type: raw
  waves:
    description:
      - Sizes of the waves that hubs are deployed in, as numbers or percentages such as V(10%).
      - Unset, one hub, a tenth and the rest if more than twenty change, else all at once.
    type: raw
  soak:
    description: Seconds between two waves. Only validated here; the playbook waits.
    type: raw
  quiet:
    description: Do not print which hubs are skipped.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Select the production hubs that continue
  hubfleet.jupyterhub.fleet_gate:
    stage: production
    changes: "{{ plan.changes }}"
    machines: "{{ plan.machines }}"
  register: production
  run_once: true
"""

RETURN = r"""
hubs:
  description: Hubs that continue.
  returned: success
  type: list
  elements: str
  sample: [research]
skipped:
  description: Hubs that are skipped, each with the reason.
  returned: success
  type: dict
  sample: {maths: staging hub maths-staging of its cluster failed}
waves:
  description: Number of hubs in each wave.
  returned: success
  type: list
  elements: int
  sample: [1, 10, 89]
"""
