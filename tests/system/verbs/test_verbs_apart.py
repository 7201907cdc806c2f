# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs side by side, and users who try to see each other."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Deployed
from verbs_fleet import Fleet
from verbs_hub import Browser, Kernel
from verbs_machine import accounts_below, processes_of, supervisor_pid

ROOT = os.geteuid() == 0

#: Runs in a kernel with PATHS, PIDS and SOCKETS set; tells what could be reached.
LOOK = """
import glob, json, os, signal, socket
def reach(path):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        return True
    except OSError:
        return False
def end(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False
def connect(path):
    try:
        with socket.socket(socket.AF_UNIX) as each:
            each.connect(path)
        return True
    except OSError:
        return False
mine, tokens = os.environ["JUPYTERHUB_API_TOKEN"], 0
SOFTWARE = os.path.dirname(os.environ["HUBFLEET_PATH"].split(":")[-1])
for name in glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(name, errors="replace").read()
    except OSError:
        continue
    tokens += sum("TOKEN" in part and mine not in part for part in text.split("\\0"))
print(json.dumps({"paths": [path for path in PATHS if reach(path)], "tokens": tokens,
    "pids": [pid for pid in PIDS if end(pid)], "sockets": [path for path in SOCKETS if connect(path)],
    "writable": os.access(SOFTWARE, os.W_OK), "uid": os.getuid(), "home": os.getcwd()}))
"""


@pytest.fixture(scope="module")
def visited(deployed: Deployed) -> Iterator[Fleet]:
    """The fleet with ada and ben on the trial hub, and another ada on the campus hub."""
    fleet = deployed.fleet
    servers = [("trial", "ada"), ("trial", "ben"), ("campus", "ada")]
    for hub, user in servers:
        fleet.hub(hub).start_server(user)
    yield fleet
    for hub, user in servers:
        fleet.hub(hub).stop_server(user)


def look(kernel: Kernel, fleet: Fleet) -> dict[str, Any]:
    """What a kernel can reach of its fleet."""
    hubs = [fleet.state / "hubs" / name for name in fleet.hubs]
    paths = [
        fleet.state,
        fleet.state / "hubs",
        fleet.state / "homes",
        fleet.state / "supervisor",
        fleet.inventory / "hosts.yml",
    ]
    for hub in hubs:
        private = ["jupyterhub.sqlite", "config/hub.json", "config/secrets.json", "logs/hub.log", "logs/servers"]
        paths += [hub, *(hub / name for name in private), *(hub / "secrets").iterdir()]
    paths += [home for homes in (fleet.state / "homes").iterdir() for home in homes.iterdir()]
    pids = [pid for name in fleet.hubs for pid in fleet.hub(name).pids.values()] + [supervisor_pid(fleet.state)]
    runtime = Path(fleet.hub("trial").config["runtime_directory"])
    sockets = [*runtime.glob("supervisor-*.sock"), *runtime.glob("*/kernel*")]
    given = {"PATHS": list(map(str, paths)), "PIDS": [pid for pid in pids if pid], "SOCKETS": list(map(str, sockets))}
    return dict(json.loads(kernel.run("".join(f"{name} = {value!r}\n" for name, value in given.items()) + LOOK)))


def test_a_user_reaches_nothing_of_others(visited: Fleet) -> None:
    visited.hub("trial").kernel("ben").run("open('mine.txt', 'w').write('mine')")
    assert (visited.state / "homes/trial/ben/mine.txt").read_text() == "mine"
    found = look(visited.hub("trial").kernel("ada"), visited)
    own = str(visited.state / "homes/trial/ada")
    assert found == {**found, "paths": [own], "tokens": 0, "pids": [], "writable": False, "home": own}
    # Its own kernel may have been quick.
    assert all(f"/{found['uid']}/" in path for path in found["sockets"])
    assert found["uid"] != 0


def test_a_user_cannot_speak_for_the_hub(visited: Fleet) -> None:
    config = visited.hub("trial").config
    ports = config["ports"]
    code = f"""
import urllib.error, urllib.request
for url in ("http://127.0.0.1:{ports["proxy_api"]}/api/routes", "http://127.0.0.1:{ports["hub"]}{config["base_url"]}hub/api/users"):
    try:
        print(urllib.request.urlopen(url).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    assert visited.hub("trial").kernel("ada").run(code).split() == ["403", "403"]


@pytest.mark.skipif(not ROOT, reason="needs root: users have accounts of the machine")
def test_same_name_on_two_hubs_is_two_people(visited: Fleet) -> None:
    accounts = accounts_below(visited.state)
    assert len(accounts) == len(set(accounts)) == 3
    uids = {hub: visited.hub(hub).kernel("ada").run("import os; print(os.getuid())").strip() for hub in visited.hubs}
    assert uids["trial"] != uids["campus"]


def test_hubs_share_nothing(visited: Fleet) -> None:
    trial, campus = visited.hub("trial"), visited.hub("campus")
    ports = [port for hub in (trial, campus) for port in hub.config["ports"].values()]
    assert len(ports) == len(set(ports)) == 8
    assert not set(trial.secrets().values()) & set(campus.secrets().values())
    assert trial.config["homes"] != campus.config["homes"]
    if supervisor_pid(visited.state):
        names = sorted(path.stem.partition("-")[2] for path in (visited.state / "supervisor/services").iterdir())
        assert names == sorted(f"lab.{hub}-{service}" for hub in visited.hubs for service in ("proxy", "hub", "culler"))
    commands = processes_of(visited.state)
    assert "--timeout=7200" in commands[campus.pid("culler")]
    assert "--timeout=7200" not in commands[trial.pid("culler")]
    assert "Trial" in trial.config["title"] and "GitHub" in campus.login_page()


def test_logging_in_to_one_hub_is_not_logging_in_to_the_other(visited: Fleet) -> None:
    trial, campus = visited.hub("trial"), visited.hub("campus")
    browser = Browser()
    assert "ada" in browser.log_in(trial, "ada", trial.secret("user_password"))
    assert "/hub/home" in browser.open(f"{trial.url}hub/home")
    # As if the browser sent every cookie to both: they have the same host name.
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
    request = urllib.request.Request(f"{campus.url}hub/home", headers={"Cookie": cookies})
    with urllib.request.urlopen(request) as answer:
        assert answer.url.startswith(f"{campus.url}hub/login")
    token = trial.kernel("ada").run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
    assert trial.request("GET", "hub/api/user", token)[0] == 200
    assert campus.request("GET", "hub/api/user", token)[0] == 403


def test_a_wrong_password_does_not_let_in(visited: Fleet) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        Browser().log_in(visited.hub("trial"), "ada", "not the password")
    assert refused.value.code == 403
