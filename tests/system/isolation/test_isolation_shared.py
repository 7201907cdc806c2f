# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared directories and files of homes without a hub."""

from __future__ import annotations

import grp
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.admin_sudo import (
    end_admin_sudo,
)
from hubfleet_runtime import acl, admin_sudo
from hubfleet_runtime.isolation import (
    HubContext,
    IsolationError,
    Limits,
    NoIsolation,
    ServerContext,
    SystemUsers,
    shared_directories,
)
from hubfleet_runtime.shared import READ, WRITE, SharedDirectory
from runtime_tools import FILES, needs_root

COURSE = SharedDirectory("course", "course", writable_by_groups=frozenset({"teachers"}))


def context(state: Path, directory: SharedDirectory = COURSE) -> HubContext:
    """Return a hub in a state directory."""
    homes = state / "homes" / "demo"
    homes.mkdir(parents=True, exist_ok=True)
    return HubContext(state / "hubs" / "demo", "demo", homes, state / "run", shared_directories=(directory,))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubContext]:
    """A hub; groups that were made for it are removed."""
    made = context(tmp_path)
    yield made
    record = made.shared / shared_directories.GROUPS
    for name in json.loads(record.read_text())["groups"] if record.exists() else []:
        subprocess.run(["groupdel", name], check=False)


@pytest.mark.parametrize(
    "entry, of_nobody, of_student, of_teacher",
    [
        ({}, WRITE, WRITE, WRITE),
        ({"read_only": True}, READ, READ, READ),
        ({"writable_by_groups": ["Teachers"]}, READ, READ, WRITE),
        ({"allowed_groups": ["students"]}, "", WRITE, ""),
        ({"allowed_groups": ["students"], "read_only": True}, "", READ, ""),
        ({"allowed_groups": ["students"], "writable_by_groups": ["teachers"]}, "", READ, WRITE),
        ({"allowed_groups": []}, "", "", ""),
    ],
)
def test_rights(entry: dict[str, object], of_nobody: str, of_student: str, of_teacher: str) -> None:
    directory = SharedDirectory.read("course", {"path": "course", **entry})
    found = [directory.right(groups) for groups in (set(), {"students"}, {"teachers", "others"})]
    assert found == [of_nobody, of_student, of_teacher]


@needs_root
def test_a_directory_from_a_backup_is_given_to_the_groups_of_this_machine(hub: HubContext) -> None:
    inside = hub.shared / "course" / "notes" / "one.txt"
    inside.parent.mkdir(parents=True)
    inside.write_text("one")
    program, link = inside.with_name("run"), inside.with_name("link")
    program.touch(0o700)
    link.symlink_to("/etc/shadow")
    before = os.stat("/etc/shadow")
    backend = SystemUsers(hub)
    shared_directories.prepare(backend, [])
    (grant,), missing = shared_directories.grants(backend, {"teachers"})
    assert not missing
    assert grant.writable and grp.getgrgid(grant.gid or 0).gr_mem == []
    assert {path.stat().st_gid for path in (hub.shared / "course", inside.parent, inside, program)} == {grant.gid}
    rights = {kind: permissions for kind, permissions, _number in acl.entries(os.getxattr(inside, acl.ACCESS))}
    assert rights == {acl.OWNER: 6, acl.OWNING_GROUP: 6, acl.GROUP: 4, acl.MASK: 6, acl.OTHER: 0}
    assert program.stat().st_mode & 0o777 == 0o770
    assert os.stat("/etc/shadow") == before and not os.listxattr("/etc/shadow")
    # nothing is done twice, and groups stay the same
    changed = inside.stat().st_ctime_ns
    shared_directories.prepare(backend, [])
    assert inside.stat().st_ctime_ns == changed
    assert [read.writable for read in shared_directories.grants(backend, set())[0]] == [False]
    (hub.shared / "course").rename(hub.shared / "moved")
    assert shared_directories.grants(backend, set()) == ((), [f"{hub.shared / 'course'} is missing"])


@needs_root
def test_foreign_groups_and_directories_are_refused(hub: HubContext) -> None:
    backend, name = SystemUsers(hub), shared_directories._group_name(hub, COURSE, WRITE)
    subprocess.run(["groupadd", name], check=True)
    try:
        with pytest.raises(IsolationError, match=f"group {name} was not created for the shared directory course"):
            shared_directories.prepare(backend, [])
    finally:
        subprocess.run(["groupdel", name], check=True)
    (hub.shared / "course").mkdir()
    os.chown(hub.shared / "course", 12345, 12345)
    with pytest.raises(IsolationError, match="is not a directory of root; it is not changed"):
        shared_directories.prepare(backend, [])


def test_a_source_must_exist_and_not_show_what_is_private(tmp_path: Path, hub: HubContext) -> None:
    (tmp_path / "link").symlink_to(hub.homes)
    for source, error in (
        (tmp_path / "missing", "there is no directory"),
        (tmp_path, "contains, or is in, the hub's own directory"),
        (tmp_path / "link", "contains, or is in, the hub's own directory"),
        (Path("/"), "contains, or is in, the hub's own directory"),
    ):
        backend = NoIsolation(context(tmp_path, SharedDirectory("data", "data", source=str(source))))
        with pytest.raises(IsolationError, match=error):
            shared_directories.prepare(backend, [])


