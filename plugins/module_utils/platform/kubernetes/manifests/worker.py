# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that renders and validates releases one after the other; render.py starts it.

It reads and writes lines of JSON: first the engine and the version of Kubernetes, answered by ``{}``; then a release
per line, answered by its Rendered. The answer to an error is ``{"error": sentence}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from ...errors import PlatformError
from .check import ManifestChecker
from .engine import Renderer, RenderError, renderer
from .model import Engine, Release, Rendered
from .record import record_problems


def main() -> None:
    """Answer every line of standard input."""
    # Libraries may write to standard output, so answers have a file descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        start = json.loads(sys.stdin.readline())
        kube_version = start["kube_version"]
        chosen, checker = renderer(Engine(**start["engine"]), kube_version), ManifestChecker(kube_version)
    except Exception as error:
        _answer(answers, {"error": _sentence(error)})
        return
    _answer(answers, {})
    for line in sys.stdin:
        try:
            answer = _rendered(Release(**json.loads(line)), chosen, checker)
        except Exception as error:
            answer = {"error": _sentence(error)}
        _answer(answers, answer)


def _rendered(release: Release, chosen: Renderer, checker: ManifestChecker) -> dict[str, Any]:
    """Return the fields of Rendered."""
    started = time.monotonic()
    rendered = Rendered(release.name)
    try:
        rendered.objects, rendered.problems = chosen.objects(release)
    except RenderError as error:
        rendered.problems = error.problems
    else:
        problems, rendered.unchecked = checker.check(rendered.objects)
        rendered.problems += [*problems, *record_problems(release, rendered.objects)]
    rendered.seconds = time.monotonic() - started
    # Not dataclasses.asdict(): it copies every manifest, which takes longer than checking them.
    return {**vars(rendered), "problems": [vars(problem) for problem in rendered.problems]}


def _answer(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _sentence(error: Exception) -> str:
    """Return the message of an error; for an unexpected one only its place, since its text may contain a secret."""
    if isinstance(error, PlatformError):
        return str(error)
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""
    return f"the process that renders manifests failed with {type(error).__name__}{place}"


if __name__ == "__main__":
    main()
