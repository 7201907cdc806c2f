# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster on its machine: one look at all of its hubs, and at what they need."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from typing import Any

from ..desired.environments import COMPLETE
from ..desired.services import Service
from ..layout import Layout
from ..reverse_proxy.apply import ObservedReverseProxy, observed_reverse_proxy, taken_by
from ..reverse_proxy.desired import ReverseProxy
from ..supervisor import create_supervisor
from .hub import ObservedHub, live_hubs, taken_ports
from .services import Running


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at.

    hubs: name -> the ports that the hub needs. services: all that hubs should run. builds: FOLDER/DIRECTORY of what
    they need. supervisor: what the function of that name takes, or None where nobody asks about it.
    reverse_proxy: the reverse proxy whose ports are needed, None where no hub is behind it.
    """

    hubs: dict[str, list[int]]
    services: list[Service] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    supervisor: dict[str, str] | None = None
    reverse_proxy: ReverseProxy | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Wanted:
        """Return what :meth:`as_dict` was made from."""
        services = [Service.from_dict(service) for service in values["services"]]
        reverse_proxy = ReverseProxy(**values["reverse_proxy"]) if values["reverse_proxy"] else None
        return cls(**{**values, "services": services, "reverse_proxy": reverse_proxy})


@dataclass
class State:
    """What was found.

    hubs: as they are. taken: hub -> ports that it needs and another program has. present: all hubs that are there.
    built: those of the builds that are there and whole. supervised: service -> pid that the supervisor runs as it;
    None where no supervisor runs. reverse_proxy: as it runs. taken_by: option -> who listens on that port.
    """

    hubs: dict[str, ObservedHub] = field(default_factory=dict)
    taken: dict[str, list[int]] = field(default_factory=dict)
    present: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    supervised: dict[str, int] | None = None
    reverse_proxy: ObservedReverseProxy = field(default_factory=ObservedReverseProxy)
    taken_by: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data; it holds no secret."""
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        hubs = {name: hub.as_dict() for name, hub in self.hubs.items()}
        return {**found, "hubs": hubs, "reverse_proxy": dataclasses.asdict(self.reverse_proxy)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> State:
        """Return what :meth:`as_dict` was made from."""
        hubs = {name: ObservedHub.from_dict(hub) for name, hub in values["hubs"].items()}
        reverse_proxy = ObservedReverseProxy(
            **{**values["reverse_proxy"], "running": Running(**values["reverse_proxy"]["running"])}
        )
        return cls(**{**values, "hubs": hubs, "reverse_proxy": reverse_proxy})


def look(layout: Layout, wanted: Wanted) -> State:
    """Look at the machine this runs on."""
    hubs, reverse_proxy = live_hubs(list(wanted.hubs), layout), observed_reverse_proxy(layout)
    return State(
        hubs,
        {name: taken_ports(ports, hubs[name]) for name, ports in wanted.hubs.items()},
        _present(layout),
        [build for build in wanted.builds if os.path.exists(os.path.join(layout.root, build, COMPLETE))],
        _supervised(wanted, hubs, reverse_proxy),
        reverse_proxy,
        taken_by(wanted.reverse_proxy) if wanted.reverse_proxy and not reverse_proxy.running.pid else {},
    )


def _present(layout: Layout) -> list[str]:
    if not os.path.isdir(layout.hubs):
        return []
    return sorted(name for name in os.listdir(layout.hubs) if os.path.exists(layout.hub(name).config("hub.json")))


def _supervised(
    wanted: Wanted, hubs: dict[str, ObservedHub], reverse_proxy: ObservedReverseProxy
) -> dict[str, int] | None:
    """Ask the supervisor about the services that run: others are not worth the question."""
    if wanted.supervisor is None:
        return None
    supervisor = create_supervisor(**wanted.supervisor)
    if not supervisor.alive():
        return None
    return {service.name: supervisor.pid(service) for service in wanted.services if _runs(service, hubs, reverse_proxy)}


def _runs(service: Service, hubs: dict[str, ObservedHub], reverse_proxy: ObservedReverseProxy) -> bool:
    if service.role == "reverse-proxy":
        return bool(reverse_proxy.running.pid)
    return bool(hubs[os.path.basename(service.directory)].services[service.role].pid)
