# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the inventory as it was at a git revision, without touching the checkout."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible import constants as C
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import read_inventory


@contextmanager
def inventory_at(revision: str, task_vars: Mapping[str, Any], loader: Any) -> Iterator[FleetInput]:
    """Yield the inventory at ``revision``; its files exist within the context only.

    task_vars, loader: of the running task, for the place of the inventory and the vault passwords.
    Encrypted values stay encrypted: they can be compared, and nothing else.
    Raises PlatformError where there is no such revision, or no git.
    """
    sources = [os.path.realpath(str(source)) for source in task_vars.get("ansible_inventory_sources") or ()]
    if not sources:
        raise PlatformError("the inventory is not in files, so a git revision of it cannot be read")
    top = _git(["rev-parse", "--show-toplevel"], sources[0]).strip()
    commit = _commit(revision, top)
    with tempfile.TemporaryDirectory(prefix="hubfleet-revision-") as private:
        # Files beside an inventory at the top of the repository must be its own as well.
        directory = os.path.join(private, "top")
        os.mkdir(directory)
        archive = _git_bytes(["archive", "--format=tar", commit], top)
        with tarfile.open(fileobj=io.BytesIO(archive)) as content:
            _unpack(content, directory)
        there = [os.path.join(directory, os.path.relpath(source, top)) for source in sources]
        missing = [source for source in there if not os.path.exists(source)]
        if len(missing) == len(there):
            raise PlatformError(f"{revision} has no {os.path.relpath(missing[0], directory)}")
        base = os.path.realpath(loader.get_basedir())
        if os.path.commonpath([base, top]) == top:
            base = os.path.join(directory, os.path.relpath(base, top))
        yield _read([source for source in there if source not in missing], base, loader)


def _unpack(content: tarfile.TarFile, directory: str) -> None:
    """Unpack an archive of git; links that lead outside are refused by Pythons that can check it."""
    if hasattr(tarfile, "tar_filter"):
        content.extractall(directory, filter="tar")
    else:  # Python before 3.11.4
        content.extractall(directory)


def revision_of(path: str) -> str:
    """Return the git revision that a directory is at, with ``-dirty`` where it was changed since; "" outside of git."""
    try:
        return _git(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], path).strip()
    except PlatformError:
        return ""


def _commit(revision: str, top: str) -> str:
    try:
        return _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], top).strip()
    except PlatformError:
        raise PlatformError(f"there is no git revision {revision!r} in {top}; fetch it first") from None


def _read(sources: list[str], base: str, loader: Any) -> FleetInput:
    """Read an inventory as ansible-playbook does, with the extra variables of the command line on top.

    base: the directory of the playbook, whose group_vars and host_vars are read as well.
    """
    own = DataLoader()
    own.set_basedir(base)
    own.set_vault_secrets(loader._vault.secrets)
    with _dashes_in_group_names():
        inventory = InventoryManager(own, sources)
    variables = VariableManager(own, inventory)
    hostvars = HostVars(inventory, variables, own)
    variables._hostvars = hostvars
    groups = {name: [host.name for host in group.get_hosts()] for name, group in inventory.groups.items()}
    found = {"groups": groups, "hostvars": hostvars, "ansible_inventory_sources": sources}
    return read_inventory(found, keep_encrypted=True)


@contextmanager
def _dashes_in_group_names() -> Iterator[None]:
    """Let clusters have dashes in their names: Ansible has said what its configuration makes it say about that."""
    before = C.TRANSFORM_INVALID_GROUP_CHARS
    C.set_constant("TRANSFORM_INVALID_GROUP_CHARS", "ignore")
    try:
        yield
    finally:
        C.set_constant("TRANSFORM_INVALID_GROUP_CHARS", before)


def _git(arguments: list[str], place: str) -> str:
    return _git_bytes(arguments, place).decode(errors="replace")


def _git_bytes(arguments: list[str], place: str) -> bytes:
    directory = place if os.path.isdir(place) else os.path.dirname(place)
    # Checkouts of other accounts, as in CI containers, can be read, too.
    command = ["git", "-c", "safe.directory=*", "-C", directory, *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise PlatformError("git is not installed here") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise PlatformError(f"git {arguments[0]} failed in {directory}: {said[-1] if said else error}") from None
