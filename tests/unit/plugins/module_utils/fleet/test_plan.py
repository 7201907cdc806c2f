# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: for people, for CI, kept and held against the world later."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CREATE,
    DRIFTED,
    ORPHANED,
    SECRETS,
    UNCHANGED,
    UPDATE,
    HubDiff,
    Reason,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import (
    HubPlan,
    Plan,
    PlanError,
    hub_plan,
    load_plan,
    outdated_reasons,
)


def planned(hub: str, action: str = UPDATE, **more: Any) -> HubPlan:
    """Return the plan of a hub."""
    given = {"cluster": "machine", "tier": "staging", "url": f"http://{hub}/", "desired": "d1", "live": "l1", **more}
    given["reasons"] = [Reason("code", text) for text in more.get("reasons", ())]
    return HubPlan(hub=hub, action=action, **given)


MIXED = Plan(
    [
        planned("alpha", UPDATE, reasons=["configuration", "hub to restart"]),
        planned("b", CREATE, tier="production", reasons=["new"]),
        planned("gamma", UNCHANGED),
        planned("delta", DRIFTED, reasons=["proxy not running"]),
        planned("old", ORPHANED, cluster="cloud", tier="", url="", reasons=["left the inventory"]),
        planned("omega", UNCHANGED),
    ]
)


def test_table() -> None:
    """Columns are aligned; what does not differ is counted only."""
    assert MIXED.lines() == [
        "alpha  machine  staging     update    configuration, hub to restart",
        "b      machine  production  create    new",
        "delta  machine  staging     drifted   proxy not running",
        "old    cloud                orphaned  left the inventory",
        "1 to create, 1 to update, 1 drifted, 1 orphaned, 2 unchanged",
    ]


@pytest.mark.parametrize(("count", "line"), [(1, "1 hub: nothing to change"), (3, "3 hubs: nothing to change")])
def test_nothing_to_change(count: int, line: str) -> None:
    assert Plan([planned(f"hub{number}", UNCHANGED) for number in range(count)]).lines() == [line]


def test_counts() -> None:
    assert MIXED.counts() == {UPDATE: 1, CREATE: 1, UNCHANGED: 2, DRIFTED: 1, ORPHANED: 1}
    assert [hub.hub for hub in MIXED.hubs if hub.changes] == ["alpha", "b", "delta"], "what a deploy acts on"


@pytest.mark.parametrize(
    ("action", "differs"), [(UNCHANGED, False), (CREATE, True), (UPDATE, True), (DRIFTED, True), (ORPHANED, True)]
)
def test_differs(action: str, differs: bool) -> None:
    assert Plan([planned("alpha", UNCHANGED), planned("beta", action)]).differs is differs


def test_from_a_change() -> None:
    change = HubDiff("alpha", UPDATE, [Reason(SECRETS, "secrets")], "before", "after", "d", "l")
    hub = hub_plan(change, "machine", "staging", "http://alpha/")
    assert hub == HubPlan(
        "alpha",
        UPDATE,
        [Reason(SECRETS, "secrets")],
        "before",
        "after",
        "d",
        "l",
        "machine",
        "staging",
        "http://alpha/",
    )
    assert "before" not in hub.summary() and hub.summary()["action"] == UPDATE


def test_diff() -> None:
    hub = planned("alpha", before="one\ntwo\n", after="one\nthree\n")
    assert hub.diff().splitlines()[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+three"]
    assert planned("alpha", before="same\n", after="same\n").diff() == ""


# --- Kept plans


def test_kept_and_read_back() -> None:
    plan = Plan([replace(hub, before="a\n", after="b\u00e9\n") for hub in MIXED.hubs], against="origin/main")
    assert load_plan(plan.as_json(), "plan.json") == plan


def _file(**more: Any) -> str:
    return json.dumps({"format": 1, "against": "", "hubs": [asdict(planned("alpha"))], **more})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        "{}",
        _file(hubs=None),
        _file(hubs=[{"hub": "alpha"}]),
        _file(hubs=[{**asdict(planned("alpha")), "other": 1}]),
        json.dumps({"format": 1, "hubs": []}),
    ],
)
def test_no_plan(text: str) -> None:
    with pytest.raises(PlanError, match=r"^plan\.json holds no plan: ") as raised:
        load_plan(text, "plan.json")
    assert "\n" not in str(raised.value)


def test_plan_of_another_release() -> None:
    assert load_plan(_file(), "plan.json").hubs == [planned("alpha")]
    with pytest.raises(PlanError, match="another release of the collection; create a new plan"):
        load_plan(_file(format=2), "plan.json")


