# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins of staging hubs, and of all hubs."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import ImagePins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock, StagingPins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin, RepositoryKey
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.promotion import (
    Needs,
    promoted,
    renewed,
    staging_digest,
    without_unneeded,
)
from hypothesis import given
from hypothesis import strategies as st

DEBIAN = "docker.io/library/debian:12"


def pin(name: str, commit: str) -> Pin:
    """Return the pin of a repository at a commit, which is given by its first digit."""
    return Pin(name, "", "", commit * 40, commit * 40, "2026-11-30T09:15:00Z")


def pins(**commits: str) -> dict[RepositoryKey, Pin]:
    """Return the pins of repositories, by their names."""
    return {pin(name, commit).key: pin(name, commit) for name, commit in commits.items()}


MAPS, GEO = pins(maps="a"), pins(geo="a")
ALL = Needs({*MAPS, *GEO}, {DEBIAN})


def test_what_is_new_is_for_all_hubs() -> None:
    found = renewed(Lock(), MAPS, {DEBIAN: "1"}, ALL, ALL)
    assert found == Lock(MAPS, ImagePins({DEBIAN: "1"}))


def test_what_changed_is_for_staging_hubs_first() -> None:
    before = Lock({**MAPS, **GEO}, ImagePins({DEBIAN: "1"}))
    newest = pins(maps="b", geo="b")
    found = renewed(before, newest, {DEBIAN: "2"}, ALL, Needs(set(MAPS), {DEBIAN}))
    assert found.repositories == {**MAPS, **pins(geo="b")} and found.staging == StagingPins(
        pins(maps="b"), {DEBIAN: "2"}
    )
    assert found.of(staging=True).repositories == newest and found.of(staging=False) == found
    assert promoted(found, Needs(set(MAPS))).staging == StagingPins({}, {DEBIAN: "2"})
    assert promoted(found, ALL) == Lock(newest, ImagePins({DEBIAN: "2"}))


def test_what_is_not_read_stays() -> None:
    before = Lock(MAPS, ImagePins(), {}, StagingPins(pins(maps="b")))
    assert renewed(before, pins(maps="b"), {}, Needs(), Needs()) == before
    assert renewed(before, pins(maps="b"), {}, Needs(), ALL) == before


def test_automatic_promotion_is_for_all_hubs() -> None:
    before = Lock(MAPS, ImagePins(), {}, StagingPins(pins(maps="b")))
    assert renewed(before, pins(maps="b"), {}, ALL, Needs()) == Lock(pins(maps="b"))


def test_a_ref_that_went_back_is_no_longer_different_on_staging() -> None:
    before = Lock(MAPS, ImagePins(), {}, StagingPins(pins(maps="b")))
    assert renewed(before, MAPS, {}, ALL, ALL) == Lock(MAPS)


def test_what_no_staging_hub_needs_is_forgotten() -> None:
    before = Lock({**MAPS, **GEO}, ImagePins(), {}, StagingPins(pins(maps="b", geo="b")))
    assert without_unneeded(before, Needs(set(GEO))).staging == StagingPins(pins(geo="b"))


def test_a_digest_tells_whether_staging_hubs_have_something_else() -> None:
    lock = Lock(MAPS, ImagePins(), {}, StagingPins(pins(maps="b")))
    other = Lock(MAPS, ImagePins(), {}, StagingPins(pins(maps="c")))
    assert staging_digest(Lock(MAPS)) == "" and staging_digest(lock) != staging_digest(other)
    assert staging_digest(lock) == staging_digest(Lock({**MAPS, **GEO}, ImagePins(), {}, lock.staging))


COMMITS = st.dictionaries(st.sampled_from(("maps", "geo", "bio")), st.sampled_from("abc"))


@given(COMMITS, COMMITS, COMMITS)
def test_staging_hubs_have_what_was_found_and_the_others_what_they_had(
    everywhere: dict[str, str], staging: dict[str, str], found: dict[str, str]
) -> None:
    staging = {name: commit for name, commit in staging.items() if name in everywhere}
    before = Lock(pins(**everywhere), ImagePins(), {}, StagingPins(pins(**staging)))
    known = {**before.of(staging=True).repositories, **pins(**found)}
    after = renewed(before, known, {}, Needs(set(pins(**found))), Needs(set(known)))
    assert after.of(staging=True).repositories == known
    assert {key: after.repositories[key] for key in before.repositories} == before.repositories
    assert promoted(after, Needs(set(known))) == Lock(known)
