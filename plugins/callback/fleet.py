# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's default output, with errors of this collection in one line."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
type: stdout
short_description: Default output of Ansible, with each error of this collection once
version_added: 0.1.0
description:
  - Prints errors of the actions and modules of this collection once, without an excerpt of the playbook. Their messages
    name the file and line of the inventory that is meant.
  - An error that a playbook goes on after, such as to roll a hub back, is not repeated at the end of the play either.
  - Prints what the actions for all hubs report below the title of their task, also if skipped hosts are not displayed.
  - With C(-v), and for all other actions and modules, the output is that of P(ansible.builtin.default#callback).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - C(stdout_callback = hubfleet.jupyterhub.fleet) in the section C([defaults]) of ansible.cfg
"""

from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

_COLLECTION = "hubfleet.jupyterhub."
_CHECKS = ("ansible.builtin.assert", "ansible.builtin.fail", "ansible.builtin.validate_argument_spec")
_ROOT = Path(__file__).resolve().parents[2]


def _is_ours(task: Any) -> bool:
    """Return whether a task is an action or module of this collection, or a check in its playbooks and roles."""
    if str(task.action).startswith(_COLLECTION):
        return True
    path = str(task.get_path() or "").rpartition(":")[0]
    return task.action in _CHECKS and _ROOT in Path(path).resolve().parents


class CallbackModule(DefaultCallback):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "hubfleet.jupyterhub.fleet"

    def __init__(self) -> None:
        super().__init__()
        #: Errors that were printed, by host.
        self._told: dict[str, list[str]] = {}

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Print the title before an action for all hubs prints; a conditional one may be skipped."""
        super().v2_playbook_on_task_start(task, is_conditional)
        if str(task.action).startswith(f"{_COLLECTION}fleet_") and not task.when:
            self._print_title(task)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print the message of a failed task of this collection."""
        found = result.result
        ours = _is_ours(result.task) and isinstance(found.get("msg"), str)
        if not ours or "results" in found or self._display.verbosity > 0:
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)
            return
        self._print_title(result.task)
        self._handle_warnings(found)
        host, to_stderr = self.host_label(result), self.get_option("display_failed_stderr")
        # Arguments of a playbook or role that are wrong: the message has a heading and a line for each of them.
        message = "; ".join(found.get("argument_errors") or [found["msg"]])
        told = self._told.setdefault(str(result.host), [])
        if any(message.endswith(earlier) for earlier in told):
            message = "failed, as told above"
        elif message:
            told.append(message)
        self._display.display(f"fatal: [{host}]: {message}", color=C.COLOR_ERROR, stderr=to_stderr)
        if ignore_errors:
            self._display.display("...ignoring", color=C.COLOR_SKIP)

    def _print_title(self, task: Any) -> None:
        if self._last_task_banner != task._uuid:
            self._print_task_banner(task)
