# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub on a machine asks of the account that deploys: services, passwords of the machine, and directories."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.blockers import find_blockers
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    desired_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.cluster import (
    MachineState,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import ObservedHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    ASSETS,
    SETUP,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of

ORDINARY = dataclasses.replace(SETUP, proxy_account=None)
ROOT = dataclasses.replace(SETUP, proxy_account="hubfleet-proxy")
COMMAND = {"name": "grader", "command": ["/opt/grader", "--port=9000"]}
UNSET = "is not set, so the service would run as root, as the hub does; set an account of the machine, or root"
USELESS = "can only be set where root deploys; the service runs as the account that deploys"


def test_what_may_be_secret_is_not_in_the_configuration() -> None:
    service = {**COMMAND, "api_token": "0" * 32, "environment": {"DSN": "postgresql://grader:pass@db"}}
    desired = desired_hub(hub_of(hub_services=[service]), SETUP, ASSETS, {})
    assert desired.config["services"] == [{**COMMAND, "display": True}]
    assert desired.secrets["services"] == {"grader": "0" * 32}
    assert desired.secrets["service_environments"] == {"grader": {"DSN": "postgresql://grader:pass@db"}}
    assert "postgresql" not in desired.shown()


@pytest.mark.parametrize(
    ("setup", "service", "message"),
    [
        (ROOT, COMMAND, UNSET),
        (ROOT, {**COMMAND, "user": "grader"}, None),
        (ROOT, {**COMMAND, "user": "root"}, None),
        (ROOT, {"name": "grader", "url": "http://127.0.0.1:9000"}, None),
        (ORDINARY, COMMAND, None),
        (ORDINARY, {**COMMAND, "user": "grader"}, USELESS),
    ],
)
def test_the_account_of_a_service(setup: Any, service: dict[str, Any], message: str | None) -> None:
    hub = hub_of(hub_services=[service])
    state = MachineState({hub.name: ObservedHub()}, {hub.name: []})
    found = find_blockers([hub], setup, state, FleetInput({hub.name: HostInput(hub.name, {})}, {}), ASSETS)
    assert [blocker.problem.line() for blocker in found] == (
        [f"{hub.name}: hub_services[0].user: {message}"] if message else []
    )


@pytest.mark.parametrize(
    ("options", "used", "told"),
    [
        ({}, [8100], ["hub_port: port 8100 is"]),
        ({}, [8100, 8101], ["hub_port: ports 8100, 8101 are"]),
        ({"hub_internal_port": 9100}, [8100, 9100], ["hub_port: port 8100 is", "hub_internal_port: port 9100 is"]),
    ],
)
def test_ports_of_others(options: dict[str, Any], used: list[int], told: list[str]) -> None:
    """One message for all ports that come from one option."""
    hub = hub_of(hub_port=8100, **options)
    state = MachineState({hub.name: ObservedHub()}, {hub.name: used})
    found = find_blockers([hub], SETUP, state, FleetInput({hub.name: HostInput(hub.name, {})}, {}), ASSETS)
    lines = [f"{hub.name}: {text} in use by another program of the machine" for text in told]
    assert [blocker.problem.line() for blocker in found] == lines


@pytest.mark.parametrize(("setup", "refused"), [(ROOT, False), (ORDINARY, True)])
def test_only_root_checks_passwords_of_the_machine(setup: Any, refused: bool) -> None:
    hub = hub_of(hub_authenticator="pam")
    state = MachineState({hub.name: ObservedHub()}, {hub.name: []})
    found = find_blockers([hub], setup, state, FleetInput({hub.name: HostInput(hub.name, {})}, {}), ASSETS)
    message = "'pam' requires that root deploys: other accounts cannot check the passwords of the machine"
    assert [blocker.problem.line() for blocker in found] == [f"{hub.name}: hub_authenticator: {message}"] * refused


@pytest.mark.parametrize(("isolation", "refused"), [("system-users", False), ("systemd", True)])
def test_sudo_needs_accounts_of_users(isolation: str, refused: bool) -> None:
    hub = hub_of(hub_admins=["ada"], hub_admin_sudo=True)
    state = MachineState({hub.name: ObservedHub()}, {hub.name: []})
    setup = dataclasses.replace(ROOT, isolation=isolation)
    found = find_blockers([hub], setup, state, FleetInput({hub.name: HostInput(hub.name, {})}, {}), ASSETS)
    message = "requires accounts of users ('system-users'); on this machine, the isolation is 'systemd'"
    assert [blocker.problem.line() for blocker in found] == [f"{hub.name}: hub_admin_sudo: {message}"] * refused


@pytest.mark.parametrize(
    "source", ["/", "/srv", "/srv/hubfleet/", "/srv/hubfleet/homes/demo", "/srv/hubfleet-2", "/mnt"]
)
def test_a_shared_directory_does_not_show_hubs(source: str) -> None:
    hub = hub_of(hub_shared_directories={"data": {"path": "~/data", "source": source}, "own": {"path": "~/own"}})
    state = MachineState({hub.name: ObservedHub()}, {hub.name: []})
    setup = dataclasses.replace(ROOT, layout=dataclasses.replace(ROOT.layout, root="/srv/hubfleet"))
    found = find_blockers([hub], setup, state, FleetInput({hub.name: HostInput(hub.name, {})}, {}), ASSETS)
    message = "contains, or is in, the state directory /srv/hubfleet, which must stay private"
    refused = source not in ("/srv/hubfleet-2", "/mnt")
    where = f"{hub.name}: hub_shared_directories.data.source: {source.rstrip('/') or '/'!r}"
    assert [blocker.problem.line() for blocker in found] == [f"{where} {message}"] * refused
