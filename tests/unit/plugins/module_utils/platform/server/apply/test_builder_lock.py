# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed deploy was building goes on for a moment: nobody builds in the same directory meanwhile."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.model import Build
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import Builder
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout


def is_locked(path: Path) -> bool:
    with open(path, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_until(path: Path) -> str:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text()


def test_a_build_is_locked_until_its_last_program_ends(tmp_path: Path) -> None:
    program, pid_file = tmp_path / "uv", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid_file}.new; mv {pid_file}.new {pid_file}\nexec sleep 60\n")
    program.chmod(0o755)
    build = Build(name="extra", kind="python", folder="environments")
    builder = Builder(build, Layout(str(tmp_path)), Tools(uv=str(program)))
    deploy = multiprocessing.get_context("fork").Process(target=builder.run)
    deploy.start()
    running, lock = int(wait_until(pid_file)), tmp_path / "environments/.extra.lock"
    assert deploy.pid is not None
    os.kill(deploy.pid, signal.SIGKILL)
    deploy.join()
    try:
        assert is_locked(lock)
    finally:
        os.kill(running, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while is_locked(lock):
        if time.monotonic() > deadline:
            pytest.fail("the lock is never released")
        time.sleep(0.02)
