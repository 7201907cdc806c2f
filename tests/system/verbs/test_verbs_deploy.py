# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying from nothing, again, and with nothing but a look."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
from pathlib import Path

import pytest
from conftest import Deployed
from verbs_fleet import Fleet
from verbs_machine import mode, parent, picture, read, supervisor_pid

ROOT = os.geteuid() == 0


def test_first_deploy_says_what_it_did(deployed: Deployed) -> None:
    output = deployed.first.output
    assert f"isolation {'system-users' if ROOT else 'bubblewrap'} (memory" in output
    assert {hub: why.partition(",")[0] for hub, why in deployed.first.planned().items()} == {
        "trial": "create: new",
        "campus": "create: new",
    }
    assert "2 to create" in output
    # In the order of tiers, each checked before the next is touched.
    shown = [output.index(f"PLAY [Deploy the {tier} hubs]") for tier in ("staging", "production")]
    assert shown == sorted(shown)
    for tier, hub, other in (("staging", "trial", "campus"), ("production", "campus", "trial")):
        part = deployed.first.part(f"Deploy the {tier} hubs")
        assert re.search(rf"^{hub} +python/small +ok", part, re.MULTILINE), part
        assert not re.search(rf"\[{other}\]", part)
        assert deployed.first.recap(hub)["failed"] == 0
    assert deployed.first.outcomes() == {"trial": "deployed", "campus": "deployed"}
    assert f"trial: passwords are in {deployed.fleet.state}/hubs/trial/secrets" in output
    assert list(deployed.fleet.identities()) == ["lab"]


def test_the_operator_is_told_where_the_token_for_metrics_is(deployed: Deployed) -> None:
    trial = deployed.fleet.hub("trial")
    path = trial.directory / "secrets" / "metrics_token"
    assert f"the token for {trial.url}hub/metrics is in {path}" in deployed.first.output
    status, text = trial.request("GET", "hub/metrics", trial.secret(path.name))
    assert status == 200 and "# TYPE jupyterhub_total_users gauge" in text
    assert trial.request("GET", "hub/metrics")[0] == 403


def test_services_run_under_the_supervisor(deployed: Deployed) -> None:
    fleet = deployed.fleet
    keeper = supervisor_pid(fleet.state)
    for name in fleet.hubs:
        hub = fleet.hub(name)
        assert all(hub.pids.values()) and hub.healthy()
        if keeper:
            assert {parent(pid) for pid in hub.pids.values()} == {keeper}


def test_files_are_private(deployed: Deployed) -> None:
    state = deployed.fleet.state
    passable = "0o711" if ROOT else "0o700"
    for path in (state, state / "environments", state / "homes", state / "homes" / "trial"):
        assert mode(path) == passable, path
    assert mode(state / "hubs") == mode(state / "supervisor") == "0o700"
    for name in deployed.fleet.hubs:
        hub = state / "hubs" / name
        folders = [hub, *(path for path in hub.rglob("*") if path.is_dir())]
        assert {mode(path) for path in folders} == {"0o700"}
        assert {mode(path) for path in hub.rglob("*") if path.is_file()} == {"0o600"}
        assert "jupyterhub.sqlite" in os.listdir(hub) and "check_token" in os.listdir(hub / "secrets")


@pytest.mark.skipif(not ROOT, reason="needs root: proxies have an account of their own")
def test_the_proxy_is_nobody_special(deployed: Deployed) -> None:
    for name in deployed.fleet.hubs:
        for service in ("proxy", "culler"):
            pid = deployed.fleet.hub(name).pid(service)
            uids = next(line for line in read(f"/proc/{pid}/status").splitlines() if line.startswith(b"Uid:"))
            assert b"0" not in uids.split()[1:]


def test_the_check_leaves_nothing(deployed: Deployed) -> None:
    for name in deployed.fleet.hubs:
        assert not [user for user in deployed.fleet.hub(name).users() if "check" in user]
        assert not [home for home in os.listdir(deployed.fleet.state / "homes" / name) if "check" in home]


def test_second_deploy_touches_nothing(deployed: Deployed) -> None:
    second = deployed.second
    assert second.code == 0 and second.changed() == 0
    assert "2 hubs: nothing to change" in second.output
    looking = ["Check the extra variables", "Compare the inventory with the hubs"]
    # the last one skips itself
    assert second.tasks() == [*looking, "Print the recap"], second.output


