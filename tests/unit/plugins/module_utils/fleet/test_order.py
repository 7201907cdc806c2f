# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hubs go on, in which order, and what failures of others stop."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CREATE,
    DRIFTED,
    ORPHANED,
    UNCHANGED,
    UPDATE,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.order import (
    gate,
    usual_waves,
    waves,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import PRODUCTION, STAGING
from hypothesis import given
from hypothesis import strategies as st


def change(hub: str, cluster: str, tier: str, action: str = UPDATE) -> dict[str, Any]:
    """Return what playbooks know of a hub."""
    return {"hub": hub, "cluster": cluster, "tier": tier, "url": "", "action": action, "reasons": []}


#: Two clusters with staging, one without.
FLEET = [
    change("a-staging", "a", STAGING),
    change("a-one", "a", PRODUCTION, CREATE),
    change("a-two", "a", PRODUCTION, DRIFTED),
    change("a-same", "a", PRODUCTION, UNCHANGED),
    change("b-staging", "b", STAGING),
    change("b-one", "b", PRODUCTION),
    change("c-one", "c", PRODUCTION),
    change("gone", "a", "", ORPHANED),
]


def test_staging() -> None:
    found = gate(STAGING, FLEET, [])
    assert (found.hubs, found.skipped, found.remarks) == (["a-staging", "b-staging"], {}, [])


def test_production() -> None:
    """What changes, in the order of the inventory; a cluster without staging says so."""
    found = gate(PRODUCTION, FLEET, [])
    assert found.hubs == ["a-one", "a-two", "b-one", "c-one"]
    assert found.remarks == ["c: no staging hub is part of this run; its production hubs go straight on"]


def test_failures_stay_inside_their_cluster() -> None:
    found = gate(PRODUCTION, FLEET, ["a-staging"])
    assert found.hubs == ["b-one", "c-one"]
    assert found.skipped == dict.fromkeys(["a-one", "a-two"], "staging hub a-staging of its cluster failed")


def test_one_of_several_staging_hubs_is_enough() -> None:
    fleet = [change("first", "a", STAGING), change("second", "a", STAGING, UNCHANGED), change("real", "a", PRODUCTION)]
    assert gate(PRODUCTION, fleet, ["first"]).hubs == []
    assert gate(PRODUCTION, fleet, []).hubs == ["real"]


def test_failed_production_hubs_stop_no_others() -> None:
    assert gate(PRODUCTION, FLEET, ["a-one", "c-one"]).hubs == ["a-two", "b-one"]


def test_staging_that_does_not_change_is_staging() -> None:
    fleet = [change("staging", "a", STAGING, UNCHANGED), change("real", "a", PRODUCTION)]
    assert gate(PRODUCTION, fleet, []).remarks == []


def test_limit_to_production_only() -> None:
    """Nobody asked for the staging hub; it is said that it is missing, once per cluster."""
    fleet = [each for each in FLEET if each["tier"] == PRODUCTION]
    found = gate(PRODUCTION, fleet, [])
    assert found.hubs == ["a-one", "a-two", "b-one", "c-one"]
    assert [remark.partition(":")[0] for remark in found.remarks] == ["a", "b", "c"]
    assert gate(STAGING, fleet, []).hubs == []


def test_nothing_is_said_of_clusters_where_nothing_changes() -> None:
    assert gate(PRODUCTION, [change("one", "c", PRODUCTION, UNCHANGED)], []).remarks == []


@pytest.mark.parametrize(("stage", "left"), [(STAGING, ["b-staging"]), (PRODUCTION, ["b-one", "c-one"])])
def test_broken_machine(stage: str, left: list[str]) -> None:
    """It stops both tiers of its cluster, and nothing else."""
    found = gate(stage, FLEET, [], broken_clusters={"a": "the disk is full"})
    assert found.hubs == left
    assert set(found.skipped.values()) == {"the machine of a could not be prepared: the disk is full"}


def test_hubs_that_failed_already() -> None:
    """For example without an environment: they are not deployed, and protect production as ever."""
    assert gate(STAGING, FLEET, ["a-staging"]).hubs == ["b-staging"]
    assert gate(STAGING, FLEET, ["a-staging"]).skipped == {}
    assert gate(PRODUCTION, FLEET, ["a-one"]).hubs == ["a-two", "b-one", "c-one"]


@pytest.mark.parametrize(
    ("failed", "allowed", "goes_on"),
    [
        (["c-one"], 0, False),
        (["c-one"], 1, True),
        (["c-one", "b-one"], 1, False),
        (["c-one", "b-one"], None, True),
        ([], 0, True),
    ],
)
def test_most_failures(failed: list[str], allowed: int | None, goes_on: bool) -> None:
    found = gate(PRODUCTION, FLEET, failed, failures_allowed=allowed)
    assert bool(found.hubs) == goes_on
    if not goes_on:
        assert (
            found.skipped["a-one"]
            == f"{len(failed)} hub{'s' * (len(failed) != 1)} failed, and deploy_max_failures is {allowed}"
        )


# --- Waves


@pytest.mark.parametrize(
    ("count", "sizes", "expected"),
    [
        (25, [1, "10%", "100%"], [1, 2, 22]),
        (5, [2], [2, 3]),
        (5, ["40%"], [2, 3]),
        (5, ["2", " 2 "], [2, 2, 1]),
        (5, [1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1]),
        (5, ["1%"], [1, 4]),
        (5, [100], [5]),
        (5, [], [5]),
        (0, [1, "10%"], []),
    ],
)
def test_waves(count: int, sizes: list[int | str], expected: list[int]) -> None:
    found = waves([f"hub{number}" for number in range(count)], sizes)
    assert [len(wave) for wave in found] == expected


@pytest.mark.parametrize(
    "size", ["", "0", "0%", 0, -1, "-1", "ten", "10 %", "%", "%10", 1.5, "1,5", None, True, "\u00b2", "\u0663"]
)
@pytest.mark.parametrize("before", [[], ["100%"]])
def test_bad_sizes(size: Any, before: list[str]) -> None:
    """Told even where no hub is left for it."""
    with pytest.raises(ValueError, match="is not a number of hubs, or a share such as 10%") as raised:
        waves(["alpha"], [*before, size])
    assert repr(size) in str(raised.value)


SIZES = st.one_of(st.integers(1, 300), st.integers(1, 300).map(str), st.integers(1, 200).map(lambda part: f"{part}%"))


@given(st.integers(0, 200), st.lists(SIZES, max_size=8))
def test_every_hub_is_in_exactly_one_wave(count: int, sizes: list[int | str]) -> None:
    """In the order that they came in, and no wave is empty."""
    hubs = [f"hub{number}" for number in range(count)]
    found = waves(hubs, sizes)
    assert [hub for wave in found for hub in wave] == hubs
    assert all(found)
    assert len(found) <= len(sizes) + 1


def test_usual_waves() -> None:
    """A few hubs go at once, many in waves of which the first is one hub."""
    few, many = [f"hub{number}" for number in range(20)], [f"hub{number}" for number in range(21)]
    assert waves(few, usual_waves(len(few))) == [few]
    assert [len(wave) for wave in waves(many, usual_waves(len(many)))] == [1, 2, 18]
