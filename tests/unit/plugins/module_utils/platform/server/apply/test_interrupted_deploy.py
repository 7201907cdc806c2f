# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys and rollbacks on a machine that dies before each single step, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import (
    database,
    history,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
    REPLACED,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import (
    FakeMachine,
    Killed,
    Power,
    Version,
    add_user,
    fake,
    users,
)

#: More steps than any deploy has; the tests stop at the first number that is enough.
MANY = 200


def database_of(machine: FakeMachine) -> str:
    return machine.layout.path(database.DATABASE)


def interrupted(machine: FakeMachine, step: int, what: str, version: Version) -> bool:
    """Let the machine die before a step of a deploy or a rollback; return whether it came that far."""
    with pytest.MonkeyPatch.context() as patch:
        Power(patch, machine, step)
        try:
            if what == "deploy":
                machine.write(version)
                machine.start(version)
            else:
                machine.roll_back()
        except Killed:
            # Neither the supervisor nor what it started outlives the machine.
            if step % 2:
                machine.supervisor.runs.clear()
            return True
        return False


def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, FakeMachine]]:
    """Yield one machine after the other, each with the number of steps after which it dies."""
    for step in range(MANY):
        yield step, fake(monkeypatch, tmp_path / str(step))
    raise AssertionError(f"it never ends within {MANY} steps")


JUPYTERHUBS = pytest.mark.parametrize("newer", ["5.4.0", "5.5.0"], ids=["same JupyterHub", "newer JupyterHub"])


def two_versions(machine: FakeMachine, newer: str) -> tuple[Version, Version]:
    """Deploy one version and return it, and another one."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", newer)
    machine.deploy(one)
    add_user(machine.layout, "ada")
    return one, two


@JUPYTERHUBS
def test_interrupted_deploy(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the hub changes before its record is written, the history tells what was, and it can be gone on."""
    for step, machine in machines(tmp_path, monkeypatch):
        one, two = two_versions(machine, newer)
        if not interrupted(machine, step, "deploy", two):
            break
        found = history.records(machine.layout)
        assert (found[-1].fingerprint, found[-1].result) == ("fingerprint of one", CHECKED), step
        assert history.texts(machine.layout, 1) == one.texts
        if machine.config() != one.texts:
            assert (found[0].fingerprint, found[0].result) == ("fingerprint of two", APPLYING), step
            assert history.texts(machine.layout, found[0].number) == two.texts
        machine.write(two)
        machine.start(two)
        assert machine.is_whole(two), step
        assert machine.results() == {2: APPLIED, 1: CHECKED}, step
        # And everything that leads back is still there.
        assert machine.roll_back().number == 1
        assert machine.is_whole(one), step
        assert users(database_of(machine)) == ["ada"]
    assert step > 10


@JUPYTERHUBS
def test_interrupted_first_deploy(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step, machine in machines(tmp_path, monkeypatch):
        version = machine.version("first", newer)
        if not interrupted(machine, step, "deploy", version):
            break
        machine.deploy(version)
        assert machine.is_whole(version), step
        assert machine.results() == {1: CHECKED}, step
    assert step > 10


@JUPYTERHUBS
def test_back_from_an_interrupted_deploy(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step, machine in machines(tmp_path, monkeypatch):
        one, two = two_versions(machine, newer)
        if not interrupted(machine, step, "deploy", two):
            break
        if len(machine.results()) == 1:
            assert machine.config() == one.texts, "nothing was begun, and nothing changed"
            continue
        assert machine.roll_back().number == 1
        assert machine.is_whole(one), step
        assert users(database_of(machine)) == ["ada"], step
    assert step > 10


@JUPYTERHUBS
def test_another_deploy_after_an_interrupted_one(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inventory was mended, or put back to what it was: both come through, and lead back."""
    for step, machine in machines(tmp_path, monkeypatch):
        one, two = two_versions(machine, newer)
        if not interrupted(machine, step, "deploy", two):
            break
        other = one if step % 3 else machine.version("three", newer)
        machine.deploy(other)
        assert machine.is_whole(other), step
        machine.roll_back(1)
        assert machine.is_whole(one), step
        assert users(database_of(machine)) == ["ada"], step
    assert step > 10


@JUPYTERHUBS
def test_interrupted_rollback(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone back to a second time, it is the same version."""
    for step, machine in machines(tmp_path, monkeypatch):
        machine.deploy(machine.version("zero"))
        one, two = two_versions(machine, newer)
        machine.deploy(two, FAILED)
        if not interrupted(machine, step, "rollback", one):
            break
        assert machine.roll_back().number == 2, step
        assert machine.is_whole(one), step
        assert machine.results() == {4: APPLIED, 3: REPLACED, 2: CHECKED, 1: CHECKED}, step
        assert users(database_of(machine)) == ["ada"], step
    assert step > 10
