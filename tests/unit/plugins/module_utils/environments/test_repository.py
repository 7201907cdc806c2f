# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Git repositories are read without running anything of them, by branch, tag and commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments import repository as module
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import (
    Repository,
    RepositoryError,
    is_remote,
)

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
_WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")


class Origin:
    """A repository of a community."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, "GIT_COMMITTER_DATE": "2026-03-01T12:00:00+02:00"}
        command = ["git", *_WHO, "-C", str(self.directory), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()

    def commit(self, files: dict[str, str] | None = None) -> str:
        """Write files, and commit everything; return the commit."""
        for name, text in (files or {}).items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=Change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture(name="origin")
def _origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path / "maps")
    made.commit({"environments/geo/data": "1", "README": "x"})
    return made


@pytest.fixture(name="found")
def _found(origin: Origin, tmp_path: Path) -> Repository:
    return Repository("../maps", str(tmp_path / "inventory"), str(tmp_path / "cache"))


def archived(found: Repository, ref: str, tmp_path: Path, subdirectory: str = "") -> list[str]:
    """Return the names in the archive of what a ref has now."""
    path = tmp_path / "archive.tar"
    found.write_archive(found.pin(ref, subdirectory, found.commit_of(ref)), str(path))
    with tarfile.open(path) as content:
        return sorted(member.name for member in content.getmembers() if not member.isdir())


def test_refs(origin: Origin, found: Repository) -> None:
    first = origin.git("rev-parse", "HEAD")
    origin.git("tag", "--annotate", "--message=x", "v1")
    origin.git("tag", "light")
    second = origin.commit({"README": "y"})
    origin.git("branch", "feature/x", first)
    assert [found.commit_of(ref) for ref in ("", "main", "v1", "light", "feature/x", first)] == [
        second,
        second,
        first,
        first,
        first,
        first,
    ]
    tag = origin.git("rev-parse", "v1")
    with pytest.raises(RepositoryError, match="is no commit; set ref"):
        found.pin("", "", tag)
    for ref in ("mai", "*", "heads/main", "HEAD", first[:8]):
        with pytest.raises(RepositoryError, match="has no branch or tag .*; set ref to a branch, a tag or a"):
            found.commit_of(ref)


def test_a_pin_names_the_files_of_its_directory(origin: Origin, found: Repository) -> None:
    first = found.pin("main", "environments/geo", found.commit_of("main"))
    assert first.date == "2026-03-01T10:00:00Z" and first.key == ("../maps", "main", "environments/geo")
    origin.commit({"README": "y"})
    second = found.pin("main", "environments/geo", found.commit_of("main"))
    assert second.commit != first.commit and second.tree == first.tree
    with pytest.raises(RepositoryError, match="has no environments/bio at"):
        found.pin("", "environments/bio", first.commit)
    with pytest.raises(RepositoryError, match="README is not a directory at"):
        found.pin("", "README", first.commit)


def test_what_was_pinned_can_be_had_after_the_branch_moved(origin: Origin, found: Repository, tmp_path: Path) -> None:
    pin = found.pin("", "", found.commit_of(""))
    shutil.rmtree(tmp_path / "cache")
    origin.commit({"README": "y"})
    found.write_archive(pin, str(tmp_path / "archive.tar"))
    with tarfile.open(tmp_path / "archive.tar") as content:
        member = content.extractfile("README")
        assert member and member.read() == b"x"


def test_a_commit_that_is_gone_is_told(origin: Origin, found: Repository) -> None:
    with pytest.raises(RepositoryError, match="has no commit f{40} \\(any more\\)"):
        found.pin("", "", "f" * 40)


def test_attributes_leave_nothing_out(origin: Origin, found: Repository, tmp_path: Path) -> None:
    attributes = "tests export-ignore\nREADME export-subst\n"
    origin.commit({".gitattributes": attributes, "tests/test_a": "", "README": "$Format:%H$"})
    assert archived(found, "", tmp_path) == [".gitattributes", "README", "environments/geo/data", "tests/test_a"]
    with tarfile.open(tmp_path / "archive.tar") as content:
        member = content.extractfile("README")
        assert member and member.read() == b"$Format:%H$"


def test_hooks_and_filters_do_not_run(origin: Origin, found: Repository, tmp_path: Path) -> None:
    hook = tmp_path / "maps/.git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    origin.git("config", "filter.evil.smudge", f"touch {tmp_path}/ran")
    origin.commit({".gitattributes": "* filter=evil\n"})
    (tmp_path / "ran").unlink(missing_ok=True)
    archived(found, "", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_submodules_are_refused(origin: Origin, found: Repository, tmp_path: Path) -> None:
    Origin(tmp_path / "other").commit({"a": ""})
    origin.git("submodule", "--quiet", "add", str(tmp_path / "other"), "deep/other")
    origin.commit()
    with pytest.raises(RepositoryError, match=r"^\.\./maps has a submodule, deep/other, which is not fetched"):
        found.pin("", "", found.commit_of(""))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../../x", "link"])
def test_links_that_lead_out_are_refused(target: str, origin: Origin, found: Repository) -> None:
    (origin.directory / "environments/link").symlink_to(target)
    origin.commit()
    with pytest.raises(RepositoryError, match="has a link that leads out of it, environments/link"):
        found.pin("", "", found.commit_of(""))


def test_links_that_lead_out_by_others_are_refused(origin: Origin, found: Repository) -> None:
    (origin.directory / "top/deep").mkdir(parents=True)
    (origin.directory / "top/deep/up").symlink_to("../..")
    (origin.directory / "evil").symlink_to("top/deep/up/../etc/hostname")
    origin.commit()
    with pytest.raises(RepositoryError, match="has a link that leads out of it, evil"):
        found.pin("", "", found.commit_of(""))


def test_a_tree_that_fills_the_memory_is_refused(
    origin: Origin, found: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_LIST", 100)
    with pytest.raises(RepositoryError, match="is too large for an environment: it may have"):
        found.pin("", "", found.commit_of(""))


@pytest.mark.parametrize("change", [{"tree": "0" * 40}, {"kind": "conda"}, {"subdirectory": "environments"}])
def test_a_pin_that_is_not_what_its_commit_has(
    change: dict[str, str], origin: Origin, found: Repository, tmp_path: Path
) -> None:
    pin = replace(found.pin("", "", found.commit_of("")), **change)
    with pytest.raises(RepositoryError, match=r"what environments\.lock\.yml says is not what"):
        found.write_archive(pin, str(tmp_path / "archive.tar"))


def test_links_inside_are_kept(origin: Origin, found: Repository, tmp_path: Path) -> None:
    (origin.directory / "environments/link").symlink_to("../README")
    origin.commit()
    assert "environments/link" in archived(found, "", tmp_path)


def test_what_is_large_is_refused(origin: Origin, found: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    origin.commit({"data": "x" * 1_100_000})
    with pytest.raises(RepositoryError, match="is too large for an environment: 1 MB in 3 files; at most 1 MB"):
        found.pin("", "", found.commit_of(""))


def test_a_hook_of_git_does_not_lead_it_elsewhere(
    origin: Origin, found: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Origin(tmp_path / "fleet")
    other.commit({"a": ""})
    before = sorted(map(str, (other.directory / ".git").rglob("*")))
    monkeypatch.setenv("GIT_DIR", str(other.directory / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.directory / ".git/index"))
    assert found.pin("", "", found.commit_of("")).kind == "python"
    assert sorted(map(str, (other.directory / ".git").rglob("*"))) == before


def test_nobody_answers(tmp_path: Path) -> None:
    address = "https://ada:hunter2@127.0.0.1:9/maps.git"
    with pytest.raises(RepositoryError, match="cannot be read: fatal: ") as error:
        Repository(address, str(tmp_path), str(tmp_path)).commit_of("")
    assert "hunter2" not in str(error.value) and "127.0.0.1:9" in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c id",
        "https://example.org/x",
        "HTTPS://example.org/x",
        "git@example.org:a/b.git",
        "git@example.org:/srv/git/maps.git",
        "host:a",
        "host:/srv/maps",
    ],
)
def test_addresses(address: str) -> None:
    assert is_remote(address)


@pytest.mark.parametrize("address", ["../maps", "/srv/maps.git", "maps", "~/maps", "./a:b"])
def test_paths(address: str) -> None:
    assert not is_remote(address)


def test_programs_are_no_addresses(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="transport 'ext' not allowed"):
        Repository(f"ext::touch {tmp_path}/ran", str(tmp_path), str(tmp_path / "cache")).commit_of("")
    assert not (tmp_path / "ran").exists()
