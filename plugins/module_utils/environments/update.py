# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which commits stay pinned, and which are looked up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ..common.errors import HubfleetError
from .admin_file import ADMIN_FILE, LARGEST, AdminFileError, AdminKey, AdminPin, read_admin_file
from .pins import REPO2DOCKER, Pin, RepositoryKey
from .repository import Repository, RepositoryError

Key = TypeVar("Key")
Found = TypeVar("Found")

#: Repositories that are read at the same time.
_AT_ONCE = 8


@dataclass
class Update:
    """The pins of a fleet, and what is wrong with repositories that could not be pinned."""

    pins: dict[RepositoryKey, Pin]
    problems: dict[RepositoryKey, str] = field(default_factory=dict)


def update_pins(
    before: dict[RepositoryKey, Pin],
    offered: Collection[RepositoryKey],
    on_machines: Collection[RepositoryKey],
    directory: str,
    cache: str,
    newest: bool = False,
) -> Update:
    """Return the pins once every offered repository has one; reads those that have none that fits, and forgets none.

    offered: the repositories of environments that hubs offer. on_machines: those that machines must be able to build.
    directory, cache: as in Repository.
    newest: read the others as well, and pin their newest commits.
    """
    # A machine may offer now what so far only needed to become an image.
    unfit = {key for key in on_machines if key in before and before[key].kind == REPO2DOCKER}
    read = [key for key in offered if newest or key not in before or key in unfit]
    found, problems = _read(read, lambda key: _newest(key, key in on_machines, directory, cache))
    return Update({**before, **found}, problems)


def read_admin_files(
    keys: Collection[AdminKey], directory: str, cache: str
) -> tuple[dict[AdminKey, AdminPin], dict[AdminKey, str]]:
    """Return what hub.yml says at the newest commits of refs, and what is wrong with those that cannot be used.

    directory, cache: as in Repository.
    """
    return _read(keys, lambda key: _admin_file(key, directory, cache))


def _read(
    keys: Collection[Key], read: Callable[[Key], Found | HubfleetError]
) -> tuple[dict[Key, Found], dict[Key, str]]:
    """Read several repositories at the same time; return what was found, and why the others could not be used."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = dict(zip(keys, pool.map(read, keys)))
    found = {key: result for key, result in results.items() if not isinstance(result, HubfleetError)}
    return found, {key: str(result) for key, result in results.items() if isinstance(result, HubfleetError)}


def _admin_file(key: AdminKey, directory: str, cache: str) -> AdminPin | HubfleetError:
    address, ref = key
    repository = Repository(address, directory, cache)
    try:
        file = repository.read_file(repository.commit_of(ref), ADMIN_FILE, LARGEST)
    except RepositoryError as error:
        return error
    try:
        return AdminPin(address, ref, file.commit, file.date, file.author, read_admin_file(file.text))
    except AdminFileError as error:
        return AdminFileError(f"{repository.address}, commit {file.commit[:12]} by {file.author}: {error}")


def _newest(key: RepositoryKey, on_machines: bool, directory: str, cache: str) -> Pin | RepositoryError:
    address, ref, subdirectory = key
    repository = Repository(address, directory, cache)
    try:
        return repository.pin(ref, subdirectory, repository.commit_of(ref), on_machines)
    except RepositoryError as error:
        return error
