# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a fleet of two clusters: staging first, what fails stays in its cluster and is taken back."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from verbs_fleet import CHECKOUT, IDENTITIES, Fleet, Result, kill_all, wait_for
from verbs_hub import Kernel
from verbs_machine import picture, start_time, supervisor_pid

EAST, WEST = ("east-staging", "east-a", "east-b"), ("west-staging", "west-a", "west-b")
TINY = {"tiny": {"title": "Tiny", "memory": "1G"}}
BROKEN = "import os\nnot_defined_anywhere\n"
#: The hub starts, and no server of a user does.
NO_SERVERS = "def refuse(spawner):\n    raise RuntimeError('no server today')\nc.Spawner.pre_spawn_hook = refuse\n"


@dataclass(frozen=True)
class Tiers:
    """Six hubs in two clusters, each with one staging and two production hubs; first: what the first deploy printed."""

    fleet: Fleet
    first: Result


@pytest.fixture(scope="module")
def tiers() -> Iterator[Tiers]:
    """Two clusters with tiers."""
    if not (CHECKOUT / ".ansible" / "collections").is_dir():
        pytest.skip("this checkout is not set up: scripts/setup")
    # Without an announcement, the place of one would be gone in a plan, which then does not show what is there.
    fleet = Fleet("east", hub_announcement="First term")
    fleet.add_cluster("west", hub_announcement="First term")
    try:
        for cluster in ("east", "west"):
            fleet.add(f"{cluster}-staging", "staging", cluster)
            fleet.add(f"{cluster}-a", "production", cluster)
            fleet.add(f"{cluster}-b", "production", cluster)
        fleet.write()
        yield Tiers(fleet, fleet.use_prebuilt().succeed("deploy"))
    finally:
        fleet.end()


@pytest.fixture
def fleet(tiers: Tiers) -> Iterator[Fleet]:
    """The fleet, as its inventory says before and after the test."""
    yield tiers.fleet
    tiers.fleet.restore()


@pytest.fixture(scope="module")
def kernel(tiers: Tiers) -> Iterator[Kernel]:
    """A kernel of a user of the hub east-staging, which lives through everything."""
    hub = tiers.fleet.hub("east-staging")
    hub.start_server("ada")
    yield hub.kernel("ada").mark()
    hub.stop_server("ada")


def pids(fleet: Fleet, hubs: tuple[str, ...]) -> list[dict[str, int]]:
    """The pids of the services of hubs."""
    return [fleet.hub(hub).pids for hub in hubs]


def kinds(result: Result) -> dict[str, str]:
    """Hub -> what became of it, without why."""
    words = ("deployed", "unchanged", "rolled back", "skipped", "FAILED")
    found = result.outcomes()
    return {hub: next(word for word in words if outcome.startswith(word)) for hub, outcome in found.items()}


def history(fleet: Fleet, hub: str) -> list[tuple[int, str, int]]:
    """Number, result and number of what was gone back to, of every deploy, the oldest first."""
    files = (fleet.hub(hub).directory / "history").glob("*/record.json")
    records = sorted((json.loads(file.read_text()) for file in files), key=lambda record: int(record["number"]))
    return [(record["number"], record["result"], record["back_to"]) for record in records]


def locks(fleet: Fleet) -> list[Path]:
    """The locks that are there."""
    return list(fleet.directory.glob("*.deploy-lock"))


def test_staging_goes_first(tiers: Tiers) -> None:
    first, fleet = tiers.first, tiers.fleet
    assert "6 to create" in first.output
    for tier, others in (("staging", ("east-a", "west-b")), ("production", ("east-staging", "west-staging"))):
        part = first.part(f"Deploy the {tier} hubs")
        tried = set(re.findall(r"^(\S+) +python/small +ok", part, re.MULTILINE))
        assert tried == {hub for hub, its in fleet.tiers.items() if its == tier}
        assert not [hub for hub in others if f"[{hub}]" in part]
    assert kinds(first) == dict.fromkeys((*EAST, *WEST), "deployed")
    assert sorted(fleet.identities()) == ["east", "west"] and not locks(fleet)
    assert "6 hubs: nothing to change" in fleet.succeed("plan").output
    assert history(fleet, "west-b")[0] == (1, "checked", 0)


@pytest.mark.slow
def test_a_term_with_failures(fleet: Fleet, kernel: Kernel) -> None:
    """Each part looks at the history that the parts before it have made."""
    a_new_hub_has_nothing_to_go_back_to(fleet)
    a_failing_start_stays_in_its_cluster(fleet, kernel)
    after_mending_only_what_is_left_is_done(fleet, kernel)
    a_failing_check_stops_everything_if_no_failure_is_allowed(fleet, kernel)
    going_back_to_a_number_and_forth(fleet, kernel)
    status_tells_who_did_what(fleet)


