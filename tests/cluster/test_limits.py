# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a hub, and servers that do not start or become too old."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_hub import IMAGE, ClusterHub
from hub_client import Browser, wait_for

#: An environment whose pod runs, while its server never answers.
SILENT = {"name": "silent", "title": "Silent", "image": IMAGE, "override": {"cmd": ["sleep", "infinity"]}}


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    made = make_hub(
        hub_authenticator="dummy",
        hub_demonstration=True,
        hub_environments=["python", SILENT],
        hub_home_storage="none",
        hub_home_capacity=None,
        hub_redirect_to_server=False,
        hub_allowed_users=["ada", "ben", "eve"],
        hub_blocked_users=["eve"],
        hub_active_server_limit=1,
        hub_concurrent_spawn_limit=1,
        hub_named_servers=True,
        hub_start_timeout="10s",
    )
    made.deploy()
    return made


@pytest.mark.options("hub_start_timeout", "hub_concurrent_spawn_limit", "hub_environment_catalogue.override")
def test_servers_that_do_not_answer(hub: ClusterHub) -> None:
    """The timeout is also that of the server in a pod that runs, which JupyterHub has another one for."""
    hub.api("POST", "users/ben")
    assert hub.api("POST", "users/ben/server", {"profile": "silent"})[0] == 202
    assert "Too many" in hub.start_error("ada")
    assert "10 seconds" in hub.progress("ben")[-1]["message"]
    hub.stop_server("ben")


@pytest.mark.options("hub_redirect_to_server", "hub_demonstration", "hub_blocked_users")
def test_people_come_to_the_home_page(hub: ClusterHub) -> None:
    browser = Browser(hub)
    browser.request("hub/login")
    _status, page = browser.request("hub/login?next=", {"username": "ada", "password": "any"})
    assert 'id="start"' in page
    refused = Browser(hub)
    refused.request("hub/login")
    assert refused.request("hub/login?next=", {"username": "eve", "password": "any"})[0] == 403


@pytest.mark.options("hub_active_server_limit", "hub_named_servers", "hub_home_storage", "hub_maximum_age")
def test_number_and_age_of_servers(hub: ClusterHub) -> None:
    hub.deploy(hub_maximum_age="40s", hub_start_timeout=None)
    with hub.session("ada", "named") as session:
        assert "Active user limit" in hub.start_error("ben")
        assert "volumes" not in session.pod["spec"]
        wait_for("the end of the old server", lambda: not hub.pods("singleuser-server"), patience=180)
