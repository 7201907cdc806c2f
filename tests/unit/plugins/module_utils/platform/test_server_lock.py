# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy at a time on a machine, whoever died meanwhile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import lock as deploy_lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import (
    LockedError,
    is_gone,
    machine_identity,
    owner,
    release,
    take,
)

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
    assert str(raised.value) == (
        f"a deploy by ben@desk is under way since {WHEN} (process {other.pid}); wait for its end"
    )
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
        {"boot_id": "00000000-0000-0000-0000-000000000000"},  # the machine was started anew since
        {"pid": "text"},
        {"pid": None},
    ],
)
def test_stale(difference: dict[str, Any], layout: Layout) -> None:
    write(layout, **difference)
    assert take(layout, owner(ME, "ben@desk", WHEN)) is True
    assert holder(layout)["who"] == "ben@desk"


def test_the_differences_are_what_makes_it_stale(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    write(layout)
    with pytest.raises(LockedError):
        take(layout, owner(other.pid, "ben@desk", WHEN))


def test_holder_is_on_another_machine(layout: Layout) -> None:
    """Nobody here can tell whether it lives; whoever is there can."""
    write(layout, machine="machine-id:other", boot_id="another", pid=1, start_time="1")
    held = holder(layout)
    with pytest.raises(LockedError) as raised:
        take(layout, owner(ME, "ben@desk", WHEN))
    assert raised.value.holder == held
    assert str(raised.value).endswith(
        f"wait for its end; if it ended without cleaning up, remove {layout.root}.deploy-lock there"
    )
    assert not is_gone(held), "it is no process of this machine"
    assert take(layout, owner(ME, "ben@desk", WHEN), gone=held) is True
    assert holder(layout)["who"] == "ben@desk"


def test_another_took_it_meanwhile(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    """Only the very holder that is known to be gone gives way."""
    take(layout, owner(other.pid, "ben@desk", WHEN))
    with pytest.raises(LockedError):
        take(layout, owner(ME, "ada@desk", WHEN), gone={**holder(layout), "pid": 1})


def test_gone(layout: Layout, other: subprocess.Popen[bytes]) -> None:
    held = owner(other.pid, "ben@desk", WHEN)
    assert not is_gone(held)
    other.kill()
    other.wait()
    assert is_gone(held)


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
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import (
        LockedError, owner, take)
    from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout

    print("ready", flush=True)
    for root in sys.stdin:
        try:
            take(Layout(root.strip()), owner(os.getpid(), "somebody", "now"))
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
    monkeypatch.setattr(deploy_lock, "_MACHINE_IDS", (str(first), str(second)))
    assert machine_identity() == ""
    second.write_text("abc\n")
    assert machine_identity() == "machine-id:abc"
    first.write_text("uninitialized\n")
    assert machine_identity() == "machine-id:abc"
    first.write_text("def\n")
    assert machine_identity() == "machine-id:def"