def a_new_hub_has_nothing_to_go_back_to(fleet: Fleet) -> None:
    before = picture(fleet.state)
    for mode in ((), ("--check",)):
        result = fleet.run("rollback", "--limit", "east-b", *mode)
        assert result.code == 2
        assert "[east-b]: there is no earlier deploy that ran; nothing to go back to" in result.output
        result = fleet.run("rollback", "--limit", "east-b", "-e", "rollback_to=7", *mode)
        assert result.code == 2 and "there is no deploy 7; there are: 1" in result.output
    assert picture(fleet.state) == before and not locks(fleet)


def a_failing_start_stays_in_its_cluster(fleet: Fleet, kernel: Kernel) -> None:
    staging, production = fleet.hub("east-staging"), pids(fleet, EAST[1:])
    before = staging.config
    for cluster in ("east", "west"):
        fleet.set(cluster, hub_announcement="Second term")
    with fleet.changed("east-staging", hub_jupyterhub_config=BROKEN):
        result = fleet.run("deploy")
    assert result.code == 2
    expected = {"east-staging": "rolled back", "east-a": "skipped", "east-b": "skipped"}
    assert kinds(result) == {**expected, **dict.fromkeys(WEST, "deployed")}
    assert "NameError" in result.outcomes()["east-staging"]
    assert result.outcomes()["east-a"] == "skipped staging hub east-staging of its cluster failed"
    assert "some hubs differ from the inventory: 1 rolled back, 2 skipped" in result.output
    # It is what it was, runs, and was checked again; its users noticed nothing.
    assert staging.config == before and staging.healthy() and kernel.survives()
    assert history(fleet, "east-staging") == [(1, "checked", 0), (2, "rolled back", 0), (3, "checked", 1)]
    assert pids(fleet, EAST[1:]) == production and not locks(fleet)
    assert all("Second term" in fleet.hub(hub).login_page() for hub in WEST)


def after_mending_only_what_is_left_is_done(fleet: Fleet, kernel: Kernel) -> None:
    other = pids(fleet, WEST)
    result = fleet.succeed("deploy")
    assert kinds(result) == {**dict.fromkeys(EAST, "deployed"), **dict.fromkeys(WEST, "unchanged")}
    assert pids(fleet, WEST) == other and kernel.survives()
    assert all("Second term" in fleet.hub(hub).login_page() for hub in EAST)


def a_failing_check_stops_everything_if_no_failure_is_allowed(fleet: Fleet, kernel: Kernel) -> None:
    before = {hub: fleet.hub(hub).config for hub in EAST}
    with fleet.changed("east", hub_announcement="Third term"), fleet.changed("west", hub_announcement="Third term"):
        with fleet.changed("east-staging", hub_jupyterhub_config=NO_SERVERS):
            limit = ("--limit", "east-staging,east-a,west-a")
            result = fleet.run("deploy", *limit, "-e", "deploy_max_failures=0")
        assert result.code == 2
        outcomes = result.outcomes()
        assert outcomes["east-staging"].startswith("rolled back the check failed: "), outcomes
        assert outcomes["east-a"] == "skipped staging hub east-staging of its cluster failed"
        assert outcomes["west-a"] == "skipped 1 hub failed, and deploy_max_failures is 0"
        assert {hub: fleet.hub(hub).config for hub in EAST} == before
    assert kernel.survives() and not locks(fleet)
    assert "6 hubs: nothing to change" in fleet.succeed("plan").output


