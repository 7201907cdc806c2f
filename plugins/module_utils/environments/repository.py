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
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..common.errors import HubfleetError
from ..redaction.places import without_credentials
from .conda import CondaEnvironment, read_environment
from .configuration_files import (
    DESCRIBING,
    FOLDERS,
    ConfigurationFiles,
    ContainerNeeded,
    ContentError,
    find_configuration_files,
)
from .pins import CONDA, LOCK_FILE, OBJECT_NAME, PYTHON, REPO2DOCKER, Pin

#: Seconds for one command of git.
TIMEOUT = 600
#: All files of an environment; data belongs elsewhere.
MAX_BYTES = 100_000_000
MAX_FILES = 20_000
#: Bytes of a file that describes an environment.
_MAX_TEXT = 1_000_000
#: Bytes of the list of its files.
_MAX_LIST = 16_000_000
#: Bytes of the target of a link; Linux has no longer paths.
_MAX_LINK = 4096
#: Names on the way of a link, so that links in a circle end.
_MAX_LINK_STEPS = 1000
_PROTOCOLS = "file:git:http:https:ssh"
_SUBMODULE, _LINK = "160000", "120000"
#: Set by hooks of git, among others: they would lead it to the repository of the fleet.
_OF_ANOTHER_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


class RepositoryError(HubfleetError):
    """A repository cannot be read, or holds no environment that can be built; a whole sentence."""


@dataclass(frozen=True)
class _File:
    """A file of a tree: its mode and size (bytes) as git tells them, and the name of its content."""

    mode: str
    name: str
    size: int


@dataclass(frozen=True)
class CommittedFile:
    """A file of a commit: its text, the commit, who made it, and when (UTC, such as 2026-11-30T09:15:00Z)."""

    text: str
    commit: str
    author: str
    date: str


