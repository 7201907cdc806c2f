# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every platform must do."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CONFIGURATION,
    CREATE,
    DRIFTED,
    NEW,
    UNCHANGED,
    UPDATE,
    HubDiff,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import GOOD
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    Platform,
    PlatformError,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems
from contract_inventory import SECRET, inventory_of
from harnesses import Harness, other_owner

#: More than any process has (proc(5), pid_max).
NO_PID = 2**22 + 1


def made(harness: Harness, *hubs: str, **variables: Any) -> tuple[Platform, list[Hub]]:
    """Return the platform of a cluster with hubs."""
    inventory, found = inventory_of(harness.options, *hubs, **variables)
    return harness.platform(found[0].cluster, inventory), found


def diff_of(platform: Platform, hub: Hub) -> HubDiff:
    state = platform.observe([hub])
    return platform.diff(hub, platform.desired(hub, state.facts), state)


def deployed(harness: Harness, **variables: Any) -> tuple[Platform, Hub]:
    """Return a platform whose only hub was deployed."""
    platform, (hub,) = made(harness, **variables)
    harness.deploy(platform, hub)
    return platform, hub


def me() -> LockOwner:
    return LockOwner.of_process(os.getpid(), "ada@desk", "2026-11-24 09:00 UTC")


# --- Reading


def test_nothing_is_read_before_it_has_to_be(harness: Harness) -> None:
    platform, hubs = made(harness)
    platform.validate(hubs, Problems())
    platform.describe(hubs[0]).show()
    assert harness.reads == 0


def test_one_read_tells_all(harness: Harness) -> None:
    platform, hubs = made(harness, "alpha", "beta")
    state = platform.observe(hubs)
    for hub in hubs:
        platform.diff(hub, platform.desired(hub, state.facts), state)
    platform.notices(state)
    assert harness.reads == 1
    assert list(state.hubs) == ["alpha", "beta"]


def test_nothing_is_kept(harness: Harness) -> None:
    platform, (hub,) = made(harness)
    before = platform.observe([hub])
    harness.deploy(platform, hub)
    after = platform.observe([hub])
    assert (before.hubs["alpha"].fingerprint, before.prerequisites != []) == ("", harness.builds)
    assert after.hubs["alpha"].fingerprint and after.prerequisites == []


def test_facts_are_handed_on(harness: Harness) -> None:
    platform, (hub,) = made(harness)
    state, facts = platform.observe([hub]), platform.facts([hub])
    assert facts == state.facts
    assert facts.identity and isinstance(facts.playbook_variables(), dict)
    text = json.dumps(facts.as_dict())
    handed = platform.facts_from_dict(json.loads(text))
    reads = harness.reads
    found = platform.diff(hub, platform.desired(hub, handed), state)
    assert (found, harness.reads) == (platform.diff(hub, platform.desired(hub, facts), state), reads)


def test_orphans(harness: Harness) -> None:
    """Hubs that the inventory has, but nobody asked about, are none."""
    platform, hubs = made(harness, "alpha", "beta", "gamma")
    for hub in hubs:
        harness.deploy(platform, hub)
    platform, hubs = made(harness, "alpha", "beta")
    state = platform.observe(hubs[:1])
    assert (list(state.hubs), state.orphans) == (["alpha"], ["gamma"])


def test_prerequisites(harness: Harness) -> None:
    platform, hubs = made(harness, "alpha", "beta")
    found = platform.observe(hubs).prerequisites
    assert bool(found) == harness.builds
    assert all(each.hubs and set(each.hubs) <= {"alpha", "beta"} for each in found)
    assert all(each.name and each.directory for each in found)


def test_blockers(harness: Harness) -> None:
    platform, (hub,) = made(harness)
    assert platform.observe([hub]).blockers == []
    with harness.block(hub):
        (blocker,) = platform.observe([hub]).blockers
    code, words = harness.blocked
    assert blocker.code == code
    assert (blocker.problem.hubs, words in blocker.problem.line()) == (["alpha"], True)


def test_notices(harness: Harness) -> None:
    platform, hubs = made(harness)
    found = platform.notices(platform.observe(hubs))
    assert found and all("machine" in notice.text for notice in found)


# --- Comparing


def test_new(harness: Harness) -> None:
    platform, (hub,) = made(harness)
    found = diff_of(platform, hub)
    assert (found.hub, found.action, found.reasons[0].code, found.before) == ("alpha", CREATE, NEW, "")
    assert found.after and found.desired and found.live == ""


def test_unchanged(harness: Harness) -> None:
    platform, hub = deployed(harness)
    found = diff_of(platform, hub)
    assert (found.action, found.reasons, found.before) == (UNCHANGED, [], found.after)
    assert found.live == platform.observe([hub]).hubs["alpha"].fingerprint != ""


def test_changed(harness: Harness) -> None:
    platform, hub = deployed(harness)
    before = diff_of(platform, hub)
    platform, (hub,) = made(harness, hub_title="Another")
    found = diff_of(platform, hub)
    assert (found.action, CONFIGURATION in {reason.code for reason in found.reasons}) == (UPDATE, True)
    assert "Another" in found.after
    assert found.before and "Another" not in found.before
    assert found.desired != before.desired and found.live == before.live