def test_nothing_has_moved() -> None:
    """Also where reasons are others, or hubs come in another order."""
    now = Plan([replace(hub, reasons=[Reason("code", "said otherwise")]) for hub in reversed(MIXED.hubs)])
    assert outdated_reasons(MIXED, now) == []


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (planned("alpha", desired="d2"), "the inventory of alpha has changed"),
        (planned("alpha", desired="d2", live="l2"), "the inventory of alpha has changed"),
        (planned("alpha", live="l2"), "alpha was changed after the plan was created"),
        (planned("alpha", UNCHANGED, live="l2"), "alpha was changed after the plan was created"),
        (planned("alpha", ORPHANED, desired=""), "alpha is no longer in the inventory"),
        (planned("other", UNCHANGED), "alpha is no longer in the inventory"),
    ],
)
def test_moved(now: HubPlan, message: str) -> None:
    same = planned("beta")
    assert outdated_reasons(Plan([planned("alpha"), same]), Plan([now, same])) == [message]


def test_moved_tells_each() -> None:
    kept = Plan([planned("alpha"), planned("beta")])
    now = Plan([planned("alpha", desired="d2"), planned("beta", live="l2")])
    assert len(outdated_reasons(kept, now)) == 2


def test_a_change_that_was_not_planned() -> None:
    """Exactly the plan is deployed: no other hub, and none that the plan left alone."""
    kept = Plan([planned("alpha"), planned("beta", UNCHANGED)])
    more = Plan([*kept.hubs, planned("gamma", CREATE)])
    assert outdated_reasons(kept, more) == ["gamma would change, and is not part of the plan"]
    assert outdated_reasons(kept, Plan([*kept.hubs, planned("gamma", UNCHANGED)])) == []
    assert outdated_reasons(kept, Plan([planned("alpha"), planned("beta", DRIFTED)])) == [
        "beta was changed after the plan was created"
    ]


def test_orphans_may_come_and_go() -> None:
    """No deploy touches them."""
    orphan = planned("old", ORPHANED)
    assert outdated_reasons(Plan([planned("alpha"), orphan]), Plan([planned("alpha")])) == []
    assert outdated_reasons(Plan([planned("alpha")]), Plan([planned("alpha"), orphan])) == []


def test_a_plan_against_a_revision_cannot_be_deployed() -> None:
    kept = Plan([planned("alpha")], against="main")
    with pytest.raises(PlanError, match="compares with main, not with the hubs"):
        outdated_reasons(kept, Plan([planned("alpha")]))


# --- Markdown


def test_markdown() -> None:
    text = Plan(
        [planned("alpha", reasons=["a|b"], before="x\n", after="y\n"), planned("beta", UNCHANGED)], "main"
    ).markdown()
    assert text.splitlines()[:7] == [
        "## Plan",
        "",
        "**1 to update, 1 unchanged**, against `main`",
        "",
        "| hub | cluster | tier | action | why |",
        "| --- | --- | --- | --- | --- |",
        r"| alpha | machine | staging | update | a\|b |",
    ]
    assert "<details><summary>alpha</summary>\n\n```diff\n--- live\n+++ inventory\n" in text
    assert text.endswith("-x\n+y\n```\n\n</details>\n")
    assert "beta" not in text


def test_markdown_of_nothing() -> None:
    assert Plan([planned("beta", UNCHANGED)]).markdown() == "## Plan\n\n**1 unchanged**\n\n"


@pytest.mark.parametrize(("inside", "fence"), [("no fence", "```"), ("```", "````"), ("a ````` b ``", "``````")])
def test_fences(inside: str, fence: str) -> None:
    """A fence in the text does not end the block."""
    lines = Plan([planned("alpha", before="", after=f"{inside}\n")]).markdown().splitlines()
    assert [line for line in lines if line.startswith("`")] == [f"{fence}diff", fence]


@pytest.mark.parametrize("room", [400, 1000, 3000, 60000])
def test_long_differences_are_left_out(room: int) -> None:
    """Forges refuse long comments; short differences are told even after long ones."""
    hubs = [
        planned("long", before="", after="x" * 5000),
        planned("short", before="", after="y"),
        planned("none"),
    ]
    text = Plan(hubs).markdown(room=room)
    assert len(text) <= room
    assert ("x" * 5000 in text) == (room > 5000)
    assert ("+y" in text) == (room > 400)
    said = {400: "Left out here: 2 long differences.", 60000: ""}.get(room, "Left out here: 1 long differences.")
    assert text.splitlines()[-1] == said if said else "Left out" not in text


def test_many_hubs_are_left_out() -> None:
    text = Plan([planned(f"hub-{number}") for number in range(1000)]).markdown(room=10000)
    assert len(text) <= 10000
    assert text.count("| hub-") + int(text.split("Left out here: ")[1].split()[0]) == 1000
    assert "**1000 to update**" in text
