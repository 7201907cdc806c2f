# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a difference between inventory and machine means: an update, or something else changed the hub."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import DRIFTED, UNCHANGED, UPDATE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import (
    ObservedHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
    REPLACED,
    Record,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.diffs import diff_of, texts
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    as_deployed,
    desired,
    hub_of,
)

HUB = desired(hub_of())
OTHER = desired(hub_of(hub_title="Other"))
ENDED = pytest.mark.parametrize("result", [APPLIED, CHECKED, FAILED])

#: Something changed the hub: what it is now, and how that is told.
TAMPERED: list[tuple[dict[str, Any], str]] = [
    ({"files": {"hub.json": "edited"}}, "configuration"),
    ({"files": {"secrets.json": "edited"}}, "secrets"),
    ({"files": {"extra.py": "edited"}}, "hub_jupyterhub_config"),
    ({"files": {"templates/own.html": "added"}}, "templates or logo"),
    ({"secrets": frozenset()}, "generated secrets"),
    ({"healthy": False}, "does not answer"),
    ({"services": {"proxy": Running()}}, "proxy not running"),
    ({"services": {"culler": Running(100, "another")}}, "culler to restart"),
]


def deployed(hub: DesiredHub, result: str = CHECKED) -> ObservedHub:
    """Return a hub right after a deploy that was written down."""
    live = as_deployed(hub)
    record = Record(
        3, "2026-11-24T08:15:00Z", "ada@desk", "0.2.0", "", hub.fingerprint, dict(live.files), result=result
    )
    return replace(live, record=record)


def tampered(live: ObservedHub, difference: dict[str, Any]) -> ObservedHub:
    """Return a hub that something changed; mappings are added to."""
    return replace(
        live,
        **{
            key: {**getattr(live, key), **value} if isinstance(value, dict) else value
            for key, value in difference.items()
        },
    )


@pytest.mark.parametrize("result", [APPLIED, CHECKED])
def test_unchanged(result: str) -> None:
    change = diff_of(HUB, deployed(HUB, result), [])
    assert (change.action, texts(change)) == (UNCHANGED, [])
    assert (change.desired, change.live) == (HUB.fingerprint, deployed(HUB, result).fingerprint)


@ENDED
@pytest.mark.parametrize(("difference", "reason"), TAMPERED)
def test_drifted(difference: dict[str, Any], reason: str, result: str) -> None:
    """The inventory is what was deployed, and the hub is not."""
    change = diff_of(HUB, tampered(deployed(HUB, result), difference), [])
    assert (change.action, texts(change)) == (DRIFTED, [reason])


def test_builds_that_vanished_are_drift() -> None:
    change = diff_of(HUB, deployed(HUB), ["python"])
    assert (change.action, texts(change)) == (DRIFTED, ["python to build"])


@ENDED
def test_update(result: str) -> None:
    """The inventory says something new; nothing but a deploy has touched the hub."""
    change = diff_of(OTHER, deployed(HUB, result), [])
    assert change.action == UPDATE
    assert texts(change) == ["configuration", "hub to restart"]


@ENDED
def test_update_of_what_was_changed_on_the_machine(result: str) -> None:
    """Files that no deploy wrote will be overwritten: whoever wrote them wants to know."""
    live = tampered(deployed(HUB, result), {"files": {"extra.py": "edited"}})
    change = diff_of(OTHER, live, [])
    assert change.action == UPDATE
    assert texts(change) == ["configuration", "hub_jupyterhub_config", "hub to restart", "changed on the machine, too"]


def test_services_alone_are_no_change_on_the_machine() -> None:
    live = tampered(deployed(HUB), {"services": {"proxy": Running()}})
    assert "changed on the machine, too" not in texts(diff_of(OTHER, live, []))


@pytest.mark.parametrize("wanted", [HUB, OTHER], ids=["the same", "another"])
@pytest.mark.parametrize(("difference", "reason"), TAMPERED)
def test_interrupted_deploy_is_no_drift(difference: dict[str, Any], reason: str, wanted: DesiredHub) -> None:
    """It is known why the hub is neither this nor that."""
    change = diff_of(wanted, tampered(deployed(HUB, APPLYING), difference), [])
    assert change.action == UPDATE
    assert "changed on the machine, too" not in texts(change)
    assert reason in texts(change) or (wanted is OTHER and reason == "does not answer")


@pytest.mark.parametrize(("difference", "reason"), TAMPERED)
def test_without_a_record(difference: dict[str, Any], reason: str) -> None:
    """Nobody can tell what was deployed: an older release did not write it down."""
    change = diff_of(HUB, tampered(as_deployed(HUB), difference), [])
    assert (change.action, texts(change)) == (UPDATE, [reason])


def test_not_checked_is_no_drift() -> None:
    """The deploy was whole, only its check is missing, or failed."""
    change = diff_of(HUB, replace(deployed(HUB, FAILED), checked=""), [])
    assert (change.action, texts(change)) == (UPDATE, ["not checked"])


def test_after_a_rollback() -> None:
    """The inventory still says what was left again: the next deploy would try that once more."""
    back = deployed(HUB, APPLIED)
    assert back.record is not None
    live = replace(back, record=replace(back.record, back_to=1))
    assert diff_of(OTHER, live, []).action == UPDATE
    assert diff_of(HUB, live, []).action == UNCHANGED


def test_replaced_is_deployed_to_the_end() -> None:
    assert diff_of(HUB, tampered(deployed(HUB, REPLACED), {"healthy": False}), []).action == DRIFTED


# --- Fingerprints of what is: another one whenever a kept plan must not be deployed any more


@pytest.mark.parametrize("difference", [each for each, _reason in TAMPERED if not {"healthy", "services"} & set(each)])
def test_fingerprint_tells_changes(difference: dict[str, Any]) -> None:
    assert tampered(deployed(HUB), difference).fingerprint != deployed(HUB).fingerprint


def test_fingerprint_tells_deploys() -> None:
    """Also one that made the hub what it was already."""
    live = deployed(HUB)
    assert live.record is not None
    again = replace(live, record=replace(live.record, number=4))
    assert again.fingerprint != live.fingerprint


def test_fingerprint_of_the_same() -> None:
    """Neither a check nor another process is a change."""
    live = deployed(HUB, APPLIED)
    checked = deployed(HUB, CHECKED)
    other = replace(checked, services={role: Running(200, state.digest) for role, state in live.services.items()})
    assert other.fingerprint == live.fingerprint
    assert ObservedHub().fingerprint == ""
