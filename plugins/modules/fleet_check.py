#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_check
short_description: Act like a user on every hub, in one call
version_added: 0.1.0
description:
  - On each hub makes a temporary user, starts a server in an environment and size, runs code in a kernel,
    compares what it printed, stops the server and removes the user.
  - Several hubs are checked at once. A failure names the step and shows the last lines of the server's log.
  - Warns where the certificate of a hub ends within 14 days, or where the reverse proxy failed to renew it.
  - Leaves nothing behind, also when it is interrupted; what a killed check left is removed by the next one.
  - Only answers 429 and 503 are tried again, until a deadline.
  - Runs in the controller, once for all hosts of the play.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
requirements:
  - aiohttp
attributes:
  check_mode:
    details: Nothing is tried in check mode.
options:
  every:
    description: Try every environment in every size; else the preselected ones only.
    type: bool
    default: false
  parallel:
    description: How many hubs are checked at once.
    type: int
    default: 10
  hubs:
    description: Check only these of the hubs of the play, and of these only the ones that came through so far.
    type: list
    elements: str
  outcome:
    description: With O(hubs), check only hubs that this became of; part of the playbook deploy.
    type: str
    choices: [rolled back]
  ignore_unreachable:
    description: Do not fail when hubs fail or do not answer; RV(problems) lists them.
    type: bool
    default: false
  start_timeout:
    description: Seconds that a server may take to start.
    type: float
    default: 180
"""

EXAMPLES = r"""
- name: Check
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Try every environment and size of every hub
      hubfleet.jupyterhub.fleet_check:
        every: true
"""

RETURN = r"""
problems:
  description: By hub that failed, what is wrong with it, in a line.
  returned: always
  type: dict
  sample: {demo: "the check failed: python/small failed in step run: ..."}
results:
  description: One entry per hub, with one entry per choice and its steps.
  returned: success
  type: list
  elements: dict
  sample:
    - name: demo
      cluster: workstation
      url: http://127.0.0.1:8100/demo/
      ok: true
      version: 5.5.4
      seconds: 3.9
      warnings: ["its certificate expires in 5 days (2026-11-29 10:00 UTC)"]
      choices:
        - environment: python
          size: small
          ok: true
          steps: [{name: connect, seconds: 0.02, ok: true}]
failed_hubs:
  description: Names of the hubs that failed; empty in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""
