# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why hubs cannot be deployed to a machine, although the inventory is valid."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...schema.admin_sudo import ACCOUNTS
from ...schema.admin_sudo import VARIABLE as ADMIN_SUDO
from ...schema.model import FleetInput, Hub, ValuePath
from ...schema.problems import Problem
from ...schema.shared_checks import DIRECTORIES as SHARED_DIRECTORIES
from ..base import Blocker
from .desired.environments import Assets, versions
from .diff import newer_database
from .facts.machine import Setup
from .observe.cluster import MachineState


def find_blockers(
    hubs: list[Hub], setup: Setup, state: MachineState, inventory: FleetInput, assets: Assets
) -> list[Blocker]:
    """Return foreign state directories, ports in use, services of root, and databases that are too new for a hub."""
    if state.foreign:
        # Nothing that was found in there is a hub's.
        return [Blocker("foreign-directory", _foreign_directory(hubs, setup, state, inventory))]
    found = [
        Blocker("port-in-use", problem, breaks_running=True)
        for hub in hubs
        for problem in _ports_in_use(hub, state.ports_in_use[hub.name], inventory)
    ]
    found += _reverse_proxy_ports(hubs, state, inventory)
    found += _accounts_of_services(hubs, setup, inventory)
    found += _passwords_of_machine(hubs, setup, inventory)
    found += _sudo_without_accounts(hubs, setup, inventory)
    found += _sources_that_show_hubs(hubs, setup, inventory)
    for hub in hubs:
        version = versions(hub["hub_jupyterhub_version"], setup, assets)["jupyterhub"]
        newer = newer_database(version, state.hubs[hub.name])
        if newer:
            found.append(Blocker("newer-database", _newer_database(hub, newer, inventory)))
    return found


def _foreign_directory(hubs: list[Hub], setup: Setup, state: MachineState, inventory: FleetInput) -> Problem:
    variable = "cluster_state_directory"
    where = inventory.hosts[hubs[0].name].locate((variable,))
    message = f"{setup.layout.root} {state.foreign}; set a directory that does not exist yet, or an empty one"
    return Problem((variable,), message, where, [hub.name for hub in hubs])


def _ports_in_use(hub: Hub, ports: list[int], inventory: FleetInput) -> Iterator[Problem]:
    """Yield a problem for each option that ports which another program has come from."""
    internal = [port for port in ports if port != hub["hub_port"] and hub["hub_internal_port"]]
    for variable, used in (
        ("hub_port", [port for port in ports if port not in internal]),
        ("hub_internal_port", internal),
    ):
        if used:
            what = f"port {used[0]} is" if len(used) == 1 else f"ports {', '.join(map(str, used))} are"
            yield _problem(hub, (variable,), f"{what} in use by another program of the machine", inventory)


def _reverse_proxy_ports(hubs: list[Hub], state: MachineState, inventory: FleetInput) -> list[Blocker]:
    """Return the ports of the reverse proxy that another program uses, where the proxy would have to start."""
    behind = [hub.name for hub in hubs if hub.behind_reverse_proxy]
    found = []
    for variable, used in state.reverse_proxy_ports.items():
        locate = inventory.hosts[behind[0]].locate
        where = locate((variable,)) or locate(("cluster_reverse_proxy",))
        problem = Problem((variable,), f"{used}; stop that program, or set another port", where, behind)
        found.append(Blocker("port-in-use", problem, breaks_running=True))
    return found


def _accounts_of_services(hubs: list[Hub], setup: Setup, inventory: FleetInput) -> Iterator[Blocker]:
    """Yield services that would run as root unasked, and accounts that only root can run services as."""
    root = setup.proxy_account is not None
    for hub in hubs:
        for index, service in enumerate(hub["hub_services"] or ()):
            if not service["command"] or root == bool(service["user"]):
                continue
            path = ("hub_services", index, "user")
            message = (
                "is not set, so the service would run as root, as the hub does; set an account of the machine, or root"
                if root
                else "can only be set where root deploys; the service runs as the account that deploys"
            )
            yield Blocker("service-account", _problem(hub, path, message, inventory))


def _passwords_of_machine(hubs: list[Hub], setup: Setup, inventory: FleetInput) -> Iterator[Blocker]:
    """Yield hubs that cannot check the passwords of the machine's accounts."""
    variable = "hub_authenticator"
    for hub in hubs:
        if hub[variable] == "pam" and setup.proxy_account is None:
            message = "'pam' requires that root deploys: other accounts cannot check the passwords of the machine"
            yield Blocker("pam-without-root", _problem(hub, (variable,), message, inventory))


def _sudo_without_accounts(hubs: list[Hub], setup: Setup, inventory: FleetInput) -> Iterator[Blocker]:
    """Yield hubs whose admins have no accounts that sudo knows."""
    for hub in hubs:
        if hub[ADMIN_SUDO] and setup.isolation != ACCOUNTS:
            message = (
                f"requires accounts of users ({ACCOUNTS!r}); on this machine, the isolation is {setup.isolation!r}"
            )
            yield Blocker("sudo-without-accounts", _problem(hub, (ADMIN_SUDO,), message, inventory))


def _sources_that_show_hubs(hubs: list[Hub], setup: Setup, inventory: FleetInput) -> Iterator[Blocker]:
    """Yield shared directories that contain, or are in, the state directory; links are looked at on the machine."""
    root = setup.layout.root
    for hub in hubs:
        for name, directory in (hub[SHARED_DIRECTORIES] or {}).items():
            source = os.path.normpath(directory["source"]) if directory["source"] else ""
            if not source or os.path.commonpath([source, root]) not in (source, root):
                continue
            path = (SHARED_DIRECTORIES, name, "source")
            message = f"{source!r} contains, or is in, the state directory {root}, which must stay private"
            yield Blocker("source-private", _problem(hub, path, message, inventory))


def _newer_database(hub: Hub, newer: str, inventory: FleetInput) -> Problem:
    variable = "hub_jupyterhub_version"
    message = (
        f"{hub[variable]!r} cannot read the hub's database, which JupyterHub {newer} has upgraded to a newer schema; "
        "the playbook rollback restores an earlier deploy together with its database"
    )
    return _problem(hub, (variable,), message, inventory)


def _problem(hub: Hub, path: ValuePath, message: str, inventory: FleetInput) -> Problem:
    """Return a problem of one hub, with the place of its value in the inventory."""
    return Problem(path, message, inventory.hosts[hub.name].locate(path), [hub.name])
