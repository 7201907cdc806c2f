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
from ..reverse_proxy.apply import LiveFront, live_front, taken_by
from ..reverse_proxy.desired import FrontDoor
from ..supervisor import supervisor
from .hub import LiveHub, live_hubs, taken_ports
from .services import Running


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at.

    hubs: name -> the ports that the hub needs. services: all that hubs should run. builds: FOLDER/DIRECTORY of what
    they need. supervisor: what the function of that name takes, or None where nobody asks about it.
    front: the front door whose ports are needed, None where no hub is behind it.
    """

    hubs: dict[str, list[int]]
    services: list[Service] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    supervisor: dict[str, str] | None = None
    front: FrontDoor | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Wanted:
        """Return what :meth:`as_dict` was made from."""
        services = [Service(**{**service, "command": tuple(service["command"])}) for service in values["services"]]
        front = FrontDoor(**values["front"]) if values["front"] else None
        return cls(**{**values, "services": services, "front": front})


@dataclass
class State:
    """What was found.

    hubs: as they are. taken: hub -> ports that it needs and another program has. present: all hubs that are there.
    built: those of the builds that are there and whole. supervised: service -> pid that the supervisor runs as it;
    None where no supervisor runs. front: the front door as it is. taken_by: option -> who has the port that it says.
    """

    hubs: dict[str, LiveHub] = field(default_factory=dict)
    taken: dict[str, list[int]] = field(default_factory=dict)
    present: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    supervised: dict[str, int] | None = None
    front: LiveFront = field(default_factory=LiveFront)
    taken_by: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data; it holds no secret."""
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        hubs = {name: hub.as_dict() for name, hub in self.hubs.items()}
        return {**found, "hubs": hubs, "front": dataclasses.asdict(self.front)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> State:
        """Return what :meth:`as_dict` was made from."""
        hubs = {name: LiveHub.from_dict(hub) for name, hub in values["hubs"].items()}
        front = LiveFront(**{**values["front"], "running": Running(**values["front"]["running"])})
        return cls(**{**values, "hubs": hubs, "front": front})


def look(layout: Layout, wanted: Wanted) -> State:
    """Look at the machine this runs on."""
    hubs, front = live_hubs(list(wanted.hubs), layout), live_front(layout)
    return State(
        hubs,
        {name: taken_ports(ports, hubs[name]) for name, ports in wanted.hubs.items()},
        _present(layout),
        [build for build in wanted.builds if os.path.exists(os.path.join(layout.root, build, COMPLETE))],
        _supervised(wanted, hubs, front),
        front,
        taken_by(wanted.front) if wanted.front and not front.running.pid else {},
    )


def _present(layout: Layout) -> list[str]:
    if not os.path.isdir(layout.hubs):
        return []
    return sorted(name for name in os.listdir(layout.hubs) if os.path.exists(layout.hub(name).config("hub.json")))


def _supervised(wanted: Wanted, hubs: dict[str, LiveHub], front: LiveFront) -> dict[str, int] | None:
    """Ask the supervisor about the services that run: others are not worth the question."""
    if wanted.supervisor is None:
        return None
    keeper = supervisor(**wanted.supervisor)
    if not keeper.alive():
        return None
    return {service.name: keeper.pid(service) for service in wanted.services if _runs(service, hubs, front)}


def _runs(service: Service, hubs: dict[str, LiveHub], front: LiveFront) -> bool:
    if service.role == "front":
        return bool(front.running.pid)
    return bool(hubs[os.path.basename(service.directory)].services[service.role].pid)
