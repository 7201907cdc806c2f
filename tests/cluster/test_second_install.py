# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are generated in the cluster; who installs a hub again restarts nothing, and cuts no connection."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cluster_hub import ClusterHub
from hub_client import Browser, wait_for

#: Prints until it is told to stop.
OUTPUT = """
import itertools, pathlib, time

for count in itertools.count():
    print(count, flush=True)
    time.sleep(1)
    if pathlib.Path("stop").exists():
        break
"""
#: A service that asks the hub for itself; the hub answers only when its pod is ready.
GREETER = """
import os, time, urllib.request

request = urllib.request.Request(os.environ["JUPYTERHUB_API_URL"] + "/user")
request.add_header("Authorization", "token " + os.environ["JUPYTERHUB_API_TOKEN"])
while True:
    try:
        print(os.environ["GREETING"], urllib.request.urlopen(request, timeout=3).status, flush=True)
        time.sleep(3600)
    except OSError:
        time.sleep(1)
"""


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub with passwords for everybody, which was installed for the first time."""
    made = make_hub(
        hub_authenticator="shared-password",
        hub_allowed_users=None,
        hub_allow_everyone=True,
        hub_admins=["ada"],
        hub_announcement="Closed on <b>Friday</b>",
    )
    made.deploy()
    return made


def running(hub: ClusterHub) -> dict[str, str]:
    """Return component -> UID of its pod."""
    return {name: pod["metadata"]["uid"] for name in ("hub", "proxy") for pod in hub.pods(name)}


def passwords(hub: ClusterHub) -> dict[str, str]:
    """Return the passwords that the hub generated, by the command that the script prints at its end."""
    said = hub.try_install("--dry-run=client").stdout.splitlines()[-1]
    command = shlex.split(said.removeprefix("Passwords of users and admins: "))
    assert command[:2] == ["kubectl", "exec"], said
    return dict(line.split() for line in hub.kubernetes.kubectl(*command[1:]).splitlines())  # type: ignore[misc]


def log_in(hub: ClusterHub, name: str, password: str) -> bool:
    """Tell whether the page of the hub lets a user in."""
    browser = Browser(hub)
    assert "Closed on <b>Friday</b>" in browser.request("hub/login")[1]
    status, page = browser.request("hub/login?next=%2Fhub%2Fhome", {"username": name, "password": password})
    return status == 200 and 'id="logout"' in page


@pytest.mark.options("hub_authenticator", "hub_allow_everyone", "hub_admins", "hub_announcement")
def test_generated_passwords_let_people_log_in(hub: ClusterHub) -> None:
    found = passwords(hub)
    user, admin = found["user_password"], found["admin_password"]
    assert log_in(hub, "ada", admin) and hub.api("GET", "users/ada")[1]["admin"] is True
    assert log_in(hub, "carol", user) and hub.api("GET", "users/carol")[1]["admin"] is False
    assert not log_in(hub, "ada", user) and not log_in(hub, "carol", admin) and not log_in(hub, "carol", "another")
    everywhere = "".join(path.read_text() for path in hub.files.iterdir())
    everywhere += base64.b64decode(secret(hub, "values.yaml")).decode()
    assert not any(password in everywhere for password in found.values())


def secret(hub: ClusterHub, key: str) -> str:
    """Return a value of the chart's secret, as it is stored."""
    found = hub.kubernetes.objects(hub.namespace, "secret", "--field-selector", "metadata.name=hub")
    return str(found[0]["data"][key])


def test_only_the_operator_can_read_the_rendered_files(hub: ClusterHub) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (hub.files, *hub.files.iterdir())}
    assert modes == {hub.name: 0o700, "install.sh": 0o700, "values.yaml": 0o600}


def test_the_second_install_restarts_nothing(hub: ClusterHub) -> None:
    """Output of a kernel goes on through the WebSocket that was open before; passwords stay."""
    before, given = running(hub), passwords(hub)
    with hub.session("carol") as session, ThreadPoolExecutor(1) as pool:
        output = pool.submit(hub.kernel("carol").run, OUTPUT, 300)
        hub.install()
        session.run("open('stop', 'w').close()")
        assert output.result().splitlines()[0] == "0"
    assert running(hub) == before and passwords(hub) == given


@pytest.mark.options("hub_metrics", "hub_services", "hub_services.command", "hub_services.environment", "hub_roles")
def test_a_new_service_restarts_the_hub_once(hub: ClusterHub) -> None:
    """Its token is generated in the cluster; Prometheus reads the metrics with it, from outside as well."""
    before = running(hub)
    environment = {"GREETING": "hello-from-the-service"}
    greeter = {"name": "greeter", "command": ["python3", "-c", GREETER], "environment": environment}
    services, roles = hub.variables["hub_services"], hub.variables["hub_roles"]
    reader = {"name": "readers", "scopes": ["list:users"], "services": ["greeter"], "users": ["carol"]}
    hub.deploy(hub_metrics=True, hub_services=[*services, greeter], hub_roles=[*roles, reader])
    again = running(hub)
    assert again["proxy"] == before["proxy"] and again["hub"] != before["hub"]
    token = base64.b64decode(secret(hub, "hub.services.metrics.apiToken")).decode()
    url = f"{hub.url}hub/metrics"
    assert [hub.request("GET", url, each)[0] for each in ("", "wrong", token)] == [403, 403, 200]
    assert "jupyterhub_running_servers" in hub.request("GET", url, token)[1]
    log = ("--namespace", hub.namespace, "logs", "deployment/hub")
    wait_for("the service", lambda: "hello-from-the-service 200" in hub.kubernetes.kubectl(*log))
    assert "readers" in json.dumps(hub.api("GET", "users/carol")[1]["roles"])
    hub.install()
    assert running(hub) == again


@pytest.mark.options("hub_user_expiry")
def test_users_expire(hub: ClusterHub) -> None:
    """Who was not active for long is removed from the database; admins and those who were active are not."""
    hub.api("POST", "users/dan")
    age = "update users set created = '2020-01-01', last_activity = '2020-01-01' where name != 'carol'"
    code = (
        f"import sqlite3\ndatabase = sqlite3.connect('jupyterhub.sqlite')\ndatabase.execute({age!r})\ndatabase.commit()"
    )
    hub.kubernetes.kubectl("--namespace", hub.namespace, "exec", "deployment/hub", "--", "python3", "-c", code)
    hub.deploy(hub_user_expiry="180d")
    wait_for("a user to expire", lambda: hub.api("GET", "users/dan")[0] == 404)
    assert [hub.api("GET", f"users/{name}")[0] for name in ("ada", "carol")] == [200, 200]
