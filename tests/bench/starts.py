# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start of one session costs, with and without what makes it cheap."""

import asyncio
import os
import shutil
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fleets import Fleet
from measure import Grid, ratio, timed
from processes import cpu_seconds, of_users, service, used
from users import Deadline, HubClient, Session, begin, client_of, first_code, hub_api, leave

ROUNDS = 5
USER = "starter"
#: The environment as it is; without rfc3987, for which jsonschema then builds a parser; and without .pyc files, too.
ENVIRONMENTS = {
    "now": {"title": "As built"},
    "parser": {"title": "Builds a parser", "packages": ["six"]},
    "sources": {"title": "Compiles its sources", "packages": ["six", "toolz"]},
}
IMPORTS = "import jupyterhub.singleuser.extension, jupyterlab.labapp, notebook.app, jupyter_resource_usage, jupyter_lsp"


@dataclass
class Costs:
    """Of several starts in one environment: CPU seconds, wall seconds until ready, MB."""

    server: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    hub: list[float] = field(default_factory=list)
    kernel: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def start(_table: object, scratch: str) -> None:
    """Start a server and a kernel five times, in an environment as built and in two that are as they were before."""
    settings = {"hub_environment_catalogue": ENVIRONMENTS, "hub_environments": list(ENVIRONMENTS)}
    with Fleet(scratch, 1, **settings) as fleet:
        fleet.playbook("deploy", "--skip-tags", "check")
        environments = {name: _environment(fleet, name) for name in ENVIRONMENTS}
        _worsen(environments["parser"], environments["sources"])
        costs = asyncio.run(_rounds(fleet.hub("hub-0")))
        imports = {name: [_imports(path) for _each in range(ROUNDS)] for name, path in environments.items()}
    grid = Grid("what (median of 5)", *ENVIRONMENTS, "now to parser", "now to sources")
    for what, values in (
        ("server until ready, CPU s", {name: cost.server for name, cost in costs.items()}),
        ("  of this: imports alone, CPU s", imports),
        ("server until ready, wall s", {name: cost.wall for name, cost in costs.items()}),
        ("hub per start, CPU s", {name: cost.hub for name, cost in costs.items()}),
        ("kernel until code ran, CPU s", {name: cost.kernel for name, cost in costs.items()}),
        ("server, private MB", {name: cost.memory for name, cost in costs.items()}),
    ):
        now, parser, sources = (statistics.median(values[name]) for name in ENVIRONMENTS)
        grid.add(what, f"{now:.2f}", f"{parser:.2f}", f"{sources:.2f}", ratio(now, parser), ratio(now, sources))
    grid.print()


def _worsen(parser: str, sources: str) -> None:
    """Take from environments what makes starts cheap. Deployed ones are never changed; these nobody will use again."""
    for environment in (parser, sources):
        python = f"{environment}/bin/python"
        timed([f"{sys.prefix}/bin/uv", "pip", "uninstall", "--quiet", "--python", python, "rfc3987"])
    for cache in list(Path(sources, "lib").rglob("__pycache__")):
        shutil.rmtree(cache)


def _environment(fleet: Fleet, name: str) -> str:
    return os.path.realpath(Path(fleet.directory, "state", "environments", name))


def _imports(environment: str) -> float:
    return timed([f"{environment}/bin/python", "-I", "-B", "-c", IMPORTS]).cpu


async def _rounds(hub: Path) -> dict[str, Costs]:
    """The environments take turns, so that a busy machine is busy for both; the first round fills the page cache."""
    costs: dict[str, Costs] = {}
    async with client_of(hub) as client:
        await hub_api.create_user(client, USER, Deadline(60))
        for number in range(ROUNDS + 1):
            for name in ENVIRONMENTS:
                if number == 1:
                    costs[name] = Costs()
                await _one(hub, client, name, costs.setdefault(name, Costs()))
    return costs


async def _one(hub: Path, client: HubClient, environment: str, costs: Costs) -> None:
    session, before = Session(USER), cpu_seconds(service(hub, "hub"))
    await begin(client, session, {"profile": environment}, kernel=False)
    if session.error:
        sys.exit(session.error)
    costs.wall.append(session.start or 0)
    costs.hub.append(cpu_seconds(service(hub, "hub")) - before)
    [server], _none = of_users(hub, USER)
    costs.server.append(cpu_seconds(server))
    await first_code(client, session, Deadline(60))
    [server], [kernel] = of_users(hub)
    costs.kernel.append(cpu_seconds(kernel))
    costs.memory.append(used(server).private)
    await leave(client, [USER])
