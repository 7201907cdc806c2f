# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which pins are for all hubs, and which for staging hubs only, until they are promoted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from ..common.digests import digest
from .images.pins import ImagePins
from .lock import Lock, StagingPins
from .pins import Pin, RepositoryKey

Key = TypeVar("Key")
Value = TypeVar("Value")

#: When production hubs get what staging hubs have: with the same change to the lock file, since a deploy begins with
#: staging hubs; or with a later one, which somebody decides on.
PROMOTIONS = AUTOMATIC, PULL_REQUEST = ("automatic", "pull-request")


@dataclass(frozen=True)
class Needs:
    """What hubs need pins of: repositories, and base images by their addresses."""

    repositories: Set[RepositoryKey] = frozenset()
    bases: Set[str] = frozenset()


def renewed(
    lock: Lock, pins: Mapping[RepositoryKey, Pin], bases: Mapping[str, str], read: Needs, first_on_staging: Needs
) -> Lock:
    """Return a lock file with the pins that were found.

    pins, bases: those of staging hubs, of which ``read`` were looked up anew.
    first_on_staging: what staging hubs get before others; what nobody had before is for all hubs at once.
    """
    repositories, of_staging = _divided(
        lock.repositories, lock.staging.repositories, pins, read.repositories, first_on_staging.repositories
    )
    found, bases_of_staging = _divided(lock.images.bases, lock.staging.bases, bases, read.bases, first_on_staging.bases)
    staging = StagingPins(of_staging, bases_of_staging)
    return replace(lock, repositories=repositories, images=ImagePins(found, lock.images.images), staging=staging)


def promoted(lock: Lock, chosen: Needs) -> Lock:
    """Return a lock file in which all hubs have the chosen pins of staging hubs."""
    pins = {key: pin for key, pin in lock.staging.repositories.items() if key in chosen.repositories}
    bases = {key: base for key, base in lock.staging.bases.items() if key in chosen.bases}
    staging = StagingPins(_without(lock.staging.repositories, pins), _without(lock.staging.bases, bases))
    images = ImagePins({**lock.images.bases, **bases}, lock.images.images)
    return replace(lock, repositories={**lock.repositories, **pins}, images=images, staging=staging)


def without_unneeded(lock: Lock, needed: Needs) -> Lock:
    """Return a lock file without what no staging hub needs any more."""
    repositories = {key: pin for key, pin in lock.staging.repositories.items() if key in needed.repositories}
    bases = {key: base for key, base in lock.staging.bases.items() if key in needed.bases}
    return replace(lock, staging=StagingPins(repositories, bases))


def staging_digest(lock: Lock) -> str:
    """Return a digest of what only staging hubs have, "" if that is nothing."""
    pins = [asdict(lock.staging.repositories[key]) for key in sorted(lock.staging.repositories)]
    return digest([pins, lock.staging.bases]) if lock.staging != StagingPins() else ""


def _divided(
    everywhere: Mapping[Key, Value],
    staging: Mapping[Key, Value],
    found: Mapping[Key, Value],
    read: Collection[Key],
    first_on_staging: Collection[Key],
) -> tuple[dict[Key, Value], dict[Key, Value]]:
    after, after_staging = dict(everywhere), dict(staging)
    for key, value in found.items():
        if key in everywhere and key not in read and value == staging.get(key, everywhere[key]):
            continue
        if key in everywhere and key in first_on_staging and value != everywhere[key]:
            after_staging[key] = value
        else:
            after[key] = value
            after_staging.pop(key, None)
    return after, after_staging


def _without(pins: Mapping[Key, Value], removed: Collection[Key]) -> dict[Key, Value]:
    return {key: value for key, value in pins.items() if key not in removed}
