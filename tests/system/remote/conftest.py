# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: fleets on another machine, with the rights of an account there and with root's."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verbs"))

from remote_machine import SSHD, Machine
from verbs_fleet import CHECKOUT, Fleet


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Another machine."""
    if os.geteuid() != 0:
        pytest.skip("needs root: another account is made, and sshd lets it in")
    if not os.access(SSHD, os.X_OK) or not shutil.which("sudo") or not shutil.which("bwrap"):
        pytest.skip("needs openssh-server, sudo and bubblewrap: scripts/setup --dev")
    if not (CHECKOUT / ".ansible" / "collections").is_dir():
        pytest.skip("this checkout is not set up: scripts/setup")
    found = Machine()
    try:
        found.start()
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def own(machine: Machine) -> Iterator[Fleet]:
    """Hubs of an account of another machine; nothing is deployed yet."""
    fleet = Fleet("away", cluster_state_directory=str(machine.home / "hubs"), **machine.variables())
    try:
        # What is said of the machine must not need the controller's files.
        fleet.directory.chmod(0o700)
        fleet.add("trial", "staging")
        fleet.write()
        yield fleet
    finally:
        fleet.end()


@pytest.fixture(scope="module")
def roots(machine: Machine) -> Iterator[Fleet]:
    """Hubs of root of another machine, deployed by an account that may become root; nothing is deployed yet."""
    machine.allow_sudo()
    fleet = Fleet("service", **machine.variables(), ansible_become=True)
    try:
        fleet.set(ansible_become_password=fleet.encrypted(machine.password))
        fleet.add("campus", "production")
        fleet.write()
        yield fleet.use_prebuilt()
    finally:
        fleet.end()
