# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in, start what, and stay: what the inventory says about people is true in a real hub."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from cluster_hub import IMAGE, ClusterHub
from hub_client import Browser, wait_for

NOT_ALLOWED = "Only users whom the configuration of this hub allows may log in."
#: Prints for two minutes after the cell has ended, while no browser is connected.
OUTPUT = """
import threading, time

def count():
    for second in range(120):
        print(second, flush=True)
        time.sleep(1)

threading.Thread(target=count, daemon=True).start()
"""


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub of ada, who is an admin, ben and carol; only ben may use the second environment."""
    special = {"title": "Special", "image": IMAGE, "allowed_groups": ["experts"]}
    made = make_hub(
        hub_admins=["ada"],
        hub_allowed_users=["ben", "carol"],
        hub_groups={"experts": {"users": ["ben"]}},
        hub_environment_catalogue={"python": {"title": "Python", "image": IMAGE}, "special": special},
        hub_environments=["python", "special"],
        hub_jupyterhub_config="c.JupyterHub.template_vars.update(announcement_login='Said by Python')",
        hub_idle_timeout="2m",
    )
    made.first_passwords = first_passwords_of(made, made.deploy())  # type: ignore[attr-defined]
    return made


def first_passwords_of(hub: ClusterHub, said: str) -> dict[str, str]:
    """Return the first passwords, by the command that the script prints at its end."""
    command = shlex.split(said.splitlines()[-1].partition("yet: ")[2])
    lines = hub.kubernetes.kubectl(*command[1:]).splitlines()
    return dict(line.split(" ") for line in lines if not line.startswith("#"))  # type: ignore[misc]


def log_in(hub: ClusterHub, name: str, password: str) -> str:
    """Log in on the page of the hub; return the page that follows."""
    browser = Browser(hub)
    assert "Said by Python" in browser.request("hub/login")[1]
    return browser.request(f"hub/login?next={quote('/hub/home', safe='')}", {"username": name, "password": password})[1]


@pytest.mark.options("hub_authenticator", "hub_admins", "hub_allowed_users", "hub_jupyterhub_config")
def test_people_log_in_with_their_first_passwords(hub: ClusterHub) -> None:
    given = hub.first_passwords  # type: ignore[attr-defined]
    assert sorted(given) == ["ada", "ben", "carol"]
    assert 'id="logout"' in log_in(hub, "ben", given["ben"])
    assert 'href="/hub/admin"' in log_in(hub, "ada", given["ada"])
    assert "Invalid username or password." in log_in(hub, "ben", given["ada"])
    hub.api("POST", "users/dan")
    added = first_passwords_of(hub, hub.install())["dan"]
    assert NOT_ALLOWED in log_in(hub, "dan", added)


@pytest.mark.options("hub_groups", "hub_environments")
def test_an_environment_is_for_members_of_a_group(hub: ClusterHub) -> None:
    with hub.session("ben", profile="special") as session:
        assert session.run("print(1)") == "1\n"
    assert "special" in hub.start_error("carol", profile="special")


@pytest.mark.options("hub_idle_timeout")
def test_output_of_a_kernel_is_activity(hub: ClusterHub) -> None:
    """The hub learns of it in time, also while no browser is connected."""
    with hub.session("ben", profile="python") as session:
        assert session.value("os.environ['JUPYTERHUB_ACTIVITY_INTERVAL']") == "40"
        session.run(OUTPUT)
        mark = datetime.now(timezone.utc) + timedelta(seconds=2)

        def reported() -> bool:
            server = hub.api("GET", "users/ben")[1]["servers"][""]
            return datetime.fromisoformat(server["last_activity"]) > mark

        wait_for("the activity of the kernel", reported, patience=120)


@pytest.mark.options("hub_allowed_users", "hub_keep_panel_grants")
def test_who_leaves_the_inventory_loses_access(hub: ClusterHub) -> None:
    given = hub.first_passwords  # type: ignore[attr-defined]
    token = hub.api("POST", "users/carol/tokens", {})[1]["token"]
    with hub.session("ben", profile="python") as session:
        session.run("x = 7")
        assert hub.start_server("carol", {"profile": "python"}).get("ready")
        hub.deploy(hub_allowed_users=["ben"])
        assert NOT_ALLOWED in log_in(hub, "carol", given["carol"])
        assert hub.request("GET", f"{hub.direct}hub/api/user", token)[0] == 403
        wait_for("carol's server to stop", lambda: not hub.api("GET", "users/carol")[1]["servers"])
        assert 'id="logout"' in log_in(hub, "ben", given["ben"]) and session.run("print(x)") == "7\n"
