# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of hubs that run without playbooks: the tools, built once, and hubs in each mode of isolation."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from xdist.scheduler import LoadScopeScheduling

sys.path.insert(0, str(Path(__file__).with_name("runtime")))

from hub_client import wait_for
from runtime_rig import Hub
from runtime_tools import FILES, Tools, make_tools

sys.path.insert(0, str(FILES / "runtime"))  # for tests of parts that need no hub


#: Folders whose files share a machine or a fleet that costs more to make than it saves to have it twice.
ONE_WORKER = ("tests/system/reverse_proxy", "tests/system/systemd")
#: What takes longest begins first, so that no worker is left with it at the end; the others follow as they are found.
LONGEST_FIRST = (
    "tests/system/verbs/test_verbs_interrupted_steps.py",
    "tests/system/verbs/test_verbs_faults.py",
    "tests/system/systemd",
    "tests/system/reverse_proxy",
    "tests/system/verbs/test_verbs_tiers.py",
    "tests/system/verbs/test_verbs_third.py",
    "tests/system/verbs/test_verbs_versions.py",
    "tests/system/backup/test_backup.py",
    "tests/system/verbs/test_verbs_repositories.py",
    "tests/system/remote/test_remote_own.py",
    "tests/system/remote/test_remote_roots.py",
    "tests/system/verbs/test_verbs_running.py",
    "tests/system/verbs/test_verbs_personal.py",
    "tests/system/verbs/test_verbs_interrupted.py",
    "tests/system/verbs/test_verbs_failing.py",
)


def scope_of(nodeid: str) -> str:
    """Return what a worker runs as a whole, in its order: a file, or a folder of ONE_WORKER."""
    file = nodeid.partition("::")[0]
    folder = os.path.dirname(file)
    return folder if folder in ONE_WORKER else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest to the front."""
    places = {scope: place for place, scope in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(scope_of(item.nodeid), len(places)))


class FleetScheduling(LoadScopeScheduling):
    """Lets tests of different files run side by side, those of one file in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FleetScheduling:
    """Tell pytest-xdist, with --dist loadscope, which tests belong together (by groups, it fails with pytest 9.2)."""
    config.option.loadscopereorder = False
    return FleetScheduling(config, log)


@pytest.fixture(scope="session")
def tools() -> Iterator[Tools]:
    """Environments, node and proxy, readable for all accounts."""
    directory = Path(tempfile.mkdtemp(prefix="hubfleet-tools-"))
    directory.chmod(0o755)
    mask = os.umask(0o022)
    try:
        made = make_tools(directory)
    finally:
        os.umask(mask)
    yield made
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A state directory of a fleet."""
    path = Path(tempfile.mkdtemp(prefix="hubfleet-state-"))
    path.chmod(0o711)
    (path / "hubs").mkdir(mode=0o711)
    (path / "homes").mkdir(mode=0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def make_root_hub(tools: Tools, state: Path) -> Iterator[Callable[..., Hub]]:
    """Makes hubs with system accounts; ends them and removes their accounts afterwards."""
    from hubfleet_runtime import admin_sudo

    runtime = Path(tempfile.mkdtemp(prefix="hubfleet-test-", dir="/run"))
    hubs: list[Hub] = []

    def make(name: str, **settings: Any) -> Hub:
        hubs.append(Hub(tools, state, name, "system-users", runtime, **settings))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.stop()
    for entry in pwd.getpwall():
        # accounts of persons, which the hub keeps
        if entry.pw_dir.startswith(f"{state}/homes/"):
            subprocess.run(["userdel", entry.pw_name], check=True)
    for hub in hubs:
        admin_sudo.path_of(hub.directory).unlink(missing_ok=True)
    for record in state.glob("homes/*/.shared/.groups.json"):
        for group in json.loads(record.read_text(encoding="utf-8"))["groups"]:
            subprocess.run(["groupdel", group], check=True)
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture(scope="module")
def ordinary_user() -> Iterator[tuple[list[str], tuple[int, int] | None]]:
    """How to run as somebody without rights: the command before the command, and who that is."""
    if os.geteuid() != 0:
        yield [], None
        return
    name = f"hf-test-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/nonexistent", name], check=True)
    entry = pwd.getpwnam(name)
    prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    yield prefix, (entry.pw_uid, entry.pw_gid)

    def is_removed() -> bool:
        return subprocess.run(["userdel", name], check=False, capture_output=True).returncode == 0

    # Processes of a hub that was stopped may take a while to end.
    wait_for(f"the end of all processes of {name}", is_removed)


@pytest.fixture(scope="module")
def make_user_hub(
    tools: Tools,
    state: Path,
    ordinary_user: tuple[list[str], tuple[int, int] | None],
) -> Iterator[Callable[..., Hub]]:
    """Makes hubs of an ordinary user."""
    prefix, owner = ordinary_user
    runtime = Path(tempfile.mkdtemp(prefix="hfr-"))
    if owner:
        os.chown(runtime, *owner)
    hubs: list[Hub] = []

    def make(name: str, isolation: str = "bubblewrap", **settings: Any) -> Hub:
        hubs.append(Hub(tools, state, name, isolation, runtime, run_as=prefix, owner=owner, **settings))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.stop()
    shutil.rmtree(runtime, ignore_errors=True)
