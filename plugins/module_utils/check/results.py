# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a check, as data that can be printed, compared and stored as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .targets import Choice

STEPS = (
    "connect",
    "create user",
    "start",
    "progress",
    "token",
    "kernel",
    "run",
    "terminal",
    "interface",
    "stop",
    "delete user",
)


@dataclass(frozen=True)
class StepResult:
    """One step (a name out of STEPS), its duration in seconds, and whether it succeeded."""

    name: str
    seconds: float
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"name": self.name, "seconds": round(self.seconds, 3), "ok": self.ok}


@dataclass
class ChoiceResult:
    """The result of one choice.

    error: one line, None where the choice passed. log_lines: after a failure the last lines of the server's log, or of
    the spawner's messages, the oldest first. skipped: what was not tried, and why; "" if everything was.
    """

    choice: Choice
    ok: bool = False
    steps: list[StepResult] = field(default_factory=list)
    failed_step: str | None = None
    error: str | None = None
    log_lines: list[str] = field(default_factory=list)
    skipped: str = ""

    def seconds(self, *names: str) -> float | None:
        """Return the sum of the durations of the named steps, without names of all.

        None where none of them started.
        """
        found = [step.seconds for step in self.steps if not names or step.name in names]
        return sum(found) if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data, without the code and the options of the choice."""
        return {
            "environment": self.choice.environment,
            "size": self.choice.size,
            "label": self.choice.title,
            "ok": self.ok,
            "steps": [step.as_dict() for step in self.steps],
            "failed_step": self.failed_step,
            "error": self.error,
            "log_lines": list(self.log_lines),
            "skipped": self.skipped,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ChoiceResult:
        """Return the result from as_dict(), without the code and the options of the choice."""
        found = {key: value for key, value in values.items() if key not in ("environment", "size", "label")}
        choice = Choice(values["environment"], values["size"], label=values["label"])
        return cls(choice, **{**found, "steps": [StepResult(**step) for step in values["steps"]]})


@dataclass
class HubResult:
    """The result of one hub.

    version: JupyterHub's version, None where the hub did not answer. error: why no choice could be checked, else None.
    removed_users: users that an earlier check left behind. cleanup_problems: one line for each user still there.
    """

    name: str
    cluster: str
    url: str
    ok: bool = False
    version: str | None = None
    choices: list[ChoiceResult] = field(default_factory=list)
    seconds: float = 0.0
    error: str | None = None
    removed_users: list[str] = field(default_factory=list)
    cleanup_problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """The first problem in one line, "" where there is none."""
        if self.error:
            return self.error
        failed = next((choice for choice in self.choices if not choice.ok), None)
        if failed:
            return f"{failed.choice.title} failed in step {failed.failed_step}: {failed.error}"
        return "; ".join(self.cleanup_problems)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "name": self.name,
            "cluster": self.cluster,
            "url": self.url,
            "ok": self.ok,
            "version": self.version,
            "choices": [choice.as_dict() for choice in self.choices],
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "removed_users": list(self.removed_users),
            "cleanup_problems": list(self.cleanup_problems),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> HubResult:
        """Return the result from as_dict(), without the code and the options of the choices."""
        return cls(**{**values, "choices": [ChoiceResult.from_dict(choice) for choice in values["choices"]]})