def test_edited(harness: Harness) -> None:
    platform, hub = deployed(harness)
    before = diff_of(platform, hub)
    harness.edit("alpha")
    found = diff_of(platform, hub)
    assert (found.action, "Edited" in found.before, "Edited" in found.after) == (DRIFTED, True, False)
    assert found.desired == before.desired and found.live != before.live


def test_reasons(harness: Harness) -> None:
    """A code is for programs, a text for people."""
    platform, hub = deployed(harness)
    platform, (hub,) = made(harness, hub_title="Another", hub_allowed_users=["eve"])
    for reason in diff_of(platform, hub).reasons:
        assert reason.text and reason.code and not set(reason.code) & set(" _"), reason


def test_secrets_are_masked(harness: Harness) -> None:
    """Also those of before, of which nobody knows any more that they were secret."""
    platform, (hub,) = made(harness, hub_environment_variables={"TOKEN": SECRET})
    assert SECRET not in diff_of(platform, hub).after
    platform, hub = deployed(harness, hub_environment_variables={"TOKEN": "the-one-before"})
    platform, (hub,) = made(harness, hub_environment_variables={"TOKEN": SECRET})
    found = diff_of(platform, hub)
    assert found.action == UPDATE
    for text in (found.before, found.after, str(found.reasons)):
        assert SECRET not in text and "the-one-before" not in text
    assert SECRET not in platform.describe(hub).show()


def test_snapshots(harness: Harness) -> None:
    """The inventory alone decides what is described."""
    platform, (hub,) = made(harness)
    before = platform.describe(hub)
    harness.deploy(platform, hub)
    assert platform.describe(hub).fingerprint == before.fingerprint
    platform, (hub,) = made(harness, hub_title="Another")
    after = platform.describe(hub)
    assert after.fingerprint != before.fingerprint and set(after.parts) == set(before.parts)
    assert "Another" in after.show()


# --- What was deployed, and whether it works


def test_revisions(harness: Harness) -> None:
    platform, hub = deployed(harness)
    platform, (hub,) = made(harness, hub_title="Another")
    harness.deploy(platform, hub)
    found = platform.revisions(["alpha", "unknown"])
    assert [revision.number for revision in found["alpha"]] == [2, 1]
    assert (found["alpha"][0].result in GOOD, found["unknown"]) == (True, [])
    assert platform.last_backups(["alpha"]) == {"alpha": ""}


def test_check_targets(harness: Harness) -> None:
    platform, hubs = made(harness, "alpha", "beta")
    facts = platform.facts(hubs)
    first, second = platform.check_targets(hubs, facts)
    assert (first.name, second.name, first.cluster) == ("alpha", "beta", "machine")
    assert (first.token, first.url) == ("", hubs[0].url)
    assert [choice.title for choice in first.choices] == ["python/small"]
    (every,) = platform.check_targets(hubs[:1], facts, every=True)
    assert [choice.title for choice in every.choices] == ["python/small", "python/large", "julia/small", "julia/large"]
    (as_deployed,) = platform.check_targets(hubs[:1], facts, as_deployed=True)
    assert as_deployed.url == ""


def test_what_is_not_there_is_not_checked(harness: Harness) -> None:
    platform, (hub,) = made(harness)
    facts = platform.facts([hub])
    found = platform.check([hub], platform.check_targets([hub], facts), facts, CheckOptions())
    assert found.results == [] and "is not deployed" in found.problems["alpha"]


# --- Locks


def test_lock(harness: Harness) -> None:
    platform, _hubs = made(harness)
    parent = other_owner(os.getppid())
    assert platform.lock(me()) is False
    assert platform.lock(me()) is False, "it is ours"
    with pytest.raises(PlatformError, match="a deploy by ada@desk is under way since 2026-11-24 09:00 UTC"):
        platform.lock(parent)
    assert platform.unlock(parent) is False
    assert platform.unlock(me()) is True
    assert platform.unlock(me()) is False
    assert platform.lock(parent) is False


def test_lock_of_a_process_that_died(harness: Harness) -> None:
    platform, _hubs = made(harness)
    with subprocess.Popen(["true"]) as process:
        owner = other_owner(process.pid)
    harness.hold_lock(owner)
    assert platform.lock(me()) is True
    assert platform.unlock(me()) is True


@pytest.mark.parametrize("difference", [{"machine": "another"}, {"pid_namespace": "pid:[1]"}])
def test_what_cannot_be_judged_is_held(difference: dict[str, str], harness: Harness) -> None:
    """Until somebody says that it may be broken."""
    platform, _hubs = made(harness)
    harness.hold_lock(other_owner(NO_PID, **difference))
    with pytest.raises(PlatformError, match="-e deploy_break_lock=machine"):
        platform.lock(me())
    assert platform.lock(me(), force=True) is True


def test_no_force_breaks_the_lock_of_a_live_deploy(harness: Harness) -> None:
    platform, _hubs = made(harness)
    harness.hold_lock(other_owner(os.getppid()))
    with pytest.raises(PlatformError) as raised:
        platform.lock(me(), force=True)
    assert "deploy_break_lock" not in str(raised.value)


# --- Clusters that do not answer


@pytest.mark.parametrize("method", ["facts", "observe", "revisions", "lock", "unlock"])
def test_unreachable(method: str, harness: Harness) -> None:
    platform, hubs = made(harness)
    harness.disconnect()
    argument: Any = {"revisions": ["alpha"], "lock": me(), "unlock": me()}.get(method, hubs)
    with pytest.raises(UnreachableError):
        getattr(platform, method)(argument)