def test_a_link_that_leads_elsewhere_since_the_start_is_not_followed(tmp_path: Path, hub: HubContext) -> None:
    source = tmp_path.parent / f"{tmp_path.name}-course"
    source.mkdir()
    backend = NoIsolation(context(tmp_path, SharedDirectory("data", "data", source=str(source))))
    shared_directories.prepare(backend, [])
    assert [grant.source for grant in shared_directories.grants(backend, set())[0]] == [source]
    source.rmdir()
    source.symlink_to(tmp_path)
    found, (problem,) = shared_directories.grants(backend, set())
    assert not found and "contains, or is in, the hub's own directory" in problem


def test_a_source_inside_of_another_one_is_refused(tmp_path: Path, hub: HubContext) -> None:
    outer = tmp_path.parent / f"{tmp_path.name}-outer"
    (outer / "inner").mkdir(parents=True)
    both = tuple(SharedDirectory(path.name, path.name, source=str(path)) for path in (outer / "inner", outer))
    for order in (both, both[::-1]):
        backend = NoIsolation(replace(hub, shared_directories=order))
        with pytest.raises(IsolationError, match="shared directory inner: .* is inside of .*-outer"):
            shared_directories.prepare(backend, [])


@needs_root
@pytest.mark.parametrize("sudo", [False, True], ids=["user", "admin"])
def test_a_right_that_was_taken_away_cannot_be_kept_in_a_program(hub: HubContext, sudo: bool) -> None:
    """A program that belongs to the group of a shared directory (setgid) does not run with this group."""
    directory = Path(tempfile.mkdtemp())  # that another account can reach
    directory.chmod(0o755)
    account = ServerContext("server", directory, "hf-ada", "", uid=12345, gid=12345)
    backend = SystemUsers(replace(hub, sudo_accounts=frozenset({"hf-ada"}) if sudo else frozenset()))
    try:
        kept = directory / "kept"
        shutil.copy("/usr/bin/id", kept)
        os.chown(kept, 12345, 12346)
        kept.chmod(0o2755)
        command = [str(kept), "--group"]
        arguments = backend.popen_arguments(account, Limits())
        done = subprocess.run(command, capture_output=True, text=True, check=True, **arguments)
        assert done.stdout.strip() == ("12346" if sudo else "12345")
    finally:
        shutil.rmtree(directory)


@needs_root
def test_a_stopped_hub_takes_the_right_to_become_root_with_it(hub: HubContext) -> None:
    if shutil.which("visudo", path="/usr/sbin") is None:
        pytest.skip("needs sudo")
    path = admin_sudo.path_of(hub.directory)
    try:
        admin_sudo.configure(hub, "system-users", ["ada", "Ben"])
        lines = path.read_text().splitlines()
        assert len(lines) == 3 and all(line.endswith(" ALL=(ALL:ALL) NOPASSWD: ALL") for line in lines[1:])
        assert path.stat().st_mode & 0o777 == 0o440
        with pytest.raises(IsolationError, match="needs isolation 'system-users', not 'systemd'"):
            admin_sudo.configure(hub, "systemd", ["ada"])
        end_admin_sudo(str(hub.directory))
        assert not path.exists()
        end_admin_sudo(str(hub.directory))
    finally:
        path.unlink(missing_ok=True)


@pytest.fixture
def home_module() -> ModuleType:
    """The module of environments that sets up homes."""
    path = FILES / "environment" / "hubfleet_environment" / "home.py"
    spec = importlib.util.spec_from_file_location("home", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_homes(tmp_path: Path, home_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    home, shared, listed = tmp_path / "home", tmp_path / "shared", tmp_path / "files.json"
    for folder in (home, shared, home / "taken"):
        folder.mkdir()
    (home / "precious.txt").write_text("mine")
    (home / "hello.txt").symlink_to(home / "precious.txt")

    def set_up(links: dict[str, str], content: str) -> list[str]:
        listed.write_text(json.dumps([{"path": "hello.txt", "content": content, "mode": 0o600}]))
        monkeypatch.setenv(home_module.DIRECTORIES_VARIABLE, json.dumps(links))
        monkeypatch.setenv(home_module.FILES_VARIABLE, str(listed))
        found: list[str] = home_module.set_up(home)
        return found

    links = {"one": str(shared), "deep/two": str(shared), "taken": str(shared)}
    taken = "~/taken exists already, so that the shared directory is not shown there; rename it"
    assert set_up(links, "Hello") == [taken]
    assert os.readlink(home / "one") == os.readlink(home / "deep" / "two") == str(shared)
    # a link of the user's is replaced, not followed
    assert (home / "hello.txt").read_text() == "Hello" and not (home / "hello.txt").is_symlink()
    assert (home / "hello.txt").stat().st_mode & 0o777 == 0o600
    assert (home / "precious.txt").read_text() == "mine"
    written = (home / "hello.txt").stat().st_mtime_ns
    (home / "own").symlink_to(shared)
    assert set_up({"one": str(tmp_path)}, "Hello") == []
    assert (home / "hello.txt").stat().st_mtime_ns == written
    assert os.readlink(home / "one") == str(tmp_path) and not (home / "deep" / "two").is_symlink()
    assert (home / "own").is_symlink() and (home / "taken").is_dir()
    (home / "one").unlink()
    (home / "one").mkdir()  # what the user put there instead stays
    assert set_up({}, "Hello") == [] and (home / "one").is_dir()
