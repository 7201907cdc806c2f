# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy at a time on a machine, whoever died meanwhile."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet import lock_owner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import (
    ALIVE,
    GONE,
    UNKNOWN,
    LockOwner,
    machine_identity,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import lock as deploy_lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import LockedError, release, take

owner = LockOwner.of_process
COLLECTIONS = Path(deploy_lock.__file__).parents[7]
ME = os.getpid()
WHEN = "2026-11-24 08:15 UTC"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A state directory that no deploy has made yet."""
    return Layout(str(tmp_path / "cluster" / "state"))


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def lock_file(layout: Layout) -> Path:
    return Path(f"{layout.root}.deploy-lock")


def holder(layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lock_file(layout).read_text())
    return found


def held(layout: Layout) -> LockOwner:
    found = LockOwner.from_text(lock_file(layout).read_text())
    assert found is not None
    return found


def write(layout: Layout, **differences: Any) -> None:
    """Let the lock be of this process, but for some differences."""
    take(layout, owner(ME, "ada@desk", WHEN))
    lock_file(layout).write_text(json.dumps({**holder(layout), **differences}))


def test_taken_and_given_back(layout: Layout) -> None:
    assert take(layout, owner(ME, "ada@desk", WHEN)) is False
    assert holder(layout)["who"] == "ada@desk"
    assert lock_file(layout).stat().st_mode & 0o777 == 0o600
    assert not os.path.exists(layout.root), "the state directory is for the deploy to make"
    assert release(layout, owner(ME, "", "")) is True
    assert list(lock_file(layout).parent.iterdir()) == []
    assert release(layout, owner(ME, "", "")) is False


def test_taken_twice_by_the_same(layout: Layout) -> None:
    take(layout, owner(ME, "ada@desk", WHEN))
    assert take(layout, owner(ME, "ada@desk", "later")) is False
    assert holder(layout)["when"] == WHEN
    assert release(layout, owner(ME, "", "")) is True


def test_taken_by_another(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    """It says who is at it, and since when."""
    take(layout, owner(other.pid, "ben@desk", WHEN))
    with pytest.raises(LockedError) as raised:
        take(layout, owner(ME, "ada@desk", "later"))
    machine = held(layout).machine
    assert str(raised.value) == (f"a deploy by ben@desk is under way since {WHEN} (process {other.pid} on {machine})")
    assert raised.value.holder.state() == ALIVE
    assert holder(layout)["pid"] == other.pid


def test_given_back_by_another(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    """Only who holds it can."""
    take(layout, owner(other.pid, "ben@desk", WHEN))
    assert release(layout, owner(ME, "", "")) is False
    assert holder(layout)["pid"] == other.pid
    assert release(layout, owner(other.pid, "", "")) is True
    assert take(layout, owner(ME, "ada@desk", WHEN)) is False


def test_holder_died(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    take(layout, owner(other.pid, "ben@desk", WHEN))
    other.kill()
    other.wait()
    assert take(layout, owner(ME, "ada@desk", WHEN)) is True
    assert holder(layout)["pid"] == ME
    assert take(layout, owner(ME, "ada@desk", WHEN)) is False, "told once"


@pytest.mark.parametrize(
    "difference",
    [
        {"start_time": "1"},  # another process got the number
        # the machine was started anew since
        {"boot_id": "00000000-0000-0000-0000-000000000000", "pid_namespace": lock_owner._HOST_NAMESPACE},
    ],
)
def test_stale(difference: dict[str, Any], layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    if "pid_namespace" in difference:
        monkeypatch.setattr(lock_owner, "_pid_namespace", lambda: difference["pid_namespace"])
    write(layout, **difference)
    assert take(layout, owner(ME, "ben@desk", WHEN)) is True
    assert holder(layout)["who"] == "ben@desk"


def test_the_differences_are_what_makes_it_stale(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    write(layout)
    with pytest.raises(LockedError):
        take(layout, owner(other.pid, "ben@desk", WHEN))


@pytest.mark.parametrize(
    "difference",
    [
        {"machine": "machine-id:other"},
        # Containers have the machine id and the boot id of their host.
        {"pid_namespace": "pid:[4026539999]"},
        {"pid_namespace": ""},
        # Images of containers often share a machine id, and numbers of their namespaces are used again.
        {"pid_namespace": "pid:[4026539999]", "boot_id": "00000000-0000-0000-0000-000000000000"},
        {"pid": "text"},
        {"pid": None},
    ],
)
def test_what_cannot_be_judged_is_held(difference: dict[str, Any], layout: Layout) -> None:
    """Nobody here can tell whether it lives; whoever is there can."""
    write(layout, **{"pid": 2**22 + 1, "start_time": "1", **difference})
    assert held(layout).state() == UNKNOWN
    with pytest.raises(LockedError) as raised:
        take(layout, owner(ME, "ben@desk", WHEN))
    assert raised.value.holder == held(layout)
    assert take(layout, owner(ME, "ben@desk", WHEN), replacing=held(layout)) is True
    assert holder(layout)["who"] == "ben@desk"


def test_another_took_it_meanwhile(layout: Layout) -> None:
    """Only the very holder that was judged gives way."""
    write(layout, machine="machine-id:other")
    judged = dataclasses.replace(held(layout), pid=1)
    with pytest.raises(LockedError):
        take(layout, owner(ME, "ada@desk", WHEN), replacing=judged)


def test_who_is_seen_alive_is_never_replaced(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    take(layout, owner(other.pid, "ben@desk", WHEN))
    with pytest.raises(LockedError):
        take(layout, owner(ME, "ada@desk", WHEN), replacing=held(layout))


def test_gone(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    held = owner(other.pid, "ben@desk", WHEN)
    assert held.state() == ALIVE
    other.kill()
    other.wait()
    assert held.state() == GONE


def test_text(other: subprocess.Popen[bytes]) -> None:
    """Any platform can store an owner."""
    held = owner(other.pid, "ben@desk", WHEN)
    assert LockOwner.from_text(held.to_text()) == held
    assert "\n" not in held.to_text()


NAMESPACED = textwrap.dedent(
    """
    import os, sys
    sys.path.insert(0, sys.argv[1])
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import LockedError, take

    try:
        print(take(Layout(sys.argv[2]), LockOwner.of_process(os.getpid(), "ada@container", "now")), flush=True)
    except LockedError as error:
        print(error.holder.state(), flush=True)
    sys.stdin.read()
    """
)


def in_namespace(layout: Layout) -> subprocess.Popen[str]:
    """Take the lock in a PID namespace of its own, as another container on the same host does."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    script = [sys.executable, "-c", NAMESPACED, str(COLLECTIONS), layout.root]
    return subprocess.Popen([*command, *script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def namespaces() -> None:
    """Skip where namespaces cannot be made."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    if not shutil.which("unshare") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this account cannot make PID namespaces")


@pytest.mark.usefixtures("namespaces")
def test_two_containers_on_one_host(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    """Neither sees the other's process, so neither takes the other's lock."""
    take(layout, owner(other.pid, "ben@desk", WHEN))
    with in_namespace(layout) as container:
        assert first_line(container) == UNKNOWN
        container.communicate()
    assert held(layout).who == "ben@desk"
    release(layout, held(layout))
    with in_namespace(layout) as first, in_namespace(layout) as second:
        assert sorted(map(first_line, (first, second))) == ["False", UNKNOWN]
        assert held(layout).state() == UNKNOWN
        with pytest.raises(LockedError):
            take(layout, owner(ME, "cleo@desk", WHEN))
        for process in (first, second):
            process.communicate()
    # The container that held it has ended; from outside nobody can tell, so a person has to say so.
    with pytest.raises(LockedError):
        take(layout, owner(ME, "cleo@desk", WHEN))
    assert take(layout, owner(ME, "cleo@desk", WHEN), replacing=held(layout)) is True


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": '])
def test_half_written(text: str, layout: Layout) -> None:
    """Who was writing it is dead, or would still have it open."""
    lock_file(layout).parent.mkdir(parents=True)
    lock_file(layout).write_text(text)
    take(layout, owner(ME, "ada@desk", WHEN))
    assert holder(layout)["pid"] == ME


def test_a_link_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    """In a place that others may write to, it could lead to any file."""
    target = tmp_path / "precious"
    target.write_text("precious")
    lock_file(layout).parent.mkdir(parents=True)
    lock_file(layout).symlink_to(target)
    with pytest.raises(OSError):
        take(layout, owner(ME, "ada@desk", WHEN))
    assert target.read_text() == "precious"


RACER = textwrap.dedent(
    """
    import os, sys, time
    sys.path.insert(0, sys.argv[1])
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import LockedError, take
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout

    print("ready", flush=True)
    for root in sys.stdin:
        try:
            take(Layout(root.strip()), LockOwner.of_process(os.getpid(), "somebody", "now"))
            print("won", flush=True)
        except LockedError:
            print("lost", flush=True)
    """
)


@pytest.mark.parametrize("stale", [False, True])
def test_race(stale: bool, tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    """Of several processes that take a lock at once exactly one wins, also where a stale one is in the way."""
    layouts = [Layout(str(tmp_path / f"state{number}")) for number in range(100)]
    if stale:
        for layout in layouts:
            take(layout, owner(other.pid, "ben@desk", WHEN))
        other.kill()
        other.wait()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(COLLECTIONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _racer in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    for layout in layouts:
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(f"{layout.root}\n")
            racer.stdin.flush()
        answers = [racer.stdout.readline() for racer in racers if racer.stdout]
        assert sorted(answers) == ["lost\n", "lost\n", "won\n"]
        winner = racers[answers.index("won\n")]
        assert holder(layout)["pid"] == winner.pid
    for racer in racers:
        racer.communicate()
        assert racer.returncode == 0


def test_given_back_while_others_wait(tmp_path: Path) -> None:
    """Whoever waited for the file of a lock that was removed meanwhile does not write into the removed one."""
    layout = Layout(str(tmp_path / "state"))
    take(layout, owner(ME, "ada@desk", WHEN))
    with deploy_lock._opened(layout):
        racer = subprocess.Popen(
            [sys.executable, "-c", RACER, str(COLLECTIONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
        assert racer.stdin is not None
        racer.stdin.write(f"{layout.root}\n")
        racer.stdin.flush()
        _wait_for_lock(racer.pid)
        lock_file(layout).unlink()
    assert racer.stdout.readline() == "won\n"
    assert holder(layout)["pid"] == racer.pid
    racer.communicate()


def _wait_for_lock(pid: int) -> None:
    """Wait until a process waits for a lock; source: proc_locks(5), where ``->`` marks those that wait."""
    waits = re.compile(rf"-> FLOCK +ADVISORY +WRITE {pid} ")
    while not waits.search(Path("/proc/locks").read_text()):
        assert os.path.exists(f"/proc/{pid}")


# --- The machine's identity


def test_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file that says anything."""
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setattr(lock_owner, "_MACHINE_IDS", (str(first), str(second)))
    assert machine_identity() == ""
    second.write_text("abc\n")
    assert machine_identity() == "machine-id:abc"
    first.write_text("uninitialized\n")
    assert machine_identity() == "machine-id:abc"
    first.write_text("def\n")
    assert machine_identity() == "machine-id:def"