def test_no_secret_is_ever_shown(deployed: Deployed) -> None:
    fleet = deployed.fleet
    held = {"client": deployed.secrets.client, "service": deployed.secrets.service}
    for name in fleet.hubs:
        held |= {f"{name} {secret}": value for secret, value in fleet.hub(name).secrets().items()}
    held["variable"] = "mirror-4711-token"
    held["line of code"] = "zebra-4711-token"
    held["in base64"] = base64.b64encode(held["line of code"].encode()).decode()
    variables = {"MIRROR": fleet.encrypted(held["variable"]), "CODED": "{{ key_of_ours | trim | b64encode }}"}
    code = "c.Application.log_level = 20\nkey = '{{ key_of_ours | trim }}'\n"
    with fleet.changed(
        "campus",
        hub_announcement="Hello",
        hub_environment_variables=variables,
        hub_jupyterhub_config=code,
        key_of_ours=fleet.encrypted(held["line of code"] + "\n"),
    ):
        looked = fleet.run("deploy", "-vvvv", "--check", "--diff")
    assert '"MIRROR": "***"' in looked.output and '"CODED": "***"' in looked.output
    assert "+c.Application.log_level = 20" in looked.output and "+***" in looked.output
    for result in (deployed.first, looked):
        assert not [what for what, value in held.items() if value in result.output]
    # Nor is any of them in a command line, which every account of the machine can read.
    commands = b"".join(read(f"/proc/{pid}/cmdline") for name in fleet.hubs for pid in fleet.hub(name).pids.values())
    assert not [what for what, value in held.items() if value.encode() in commands]
    # They did arrive.
    assert deployed.secrets.client in (fleet.state / "hubs/campus/config/secrets.json").read_text()


def test_looking_touches_nothing(deployed: Deployed) -> None:
    fleet = deployed.fleet
    before = picture(fleet.state), [fleet.hub(name).pids for name in fleet.hubs], users(fleet)
    with fleet.changed("trial", hub_announcement="Maintenance on Monday"):
        result = fleet.succeed("deploy", "--check", "--diff")
    after = picture(fleet.state), [fleet.hub(name).pids for name in fleet.hubs], users(fleet)
    assert before == after
    assert '+    "announcement": "Maintenance on Monday"' in result.output
    assert result.planned() == {"trial": "update: configuration, hub to restart"}
    assert "1 to update, 1 unchanged" in result.output


def test_looking_at_a_removal_tells_whether_the_machine_is_cleared(deployed: Deployed) -> None:
    fleet = deployed.fleet
    before = picture(fleet.state)
    for hubs, data, clears in (
        ("trial", "true", False),
        ("trial,campus", "false", False),
        ("trial,campus", "true", True),
    ):
        sure = ("-e", f"remove_hubs={hubs}", "-e", f"remove_data={data}", "-e", "remove_export=false")
        result = fleet.succeed("remove", "--check", "--limit", hubs, *sure)
        told = result.output.partition("Remove the state directory if it has no hub left]")[2].partition("PLAY [End]")[
            0
        ]
        assert ("changed: [trial]" if clears else "ok: [trial]") in told, told
    assert picture(fleet.state) == before


def test_one_hub_changes_and_the_other_does_not(deployed: Deployed) -> None:
    fleet = deployed.fleet
    trial, campus = fleet.hub("trial").pids, fleet.hub("campus").pids
    fleet.set("campus", hub_title="Only here")
    result = fleet.succeed("deploy")
    assert result.planned() == {"campus": "update: configuration, hub to restart"}
    assert result.outcomes() == {"trial": "unchanged", "campus": "deployed"}
    assert fleet.hub("trial").pids == trial and fleet.hub("campus").pid("hub") != campus["hub"]
    for play in ("Prepare the clusters", "Deploy the production hubs"):
        assert "[campus]" in result.part(play) and "trial" not in result.part(play)
    assert "TASK" not in result.part("Deploy the staging hubs")
    assert "Only here" in fleet.hub("campus").login_page()


def test_check_verb_shows_a_table(deployed: Deployed) -> None:
    result = deployed.fleet.succeed("check", "--limit", "campus")
    assert result.changed() == 0 and "python/small" in result.output and "trial" not in result.output


def test_validate_names_the_line(deployed: Deployed) -> None:
    fleet = deployed.fleet
    assert "2 hubs in 1 cluster: valid" in fleet.succeed("validate").output
    with fleet.changed("trial", hub_idle_timeout="soon"):
        result = fleet.run("deploy")
    assert result.code and "host_vars/trial.yml:" in result.output and "hub_idle_timeout" in result.output
    assert "nothing was changed" in result.output


@pytest.mark.skipif(not ROOT, reason="needs root: only root can ask for less than system users")
def test_root_never_runs_users_as_itself(deployed: Deployed) -> None:
    fleet = deployed.fleet
    with fleet.changed(cluster_isolation="bubblewrap"):
        result = fleet.run("deploy")
    assert result.code and "as root use system-users" in result.output and "nothing was changed" in result.output


@pytest.mark.skipif(
    not ROOT or Path("/run/systemd/system").exists(), reason="needs root, and a machine without systemd"
)
def test_dynamic_users_need_systemd(deployed: Deployed) -> None:
    fleet = deployed.fleet
    with fleet.changed(cluster_isolation="systemd"):
        result = fleet.run("deploy")
    said = " ".join(result.output.split())
    assert result.code and "it is not this machine's first process; use system-users" in said
    assert "nothing was changed" in said


def users(fleet: Fleet) -> list[tuple[str, ...]]:
    """The users in every hub's database."""
    found = []
    for name in fleet.hubs:
        with sqlite3.connect(f"file:{Path(fleet.state, 'hubs', name)}/jupyterhub.sqlite?mode=ro", uri=True) as database:
            found.append(tuple(row[0] for row in database.execute("select name from users order by name")))
    return found
