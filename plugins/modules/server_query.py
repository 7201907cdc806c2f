#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_query
short_description: Answer what the controller asks of a cluster's machine
version_added: 0.1.0
description:
  - Used by the actions of this collection for clusters on another machine than the controller; not for plays.
  - Nothing that it answers is a secret.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  question:
    description:
      - What is asked.
      - V(survey) - what the machine is, and what follows from it for the cluster.
      - V(state) - what its hubs are.
      - V(history) - what was deployed of them.
      - V(lock), V(unlock) - take and give back the lock of the cluster; the only ones that change anything.
    type: str
    choices: [survey, state, history, backups, lock, unlock]
    required: true
  arguments:
    description: What the question is about, as C(module_utils/platform/server/questions.py) takes it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: See what was deployed of a hub
  hubfleet.jupyterhub.server_query:
    question: history
    arguments:
      root: /var/lib/hubfleet/workstation
      hubs: [demo]
"""

RETURN = r"""
answer:
  description: The answer; its form depends on the question.
  returned: success
  type: dict
  sample: {released: true}
told:
  description: That C(msg) says, in a sentence for people, why there is no answer.
  returned: failure
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.queries import (
    QUESTIONS,
    answer,
)


def main() -> None:
    """Answer one question."""
    module = AnsibleModule(
        argument_spec={
            "question": {"type": "str", "choices": list(QUESTIONS), "required": True},
            "arguments": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, answer=answer(module.params["question"], module.params["arguments"]))
    except PlatformError as error:
        module.fail_json(msg=str(error), told=True)


if __name__ == "__main__":
    main()