def going_back_to_a_number_and_forth(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("east-staging")
    assert "Second term" in hub.login_page()
    before, wanted = picture(hub.directory), ("--limit", "east-staging", "-e", "rollback_to=1")
    result = fleet.succeed("rollback", *wanted, "--check", "--diff")
    assert "east-staging would be rolled back to deploy 1 of 20" in result.output
    assert '-    "announcement": "Second term"' in result.output and result.recap("east-staging")["changed"] >= 1
    newest = history(fleet, "east-staging")[-1][0]
    result = fleet.succeed("rollback", "--limit", "east-staging", "-e", f"rollback_to={newest}", "--check")
    assert f"east-staging is at deploy {newest} already" in result.output
    assert result.recap("east-staging")["changed"] == 0 and picture(hub.directory) == before
    # Neither what the inventory says of the hub now, nor that it is not valid, matters to what was deployed.
    later = {"hub_url": "http://127.0.0.1:9/", "hub_sizes": ["tiny"], "hub_size_catalogue": TINY, "hub_renamed": "x"}
    with fleet.changed("east-staging", **later):
        assert fleet.run("plan", "--limit", "east-staging").code == 2
        result = fleet.succeed("rollback", *wanted)
    assert "east-staging: hub_renamed: unknown variable" in result.output
    assert re.search("^east-staging +python/small +ok", result.output, re.MULTILINE), result.output
    assert "east-staging was rolled back to deploy 1 of" in result.output
    assert "Second term" not in hub.login_page() and kernel.survives()
    deploys = history(fleet, "east-staging")
    assert deploys[-1][1:] == ("checked", 1)
    result = fleet.succeed("rollback", *wanted)
    assert "east-staging is at deploy 1 already" in result.output and result.recap("east-staging")["changed"] == 0
    assert history(fleet, "east-staging") == deploys
    # Without a number: to what ran before.
    fleet.succeed("rollback", "--limit", "east-staging")
    assert "Second term" in hub.login_page() and kernel.survives()
    assert "6 hubs: nothing to change" in fleet.succeed("plan").output


def status_tells_who_did_what(fleet: Fleet) -> None:
    result = fleet.succeed("status", "-e", "status_history=true")
    lines = result.output.partition("PLAY RECAP")[0].splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(("hub ", "east-", "west-"))}
    assert rows["hub"][:4] == ["hub", "cluster", "tier", "JupyterHub"]
    for hub in (*EAST, *WEST):
        assert rows[hub][1:3] == [fleet.cluster_of[hub], fleet.tiers[hub]] and rows[hub][4:6] == ["up", "unchanged"]
        assert "@" in rows[hub][7]
    shown = result.output.partition("\neast-staging:\n")[2].partition("\nwest-staging:\n")[0]
    numbers = [int(line.split()[0]) for line in shown.splitlines()[1:] if line.strip()]
    assert numbers == sorted((number for number, _result, _back in history(fleet, "east-staging")), reverse=True)
    assert "checked (back to 1)" in shown and "rolled back" in shown


def test_a_failing_first_wave_ends_it(fleet: Fleet) -> None:
    second = fleet.hub("west-b").pids
    with fleet.changed("west", hub_announcement="Waves"), fleet.changed("west-a", hub_jupyterhub_config=BROKEN):
        waves = ("-e", "deploy_waves=1,100%", "-e", "deploy_max_failures=0")
        result = fleet.run("deploy", "--limit", "west-a,west-b", *waves)
    assert result.code == 2 and kinds(result) == {"west-a": "rolled back", "west-b": "skipped"}
    assert result.outcomes()["west-b"] == "skipped 1 hub failed, and deploy_max_failures is 0"
    assert "west: no staging hub is part of this run; its production hubs go straight on" in result.output
    assert fleet.hub("west-b").pids == second


def test_drift_is_told_and_mended(fleet: Fleet, kernel: Kernel) -> None:
    keeper = supervisor_pid(fleet.state)
    if not keeper:
        pytest.skip("hubs are supervised by systemd here, which cannot be killed")
    staging, edited = fleet.hub("east-staging"), fleet.hub("east-a").directory / "config/hub.json"
    edited.write_text(re.sub(r'"announcement": (".*"|null)', '"announcement": "By hand"', edited.read_text()))
    hub = staging.pid("hub")
    for pid in (keeper, hub):
        os.kill(pid, signal.SIGKILL)
    wait_for("both to end", lambda: not start_time(keeper) and not start_time(hub))
    result = fleet.succeed("plan", "--diff")
    planned = result.planned()
    assert planned["east-staging"] == "drifted: supervisor not running, hub not running"
    assert planned["east-a"] == "drifted: supervisor not running, configuration"
    assert '-    "announcement": "By hand"' in result.output
    assert fleet.run("plan", "-e", "plan_exit_code=true").code == 2
    result = fleet.succeed("deploy")
    assert kinds(result) == {**dict.fromkeys(EAST, "deployed"), **dict.fromkeys(WEST, "unchanged")}
    assert "By hand" not in fleet.hub("east-a").login_page() and kernel.survives()


def test_an_orphan_is_told_and_left_alone(fleet: Fleet) -> None:
    hub = fleet.hub("east-b")
    before = hub.pids, picture(hub.directory)
    variables, tier = fleet.hubs.pop("east-b"), fleet.tiers.pop("east-b")
    try:
        fleet.write()
        result = fleet.succeed("deploy")
        told = result.planned()
        assert list(told) == ["east-b"]
        assert told["east-b"].startswith(
            "orphaned: runs or has data, but left the inventory; to remove it, put it back"
        )
        assert "1 orphaned, 5 unchanged" in result.output and result.changed() == 0
        assert fleet.run("plan", "-e", "plan_exit_code=true").code == 2
        assert re.search("^east-b +east +- .*orphaned", fleet.succeed("status").output, re.MULTILINE)
    finally:
        fleet.hubs["east-b"], fleet.tiers["east-b"] = variables, tier
        fleet.write()
    assert (hub.pids, picture(hub.directory)) == before and hub.healthy()


