# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many users on one hub, users that never leave, and many hubs on one machine."""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from fleets import Fleet
from measure import Grid, ratio
from processes import cpu_seconds, memory_of_users, of_users, service, used
from users import Session, arrive, client_of, leave, stay

#: Comma separated numbers of users; the default is what docs/capacity.md shows.
USERS = [int(count) for count in os.environ.get("HUBFLEET_BENCH_USERS", "10,20,50").split(",")]
MINUTES = float(os.environ.get("HUBFLEET_BENCH_MINUTES", "4"))
HUBS = 10
#: Longer than the default, since machines that measure are busy with other things, too.
SETTINGS = {"hub_start_timeout": "9m"}


def load(_table: object, scratch: str) -> None:
    """10, 20 and 50 users come to one hub at once, start a server and a kernel each, and run code."""
    grid = Grid(
        "users", "up", "kernels", "429", "start p50 s", "p95 s", "ratio", "code p95 s", "CPU s/user",
        "hub MB", "hub CPU s", "server MB", "kernel MB", "shared MB", "all MB", "MB/user", "ratio", "stop s",
    )  # fmt: skip
    with Fleet(scratch, 1, **SETTINGS) as fleet:
        fleet.playbook("deploy", "--skip-tags", "check")
        baselines: list[tuple[float, float]] = []
        for count in USERS:
            asyncio.run(_crowd(grid, fleet.hub("hub-0"), count, baselines))
    grid.print()


async def _crowd(grid: Grid, hub: Path, count: int, baselines: list[tuple[float, float]]) -> None:
    """One row. baselines: p95 and MB per user of the rows so far; the first is what ratios are to."""
    pid = service(hub, "hub")
    before = cpu_seconds(pid)
    async with client_of(hub) as client:
        sessions = await arrive(client, [f"crowd-{count}-{number}" for number in range(count)])
        _tell(sessions)
        hub_now, memory = used(pid), memory_of_users(hub)
        cpu = sum(map(cpu_seconds, sum(of_users(hub), [])))
        started = time.monotonic()
        await leave(client, [session.user for session in sessions])
        stopped = time.monotonic() - started
    starts = [session.start for session in sessions if session.start is not None]
    kernels = [session.kernel for session in sessions if session.kernel is not None]
    p95, each = percentile(starts, 95), memory.total / max(1, len(memory.servers))
    baselines.append((p95, each))
    grid.add(
        count, f"{len(starts)}/{count}", f"{len(kernels)}/{count}", client.throttled,
        percentile(starts, 50), p95, ratio(p95, baselines[0][0]), percentile(kernels, 95), cpu / count,
        hub_now.resident, hub_now.cpu - before, _mean(memory.servers), _mean(memory.kernels), memory.shared,
        memory.total, each, ratio(each, baselines[0][1]), stopped,
    )  # fmt: skip


def bots(_table: object, scratch: str) -> None:
    """Half of the users keep a tab open that asks and runs code all the time, the others leave and are culled."""
    count = max(2, USERS[0])
    grid = Grid("after min", "staying", "leaving", "hub MB", "hub CPU s", "proxy MB", "staying: server MB", "kernel MB",
                "growth MB", "CPU s/min each", "all MB", "ratio")  # fmt: skip
    with Fleet(scratch, 1, **SETTINGS, hub_idle_timeout="2m") as fleet:
        fleet.playbook("deploy", "--skip-tags", "check")
        asyncio.run(_stayers(grid, fleet.hub("hub-0"), count // 2))
    grid.print()


async def _stayers(grid: Grid, hub: Path, half: int) -> None:
    async with client_of(hub) as client:
        staying = await arrive(client, [f"bot-{number}" for number in range(half)])
        leaving = await arrive(client, [f"leaver-{number}" for number in range(half)])
        _tell(staying + leaving)
        first = None
        for minute in (0.0, MINUTES / 2, MINUTES):
            if minute:
                await asyncio.gather(*(stay(client, session, MINUTES * 30) for session in staying))
                _tell(staying)
            now = _Both(hub, staying, leaving)
            first = first or now
            cpu = (now.cpu - first.cpu) / minute / half if minute else 0.0
            grid.add(
                minute, len(now.servers), now.leavers, now.hub.resident, now.hub.cpu, now.proxy.resident, now.server,
                now.kernel, now.server + now.kernel - first.server - first.kernel, f"{cpu:.2f}", now.total,
                ratio(now.total, first.total),
            )  # fmt: skip


class _Both:
    """What a hub with users that stay and users that left uses at a moment."""

    def __init__(self, hub: Path, staying: list[Session], leaving: list[Session]) -> None:
        pids = [of_users(hub, session.user) for session in staying]
        self.servers = [used(pid) for servers, _kernels in pids for pid in servers]
        kernels = [used(pid) for _servers, kernels in pids for pid in kernels]
        self.server = _mean([one.private for one in self.servers])
        self.kernel = _mean([one.private for one in kernels])
        self.cpu = sum(one.cpu for one in self.servers + kernels)
        self.leavers = sum(len(of_users(hub, session.user)[0]) for session in leaving)
        self.total = memory_of_users(hub).total
        self.hub, self.proxy = used(service(hub, "hub")), used(service(hub, "proxy"))


def hubs(_table: object, scratch: str) -> None:
    """Start one hub, then ten at once, each until its check has passed; and what they need without users."""
    grid = Grid("hubs", "all checked s", "ratio", "hub MB", "proxy MB", "culler MB", "MB per hub", "all MB", "ratio")
    first: tuple[float, float] | None = None
    for count in (1, HUBS):
        with Fleet(scratch, count) as fleet:
            fleet.playbook("deploy", "--skip-tags", "check")
            fleet.playbook("stop")
            taken = fleet.playbook("deploy")
            services = ("hub", "proxy", "culler")
            each = {name: [used(service(fleet.hub(hub), name)) for hub in fleet.names] for name in services}
        total = sum(one.proportional for found in each.values() for one in found)
        first = first or (taken.wall, total)
        means = [_mean([one.proportional for one in each[name]]) for name in services]
        grid.add(count, taken.wall, ratio(taken.wall, first[0]), *means, total / count, total, ratio(total, first[1]))
    grid.print()


def percentile(values: list[float], percent: int) -> float:
    """The value that so many percent do not exceed; 0 without any."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0


def _mean(values: list[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _tell(sessions: list[Session]) -> None:
    for session in sessions:
        if session.error:
            print(f"  failed: {session.error}", file=sys.stderr, flush=True)
