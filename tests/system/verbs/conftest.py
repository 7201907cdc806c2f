# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one fleet for most tests, and somebody without rights for the others.

The tests run the verbs as the account that runs pytest; isolation follows from that.
"""

from __future__ import annotations

import copy
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from verbs_fleet import CHECKOUT, Account, Fleet, Result
from verbs_machine import end_all, processes_of


@dataclass(frozen=True)
class Secrets:
    """What the inventory of the fleet holds encrypted."""

    client: str
    service: str


@dataclass(frozen=True)
class Deployed:
    """A fleet of two hubs, with what its first deploys printed."""

    fleet: Fleet
    secrets: Secrets
    first: Result
    second: Result


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """A staging hub with passwords, and a production hub with OAuth below a path."""
    if not (CHECKOUT / ".ansible" / "collections").is_dir():
        pytest.skip("this checkout is not set up: scripts/setup")
    fleet = Fleet("lab")
    try:
        held = Secrets(secrets.token_hex(16), secrets.token_hex(16))
        fleet.add("trial", "staging", hub_title="Trial", hub_metrics=True)
        settings = {"client_id": "an-id", "client_secret": fleet.encrypted(held.client)}
        service = {"name": "grader", "api_token": fleet.encrypted(held.service)}
        fleet.add(
            "campus",
            "production",
            hub_title="Campus",
            base="/inst-a/",
            hub_authenticator="github",
            hub_authenticator_settings=settings,
            hub_services=[service],
            hub_idle_timeout="2h",
        )
        fleet.write()
        fleet.use_prebuilt()
        first = fleet.run("deploy", "-vvvv")
        assert first.code == 0, first.output[-8000:]
        yield Deployed(fleet, held, first, fleet.run("deploy"))
    finally:
        fleet.end()


@pytest.fixture(scope="module")
def shared(deployed: Deployed) -> Iterator[Fleet]:
    """The fleet with the same inventory for each file, so that files do not depend on one another."""
    fleet = deployed.fleet
    first = copy.deepcopy((fleet.clusters, fleet.hubs))
    yield fleet
    fleet.clusters, fleet.hubs = first
    fleet.write()
    fleet.restore()


@pytest.fixture
def fleet(shared: Fleet) -> Iterator[Fleet]:
    """The fleet, as its inventory says before and after the test."""
    yield shared
    shared.restore()


@pytest.fixture(scope="session")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Somebody without rights: a temporary account with its own copy of the checkout."""
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap: an ordinary user's hubs keep users apart with it")
    if os.geteuid() != 0:
        yield Account()
        return
    name, home = f"hubfleet-t{os.getpid()}", Path(f"/var/lib/hubfleet-t{os.getpid()}")
    subprocess.run(["useradd", "--create-home", "--home-dir", str(home), name], check=True)
    try:
        home.chmod(0o700)
        checkout = copy_checkout(home / "checkout")
        make_venv(home / "venv", checkout)
        entry = pwd.getpwnam(name)
        subprocess.run(["chown", "-R", f"{name}:", str(home)], check=True)
        environment = {
            **os.environ,
            "HOME": str(home),
            "USER": name,
            "LOGNAME": name,
            "PATH": f"{home}/venv/bin:/usr/local/bin:/usr/bin:/bin",
        }
        prefix = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
        yield Account(
            checkout, home / "venv" / "bin" / "ansible-playbook", prefix, environment, (entry.pw_uid, entry.pw_gid)
        )
    finally:
        end_all(lambda: processes_of(home))
        subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)


def copy_checkout(target: Path) -> Path:
    """The files of the checkout as others would clone them, set up as scripts/setup does."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (CHECKOUT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target / name, follow_symlinks=False)
    link = target / ".ansible" / "collections" / "ansible_collections" / "hubfleet" / "jupyterhub"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    return target


def make_venv(venv: Path, checkout: Path) -> None:
    """What the controller needs, from a Python that every account may use."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", "/usr/bin/python3", str(venv)], check=True)
    requirements = ["-r", str(checkout / "requirements.txt")]
    subprocess.run(
        [uv, "pip", "install", "-q", "--link-mode=copy", "--python", str(venv / "bin" / "python"), *requirements],
        check=True,
    )


@pytest.fixture(scope="session")
def personal(ordinary: Account) -> Iterator[Fleet]:
    """A hub that somebody without rights deployed, users kept apart by bubblewrap."""
    fleet = Fleet("own", ordinary)
    try:
        fleet.add("trial", "staging")
        fleet.write()
        fleet.succeed("deploy")
        yield fleet
    finally:
        fleet.end()
