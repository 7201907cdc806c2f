# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a playbook at the start of a task, or writes down what the machine is like at the start of each."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from pathlib import Path

from ansible.plugins.callback import CallbackBase

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from verbs_machine import picture

DOCUMENTATION = r"""
name: interrupting
type: aggregate
short_description: Kill a playbook at the start of a task
description:
  - E(INTERRUPTING_AT) is the number of the task that is not begun; 0 for none.
  - E(INTERRUPTING_LOG) is a file that gets a line per task, with its name and a digest of the state directory
    E(INTERRUPTING_STATE).
"""


class CallbackModule(CallbackBase):
    """Counts tasks, those that are skipped later on, too."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "interrupting"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def v2_playbook_on_task_start(self, task: object, is_conditional: bool) -> None:
        """End everything of the playbook here, as when the machine that it runs on dies."""
        self.number += 1
        log = os.environ.get("INTERRUPTING_LOG")
        if log:
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{task.get_name().strip()}\t{_digest(Path(os.environ['INTERRUPTING_STATE']))}\n")  # type: ignore[attr-defined]
        if self.number == int(os.environ.get("INTERRUPTING_AT", "0")):
            os.killpg(os.getpgrp(), signal.SIGKILL)


def _digest(state: Path) -> str:
    """A digest of everything on the machine that a verb changes: files, what runs, and the lock."""
    locked = Path(f"{state}.deploy-lock").exists()
    return hashlib.sha256(repr((sorted(picture(state).items()), locked)).encode()).hexdigest()
