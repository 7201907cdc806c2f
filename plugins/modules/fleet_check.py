#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_check
short_description: Check every hub as a user
version_added: 0.1.0
description:
  - On each hub, creates a temporary user, starts a server in an environment and size, runs code in a kernel,
    compares its output, opens a terminal, writes a file into the home directory and reads it, runs C(pip --version),
    looks for the shared directories that everybody finds, stops the server and removes the user.
  - Where servers have no terminals, this step is skipped, and the table says so.
  - Several hubs are checked at once. A failure names the step and shows the last lines of the server's log.
  - Warns if the certificate of a hub expires within 14 days, or if the reverse proxy failed to renew it.
  - Cleans up, also when it is interrupted; the next check cleans up after one that was killed.
  - Only responses 429 and 503 are retried, until a deadline.
  - Runs on the controller, once for all hosts of the play.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
requirements:
  - aiohttp
attributes:
  check_mode:
    details: Checks nothing in check mode.
options:
  every:
    description: Check every environment in every size, instead of the preselected ones only.
    type: bool
    default: false
  parallel:
    description: Number of hubs of a cluster that are checked at the same time.
    type: int
    default: 10
  hubs:
    description: Check only these hubs of the play, and of these only the ones without problems so far.
    type: list
    elements: str
  outcome:
    description: With O(hubs), check only hubs with this outcome; for the playbook deploy.
    type: str
    choices: [rolled back]
  as_deployed:
    description:
      - Check what was recorded when the hub was deployed last, or what it was rolled back to, instead of what is in the
        inventory. Options of hubs in the inventory may be invalid then.
    type: bool
    default: false
  ignore_unreachable:
    description: Do not fail when hubs fail or do not answer; RV(problems) lists them.
    type: bool
    default: false
  start_timeout:
    description: Timeout in seconds for the start of a server.
    type: float
    default: 180
"""

EXAMPLES = r"""
- name: Check
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Check every environment and size of every hub
      hubfleet.jupyterhub.fleet_check:
        every: true
"""

RETURN = r"""
problems:
  description: Failed hubs, each with the reason in one line.
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
