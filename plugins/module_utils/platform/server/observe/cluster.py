# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster on its machine: one read of all hubs, and of what they need."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ....environments.build.model import COMPLETE
from ..desired.services import Service, service_name
from ..facts.machine import Setup
from ..layout import SERVICES, Layout
from ..reverse_proxy.apply import ObservedReverseProxy, observed_reverse_proxy, taken_by
from ..reverse_proxy.desired import ReverseProxy
from ..state_directory import foreign
from ..supervisor import create_supervisor
from .hub import ObservedHub, observe_hubs, ports_in_use
from .services import Running


@dataclass
class MachineState:
    """What was found.

    hubs: as they are. ports_in_use: hub -> ports that it needs and another program has. deployed: all hubs there.
    built: FOLDER/DIRECTORY of all builds that are complete. supervised: service -> pid that the supervisor runs as it;
    None where no supervisor runs. reverse_proxy: as it runs. reverse_proxy_ports: option -> who listens on that port.
    foreign: why the state directory cannot be used, or "".
    """

    hubs: dict[str, ObservedHub] = field(default_factory=dict)
    ports_in_use: dict[str, list[int]] = field(default_factory=dict)
    deployed: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    supervised: dict[str, int] | None = None
    reverse_proxy: ObservedReverseProxy = field(default_factory=ObservedReverseProxy)
    reverse_proxy_ports: dict[str, str] = field(default_factory=dict)
    foreign: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON-able data without secrets."""
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        hubs = {name: hub.as_dict() for name, hub in self.hubs.items()}
        return {**found, "hubs": hubs, "reverse_proxy": dataclasses.asdict(self.reverse_proxy)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MachineState:
        """Return the state that :meth:`as_dict` returned."""
        hubs = {name: ObservedHub.from_dict(hub) for name, hub in values["hubs"].items()}
        reverse_proxy = ObservedReverseProxy(
            **{**values["reverse_proxy"], "running": Running(**values["reverse_proxy"]["running"])}
        )
        return cls(**{**values, "hubs": hubs, "reverse_proxy": reverse_proxy})


def observe_machine(
    cluster: str, setup: Setup, hubs: dict[str, list[int]], reverse_proxy: ReverseProxy | None
) -> MachineState:
    """Observe the machine this runs on.

    hubs: name -> the ports that the hub needs. reverse_proxy: the one whose ports are needed, None where no hub is
    behind it.
    """
    layout = setup.layout
    found, proxy = observe_hubs(list(hubs), layout), observed_reverse_proxy(layout)
    return MachineState(
        found,
        {name: ports_in_use(ports, found[name]) for name, ports in hubs.items()},
        deployed_hubs(layout),
        sorted(_built(layout)),
        _supervised(cluster, setup, found, proxy),
        proxy,
        taken_by(reverse_proxy) if reverse_proxy and not proxy.running.pid else {},
        foreign(layout),
    )


def deployed_hubs(layout: Layout) -> list[str]:
    """Return the names of all hubs on the machine, whether or not the inventory has them."""
    if not os.path.isdir(layout.hubs):
        return []
    return sorted(name for name in os.listdir(layout.hubs) if os.path.exists(layout.hub(name).config("hub.json")))


def _built(layout: Layout) -> Iterator[str]:
    root = layout.builds or layout.root
    for folder in ("tools", "environments"):
        place = os.path.join(root, folder)
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if os.path.exists(os.path.join(place, name, COMPLETE)):
                yield f"{folder}/{name}"


def _supervised(
    cluster: str, setup: Setup, hubs: dict[str, ObservedHub], reverse_proxy: ObservedReverseProxy
) -> dict[str, int] | None:
    """Ask the supervisor about the services that run."""
    layout = setup.layout
    supervisor = create_supervisor(setup.supervisor, layout.supervisor, setup.runtime_directory, programs="")
    if not supervisor.alive():
        return None
    running = [
        (f"{cluster}.{name}", role, layout.hub(name).directory)
        for name, hub in hubs.items()
        for role in SERVICES
        if hub.services[role].pid
    ]
    if reverse_proxy.running.pid:
        running.append((cluster, "reverse-proxy", layout.reverse_proxy))
    services = [Service(service_name(layout, owner, role), role, place, (), "") for owner, role, place in running]
    return {service.name: supervisor.pid(service) for service in services}