def test_a_kept_plan_is_deployed_or_refused(fleet: Fleet) -> None:
    file = fleet.directory / "plan.json"
    limit = ("--limit", "west-b")
    fleet.set("west-b", hub_announcement="As planned")
    fleet.succeed("plan", *limit, "-e", f"plan_file={file}")
    with fleet.changed("west-b", hub_announcement="Something else"):
        result = fleet.run("deploy", *limit, "-e", f"deploy_plan={file}")
    assert result.code == 2 and "the inventory of west-b has changed; create a new plan" in result.output
    assert fleet.succeed("deploy", *limit, "-e", f"deploy_plan={file}").outcomes() == {"west-b": "deployed"}
    assert "As planned" in fleet.hub("west-b").login_page()
    result = fleet.run("deploy", *limit, "-e", f"deploy_plan={file}")
    assert result.code == 2 and "west-b was changed after the plan was created; create a new plan" in result.output


def test_one_deploy_at_a_time(fleet: Fleet) -> None:
    fleet.set("west-b", hub_announcement="At the same time")
    process = fleet.start("deploy", "--limit", "west-b")
    lock = fleet.directory / "state-west.deploy-lock"
    wait_for("the first deploy to take the lock", lock.exists)
    result = fleet.run("stop", "--limit", "west-staging")
    assert result.code == 2, result.output
    words = " ".join(result.output.split())
    assert re.search(rf"cluster west: a deploy by \S+@\S+ is under way since .* \(process {process.pid} on ", words), (
        words
    )
    assert fleet.hub("west-staging").healthy()
    kill_all(process)
    assert lock.exists()
    result = fleet.succeed("deploy", "--limit", "west-b")
    assert "west: the lock of an earlier deploy, which did not release it, was replaced" in result.output
    assert "At the same time" in fleet.hub("west-b").login_page() and not locks(fleet)


@contextmanager
def another_machine(fleet: Fleet) -> Iterator[None]:
    """The inventory as that of another machine."""
    path = fleet.inventory / IDENTITIES
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), "west": "machine-id:another"}))
    try:
        yield
    finally:
        path.write_text(before)


def test_another_machine_is_left_alone(fleet: Fleet) -> None:
    state = fleet.state_of("west")
    before = picture(state), pids(fleet, WEST)
    with fleet.changed("west-b", hub_announcement="Elsewhere"), another_machine(fleet):
        for verb, arguments in (
            ("deploy", ()),
            ("rollback", ()),
            ("stop", ()),
            ("remove", ("-e", "remove_hubs=west-b", "-e", "remove_data=true")),
        ):
            result = fleet.run(verb, "--limit", "west-b", *arguments)
            words = " ".join(result.output.split())
            assert result.code == 2 and "this is another west than the one that was deployed before" in words, words
            assert "nothing was changed" in words
            assert (picture(state), pids(fleet, WEST)) == before, verb
    assert not locks(fleet)


def test_maintenance_windows(fleet: Fleet) -> None:
    now = datetime.now()
    closed, opened = (
        "-".join((now + timedelta(hours=hours)).strftime("%H:%M") for hours in span) for span in ((2, 3), (-1, 1))
    )
    before = pids(fleet, WEST)
    with fleet.changed("west", cluster_maintenance_windows=[closed], hub_announcement="In the night"):
        result = fleet.run("deploy", "--limit", "west")
        words = " ".join(result.output.split())
        assert result.code == 2 and f"cluster west may only be changed in its maintenance windows ({closed})" in words
        assert pids(fleet, WEST) == before
        fleet.succeed("deploy", "--limit", "west", "--check", "-e", "ignore_maintenance_window=true")
    with fleet.changed("west", cluster_maintenance_windows=[closed, opened], hub_announcement="In the night"):
        fleet.succeed("deploy", "--limit", "west", "--check")
    assert pids(fleet, WEST) == before


def test_stopping_asks_about_open_sessions(fleet: Fleet) -> None:
    busy, quiet = fleet.hub("west-a"), fleet.hub("west-b")
    busy.start_server("ben")
    kernel, before = busy.kernel("ben").mark(), busy.pids
    result = fleet.run("stop", "--limit", "west-a,west-b", "-e", "stop_servers=true")
    assert result.code == 2 and "[west-a]: this would end the sessions of ben;" in result.output
    # The hub without sessions goes on.
    assert result.recap("west-b")["failed"] == 0 and not any(quiet.pids.values())
    assert busy.pids == before and kernel.survives() and not locks(fleet)
    result = fleet.succeed("stop", "--limit", "west-a", "-e", "stop_servers=true", "-e", "stop_end_sessions=true")
    assert "west-a: ending the sessions of ben" in result.output and not any(busy.pids.values())
    planned = fleet.succeed("plan", "--limit", "west").planned()
    assert planned == dict.fromkeys(WEST[1:], "drifted: proxy not running, hub not running, culler not running")
