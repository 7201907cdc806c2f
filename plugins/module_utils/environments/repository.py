# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read git repositories of environments on the controller, without a checkout: nothing of them is run.

Commits are fetched into bare repositories of a cache, without history, hooks, submodules or filters.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..redaction.places import without_credentials
from .conda import read_environment
from .pins import CONDA, PYTHON, Pin
from .recipe import Recipe, RepositoryError, examine

#: Seconds for one command of git.
TIMEOUT = 600
#: Bytes of all files of an environment; data belongs elsewhere.
MOST_BYTES = 100_000_000
MOST_FILES = 20_000
#: Bytes of a file that describes an environment.
_MOST_TEXT = 1_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PROTOCOLS = "file:git:http:https:ssh"
_SUBMODULE, _LINK = "160000", "120000"


@dataclass(frozen=True)
class _File:
    """A file of a tree: its mode and size (bytes) as git tells them, and the name of its content."""

    mode: str
    name: str
    size: int


class Repository:
    """A git repository.

    address: as it stands in the inventory. directory: what relative paths start from. cache: a private directory.
    """

    def __init__(self, address: str, directory: str, cache: str):
        self.address = address
        local = os.path.abspath(os.path.join(directory, os.path.expanduser(address)))
        self._url = address if is_remote(address) else local
        self._path = os.path.join(cache, hashlib.sha256(self._url.encode()).hexdigest()[:16] + ".git")

    def commit_of(self, ref: str) -> str:
        """Return the commit that a branch, a tag or "" (the default branch) is at. Raises RepositoryError."""
        if _COMMIT.fullmatch(ref):
            return ref
        wanted = [f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}"] if ref else ["HEAD"]
        listed = self._git(["ls-remote", "--", self._url, *wanted]).splitlines()
        found = {name: commit for commit, _tab, name in (line.partition("\t") for line in listed)}
        for name in wanted:
            if name in found:
                return found[name]
        raise RepositoryError(f"{self._shown} has no branch or tag {ref!r}" if ref else f"{self._shown} is empty")

    def pin(self, ref: str, subdirectory: str, commit: str) -> Pin:
        """Return the pin of a commit. Raises RepositoryError where a machine cannot build what it has."""
        with self._having(commit):
            place = f"{commit}:{subdirectory}" if subdirectory else f"{commit}^{{tree}}"
            tree = self._tree(place, commit, subdirectory)
            recipe = self._recipe(tree)
            date = self._git(
                ["show", "--no-patch", "--no-show-signature", "--format=%cd", "--date=format-local:%FT%TZ", commit]
            )
            kind = CONDA if recipe.conda else PYTHON
            return Pin(self.address, ref, subdirectory, commit, tree, date.strip(), kind)

    def write_archive(self, pin: Pin, path: str) -> None:
        """Write the files of a pin to a tar archive. Raises RepositoryError."""
        with self._having(pin.commit):
            self._check(self._files(pin.tree))
            self._git(["archive", "--format=tar", f"--output={path}", pin.tree])

    def conda_environment(self, pin: Pin) -> dict[str, list[str]]:
        """Return what conda installs for a pin of that kind: channels, specs and pip. Raises RepositoryError."""
        with self._having(pin.commit):
            files = self._files(pin.tree)
            path = examine(files, lambda path: self._text(files[path], path)).conda
            return read_environment(self._text(files[path], path), path)

    @property
    def _shown(self) -> str:
        return without_credentials(self.address)

    def _tree(self, place: str, commit: str, subdirectory: str) -> str:
        try:
            tree = self._git(["rev-parse", "--verify", "--end-of-options", place]).strip()
        except RepositoryError:
            raise RepositoryError(f"{self._shown} has no {subdirectory} at {commit[:12]}") from None
        if self._git(["cat-file", "-t", tree]).strip() != "tree":
            raise RepositoryError(f"{self._shown}: {subdirectory} is not a directory at {commit[:12]}")
        return tree

    def _recipe(self, tree: str) -> Recipe:
        files = self._files(tree)
        try:
            self._check(files)
            recipe = examine(files, lambda path: self._text(files[path], path))
            if recipe.conda:
                read_environment(self._text(files[recipe.conda], recipe.conda), recipe.conda)
            return recipe
        except RepositoryError as error:
            raise RepositoryError(f"{self._shown} {error}") from None

    def _check(self, files: dict[str, _File]) -> None:
        """Refuse what is more than files of a moderate size, and links that lead elsewhere. Raises RepositoryError."""
        _check_size(files)
        for path, file in files.items():
            if file.mode == _SUBMODULE:
                raise RepositoryError(f"has a submodule, {path}, which is not fetched; add its files to the repository")
            if file.mode == _LINK:
                target = self._git(["cat-file", "blob", file.name])
                inside = os.path.normpath(os.path.join(os.path.dirname(path), target))
                if os.path.isabs(target) or inside.split("/")[0] == "..":
                    raise RepositoryError(f"has a link that leads out of it, {path}")

    def _files(self, tree: str) -> dict[str, _File]:
        """Return path -> file of everything in a tree."""
        found = {}
        for line in self._git(["ls-tree", "-r", "-l", "-z", tree]).split("\0"):
            about, _tab, path = line.partition("\t")
            if path:
                mode, _kind, name, size = about.split()
                found[path] = _File(mode, name, int(size) if size.isdigit() else 0)
        return found

    def _text(self, file: _File, path: str) -> str:
        if file.mode == _LINK or file.size > _MOST_TEXT:
            raise RepositoryError(f"has {path}, which is a link, or too long to describe an environment")
        return self._git(["cat-file", "blob", file.name])

    @contextmanager
    def _having(self, commit: str) -> Iterator[None]:
        """Fetch a commit unless it is there; other playbooks wait."""
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        with open(f"{self._path}.lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.isdir(os.path.join(self._path, "info")):
                self._run(["init", "--quiet", "--bare", "--template=", self._path])
                os.makedirs(os.path.join(self._path, "info"), exist_ok=True)
                # Attributes in a repository could leave files out of archives, or change them.
                with open(os.path.join(self._path, "info", "attributes"), "w", encoding="ascii") as attributes:
                    attributes.write("* -export-ignore -export-subst -text -filter -ident -working-tree-encoding\n")
            if not self._has(commit):
                self._fetch(commit)
            yield

    def _has(self, commit: str) -> bool:
        try:
            self._git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}"])
        except RepositoryError:
            return False
        return True

    def _fetch(self, commit: str) -> None:
        fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]
        try:
            self._git([*fetch, "--depth=1", "--", self._url, commit])
        except RepositoryError as first:
            # Not every server gives out single commits.
            self._git([*fetch, "--", self._url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
            if not self._has(commit):
                raise RepositoryError(f"{self._shown} has no commit {commit} (any more): {first}") from None

    def _git(self, arguments: list[str]) -> str:
        return self._run(["-C", self._path, *arguments] if os.path.isdir(self._path) else arguments)

    def _run(self, arguments: list[str]) -> str:
        """Run git, which asks nothing; it uses the credentials that the operator has configured."""
        settings = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
            "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            "GIT_LFS_SKIP_SMUDGE": "1",
            "LC_ALL": "C",
            "TZ": "UTC",
        }
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "core.quotePath=false"]
        command += ["-c", "gc.auto=0", "-c", "transfer.fsckObjects=true"]
        try:
            done = subprocess.run(
                [*command, *arguments],
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except FileNotFoundError:
            raise RepositoryError("git is not installed here; it reads the repositories of environments") from None
        except subprocess.TimeoutExpired:
            raise RepositoryError(f"{self._shown} did not answer in {TIMEOUT} seconds") from None
        if done.returncode:
            lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
            said = next((line for line in lines if line.startswith(("fatal:", "ERROR:"))), lines[-1] if lines else "")
            raise RepositoryError(f"{self._shown} cannot be read: {without_credentials(said) or done.returncode}")
        return done.stdout.decode(errors="surrogateescape")


def is_remote(address: str) -> bool:
    """Tell whether an address is a URL, or one of ssh such as git@example.org:team/environment.git."""
    return bool(re.match(r"[a-z][a-z0-9+.-]*://|[^/:]+@?[^/:]+:(?!/)", address))


def _check_size(files: dict[str, _File]) -> None:
    size = sum(file.size for file in files.values())
    if size > MOST_BYTES or len(files) > MOST_FILES:
        what = f"{size // 1_000_000} MB in {len(files)} files"
        raise RepositoryError(
            f"is too large for an environment: {what}; at most {MOST_BYTES // 1_000_000} MB in {MOST_FILES} files"
        )
