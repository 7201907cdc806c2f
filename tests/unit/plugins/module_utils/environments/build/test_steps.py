# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a build: their last lines are kept, and they end."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.steps import BuildError, Steps

PATH = {"PATH": os.defpath}


def run(script: str, timeout: float = 60) -> str:
    """Run a script of sh as a step."""
    return Steps("maps", timeout).run("try", ["/bin/sh", "-c", script], PATH)


def test_its_output_is_returned_without_what_controls_a_terminal() -> None:
    assert run("printf 'one\\n'; printf '\\033[31mtwo\\033[0m\\n' >&2; sleep 0.3; printf three") == "one\ntwo\nthree"
    assert run("true") == ""


def test_the_end_of_endless_output_is_kept() -> None:
    text = run("yes fill | head -c 9000000; echo last")
    assert text.endswith("fill\nlast\n") and len(text) == 2_000_000
    with pytest.raises(BuildError, match=r"the step 'try' did not end in 0 minutes"):
        run("yes", timeout=1)


def test_a_program_that_leaves_another_one_is_done() -> None:
    started = time.monotonic()
    assert run("sleep 30 & echo done") == "done\n"
    assert time.monotonic() - started < 20


def test_the_last_lines_tell_why_it_failed() -> None:
    with pytest.raises(BuildError) as error:
        run("seq 100; exit 3")
    lines = str(error.value).splitlines()
    assert lines[0] == "building maps: the step 'try' failed (exit 3):" and lines[1:] == [
        str(n) for n in range(86, 101)
    ]
    with pytest.raises(BuildError, match="the step 'x' could not run"):
        Steps("maps").run("x", ["/no/such/program"], PATH)


def test_it_may_end_by_itself(tmp_path: os.PathLike[str]) -> None:
    place = os.path.join(tmp_path, "told")
    script = f"trap 'echo asked > {place}; exit' TERM; while true; do sleep 0.1; done"
    with pytest.raises(BuildError, match="did not end"):
        run(script, timeout=1)
    with open(place, encoding="ascii") as file:
        assert file.read() == "asked\n"
