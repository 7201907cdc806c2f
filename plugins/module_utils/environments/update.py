# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which commits stay pinned, and which are looked up."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .pins import Pin, RepositoryKey
from .repository import Repository, RepositoryError

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
    directory: str,
    cache: str,
    newest: bool = False,
) -> Update:
    """Return the pins once every offered repository has one; reads those that have none, and forgets none.

    offered: the repositories of environments that hubs offer. directory, cache: as in Repository.
    newest: read the others as well, and pin their newest commits.
    """
    read = [key for key in offered if newest or key not in before]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = dict(zip(read, pool.map(lambda key: _newest(key, directory, cache), read)))
    found = {key: result for key, result in results.items() if isinstance(result, Pin)}
    return Update({**before, **found}, {key: str(result) for key, result in results.items() if key not in found})


def _newest(key: RepositoryKey, directory: str, cache: str) -> Pin | RepositoryError:
    address, ref, subdirectory = key
    repository = Repository(address, directory, cache)
    try:
        return repository.pin(ref, subdirectory, repository.commit_of(ref))
    except RepositoryError as error:
        return error