class Repository:
    """A git repository.

    address: as it stands in the inventory. directory: what relative paths start from. cache: a private directory.
    """

    def __init__(self, address: str, directory: str, cache: str):
        self.address = without_credentials(address)
        local = os.path.abspath(os.path.join(directory, os.path.expanduser(address)))
        self._url = address if is_remote(address) else local
        self._path = os.path.join(cache, hashlib.sha256(self._url.encode()).hexdigest()[:16] + ".git")

    def commit_of(self, ref: str) -> str:
        """Return the commit that a branch, a tag or "" (the default branch) is at. Raises RepositoryError."""
        if OBJECT_NAME.fullmatch(ref):
            return ref
        wanted = [f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}"] if ref else ["HEAD"]
        listed = self._run(["ls-remote", "--", self._url, *wanted]).splitlines()
        found = {name: commit for commit, _tab, name in (line.partition("\t") for line in listed)}
        for name in wanted:
            if name in found:
                return found[name]
        if not ref:
            raise RepositoryError(f"{self.address} has no commits on its default branch; set ref to another branch")
        raise RepositoryError(
            f"{self.address} has no branch or tag {ref!r}; set ref to a branch, a tag or a whole commit"
        )

    def pin(self, ref: str, subdirectory: str, commit: str, on_machines: bool = True) -> Pin:
        """Return the pin of a commit. Raises RepositoryError where what it has cannot be built.

        on_machines: machines must be able to build it.
        """
        with self._fetched(commit):
            if self._git(["cat-file", "-t", commit]).strip() != "commit":
                raise RepositoryError(f"{self.address}: {commit} is no commit; set ref to a branch, a tag or a commit")
            tree = self._tree(commit, subdirectory)
            with self._examined():
                kind = self._kind(tree, on_machines)[0]
            date = self._show(commit, "%cd")
            return Pin(self.address, ref, subdirectory, commit, tree, date, kind)

    def write_archive(self, pin: Pin, path: str) -> None:
        """Write the files of a pin to a tar archive. Raises RepositoryError."""
        with self._fetched(pin.commit):
            self._pinned_files(pin)
            self._git(["archive", "--format=tar", f"--output={os.path.abspath(path)}", pin.tree])

    def read_file(self, commit: str, name: str, most: int) -> CommittedFile:
        """Return a file at the top of a commit. most: bytes that it may have. Raises RepositoryError."""
        with self._fetched(commit):
            # A branch may be at a tag.
            commit = self._git(["rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}"]).strip()
            listed = self._git(["ls-tree", "-l", "-z", commit, "--", name]).rstrip("\0")
            mode, _kind, blob, size = listed.partition("\t")[0].split() if listed else ("", "", "", "")
            if not mode.startswith("100"):
                raise RepositoryError(f"{self.address} has no file {name} at {commit[:12]}")
            if int(size) > most:
                raise RepositoryError(f"{self.address} has a {name} of more than {most} bytes")
            text = self._git(["cat-file", "blob", blob])
            author, _nul, date = self._show(commit, "%an%x00%cd").rpartition("\0")
        # Whoever commits may call himself anything.
        shown = "".join(character for character in author if character.isprintable())[:80]
        return CommittedFile(text, commit, shown or "unknown", date)

    def _show(self, commit: str, form: str) -> str:
        """Return what git tells of a commit, times in UTC. form: of ``git show``."""
        show = ["show", "--no-patch", "--no-show-signature", f"--format={form}", "--date=format-local:%FT%TZ"]
        return self._git([*show, commit]).strip()

    def conda_environment(self, pin: Pin) -> CondaEnvironment | None:
        """Return what conda installs for a pin, None if it is of another kind. Raises RepositoryError."""
        with self._fetched(pin.commit):
            return self._pinned_files(pin)

    def _pinned_files(self, pin: Pin) -> CondaEnvironment | None:
        """Check that a pin is what its commit has; return what its environment.yml asks for."""
        with self._examined():
            if self._tree(pin.commit, pin.subdirectory) == pin.tree:
                kind, environment = self._kind(pin.tree, pin.kind != REPO2DOCKER)
                if kind == pin.kind:
                    return environment
        raise RepositoryError(
            f"{self.address}: what {LOCK_FILE} says is not what {pin.short_commit} has; remove the entry, and run the"
            " playbook environments"
        )

    def _kind(self, tree: str, on_machines: bool) -> tuple[str, CondaEnvironment | None]:
        """Return what builds a tree, and what its environment.yml asks for. Raises ContentError."""
        try:
            found, environment = self._configuration_files(tree)
        except ContainerNeeded:
            if on_machines:
                raise
            for path, file in self._files(tree).items():
                if os.path.basename(path) in DESCRIBING and os.path.dirname(path) in ("", *FOLDERS):
                    self._require_readable(file, path)
            return REPO2DOCKER, None
        return CONDA if found.conda else PYTHON, environment

    def _tree(self, commit: str, subdirectory: str) -> str:
        place = f"{commit}:{subdirectory}" if subdirectory else f"{commit}^{{tree}}"
        try:
            tree = self._git(["rev-parse", "--verify", "--end-of-options", place]).strip()
        except RepositoryError:
            what = subdirectory or "files"
            raise RepositoryError(f"{self.address} has no {what} at {commit[:12]}") from None
        if self._git(["cat-file", "-t", tree]).strip() != "tree":
            raise RepositoryError(f"{self.address}: {subdirectory} is not a directory at {commit[:12]}")
        return tree

    @contextmanager
    def _examined(self) -> Iterator[None]:
        """Turn what is wrong with the content into a sentence about this repository."""
        try:
            yield
        except ContentError as error:
            raise RepositoryError(f"{self.address} {error}") from None

    def _configuration_files(self, tree: str) -> tuple[ConfigurationFiles, CondaEnvironment | None]:
        """Return what a tree is built from, and what its environment.yml asks for. Raises ContentError."""
        files = self._files(tree)
        links = {}
        for path, file in files.items():
            if file.mode == _SUBMODULE:
                raise ContentError(f"has a submodule, {path}, which is not fetched; add its files to the repository")
            if file.mode == _LINK:
                too_long = file.size > _MAX_LINK
                links[path] = "/" if too_long else self._git(["cat-file", "blob", file.name])
        for path in links:
            if leads_out(path, links):
                raise ContentError(f"has a link that leads out of it, {path}")
        found = find_configuration_files(files, lambda path: self._text(files[path], path))
        text = self._text(files[found.conda], found.conda) if found.conda else ""
        return found, read_environment(text, found.conda) if found.conda else None

    def _files(self, tree: str) -> dict[str, _File]:
        """Return path -> file of everything in a tree. Raises ContentError where that is too much."""
        found = {}
        # Trees may name one another so often that their list would fill the memory.
        listed = self._git(["ls-tree", "-r", "-l", "-z", tree], _MAX_LIST)
        for line in listed.split("\0"):
            about, _tab, path = line.partition("\t")
            if path:
                mode, _kind, name, size = about.split()
                found[path] = _File(mode, name, int(size) if size.isdigit() else 0)
        total = sum(file.size for file in found.values())
        if total > MAX_BYTES or len(found) > MAX_FILES:
            raise ContentError(
                f"is too large for an environment: {total // 1_000_000} MB in {len(found)} files; at most"
                f" {MAX_BYTES // 1_000_000} MB in {MAX_FILES} files"
            )
        return found

    def _require_readable(self, file: _File, path: str) -> None:
        if file.mode == _LINK or file.size > _MAX_TEXT:
            raise ContentError(f"has {path}, which is a link, or too long to describe an environment")

    def _text(self, file: _File, path: str) -> str:
        self._require_readable(file, path)
        return self._git(["cat-file", "blob", file.name])

    @contextmanager
    def _fetched(self, commit: str) -> Iterator[None]:
        """Fetch a commit unless it is there; other playbooks wait."""
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        with open(f"{self._path}.lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            attributes = os.path.join(self._path, "info", "attributes")
            if not os.path.exists(attributes):
                self._run(["init", "--quiet", "--bare", "--template=", self._path])
                os.makedirs(os.path.dirname(attributes), exist_ok=True)
                # Attributes in a repository could leave files out of archives, or change them.
                with open(attributes, "w", encoding="ascii") as file:
                    file.write("* -export-ignore -export-subst -text -filter -ident -working-tree-encoding\n")
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
        except RepositoryError:
            # Not every server gives out single commits.
            self._git([*fetch, "--", self._url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
            if not self._has(commit):
                raise RepositoryError(f"{self.address} has no commit {commit} (any more)") from None

    def _git(self, arguments: list[str], most: int | None = None) -> str:
        """Run git in the cache; see :meth:`_run`."""
        return self._run([f"--git-dir={self._path}", *arguments], most)

    def _run(self, arguments: list[str], most: int | None = None) -> str:
        """Run git, which asks nothing; it uses the credentials that the operator has configured.

        most: bytes of its output, which is otherwise of a moderate size. Raises ContentError where there are more.
        """
        inherited = {key: value for key, value in os.environ.items() if key not in _OF_ANOTHER_REPOSITORY}
        settings = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
            "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            "LC_ALL": "C",
            "TZ": "UTC",
        }
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "gc.auto=0"]
        command += ["-c", "transfer.fsckObjects=true"]
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            try:
                done = subprocess.run(
                    [*command, *arguments],
                    env={**inherited, **settings},
                    cwd="/",  # not the configuration of a repository that somebody works in
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    timeout=TIMEOUT,
                    check=False,
                    preexec_fn=(lambda: limit_size(most)) if most else None,
                )
            except FileNotFoundError:
                raise RepositoryError("git is not installed here; it reads the repositories of environments") from None
            except subprocess.TimeoutExpired:
                raise RepositoryError(f"{self.address} did not answer in {TIMEOUT} seconds") from None
            if most and output.seek(0, 2) >= most:
                raise ContentError(f"is too large for an environment: it may have {MAX_FILES} files")
            output.seek(0)
            if done.returncode == 0:
                return output.read().decode(errors="surrogateescape")
            errors.seek(0)
            said = _reason(errors.read(10_000).decode(errors="replace"))
        raise RepositoryError(f"{self.address} cannot be read: {without_credentials(said) or done.returncode}")


def limit_size(size: int) -> None:
    """Let this process write no larger files; for a child process before it starts."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def is_remote(address: str) -> bool:
    """Tell whether an address is a URL, or one of ssh such as git@example.org:team/maps.git; by git's own rule."""
    return ":" in address.partition("/")[0]


def leads_out(path: str, links: dict[str, str]) -> bool:
    """Tell whether a link leads out of the tree, itself or by others on its way. links: path -> target of all links."""
    parts: list[str] = []
    rest = path.split("/")
    for _step in range(_MAX_LINK_STEPS):
        if not rest:
            return False
        name = rest.pop(0)
        if name in ("", "."):
            continue
        if name == "..":
            if not parts:
                return True
            parts.pop()
            continue
        here = "/".join([*parts, name])
        if here not in links:
            parts.append(name)
        elif links[here].startswith("/"):
            return True
        else:
            rest = [*links[here].split("/"), *rest]
    return True


def _reason(said: str) -> str:
    """Return the line of git's errors that says why; that of ssh is before git's own."""
    lines = [line for line in said.splitlines() if line.strip()]
    index = next((place for place, line in enumerate(lines) if line.startswith(("fatal:", "ERROR:"))), len(lines) - 1)
    if index > 0 and "Could not read from remote repository" in lines[index]:
        index -= 1
    return lines[index].strip() if lines else ""
