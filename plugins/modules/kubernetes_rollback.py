#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_rollback
short_description: Roll a hub on Kubernetes back to an earlier deploy
version_added: 0.1.0
description:
  - Rolls the Helm release of a hub, and those of its add-ons, back to the revisions of an earlier deploy, and waits
    until their pods run. Users' servers go on.
  - Uses what was deployed, and not the inventory, whose options of the hub may be invalid.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  hub:
    description: Name of the hub; defaults to the host of the task.
    type: str
  number:
    description:
      - Revision of the release, as C(helm history) and the playbook status list them.
      - Unset, the newest version that ran before the current one.
    type: int
  undo:
    description: Fail if the last deploy brought no other version, instead of rolling back to an older one.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Roll back to the deploy before the last one
  hubfleet.jupyterhub.kubernetes_rollback:

- name: Roll back to revision 3
  hubfleet.jupyterhub.kubernetes_rollback:
    number: 3
"""

RETURN = r"""
number:
  description: Revision that was restored.
  returned: success
  type: int
  sample: 3
when:
  description: Time of this deploy.
  returned: success
  type: str
  sample: "2026-11-24T08:15:00Z"
revision:
  description: Revision that the rollback made.
  returned: when the hub was rolled back
  type: int
  sample: 5
"""
