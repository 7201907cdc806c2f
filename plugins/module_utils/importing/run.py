# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import existing hubs: from their files to an inventory that gives the same values again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from ..common.nested import depth_of
from ..platform.kubernetes.chart.charts import Charts
from ..platform.kubernetes.values.chart_values import LAYERS, ChartCode
from ..platform.kubernetes.values.layers import Values, same
from ..schema.authenticators import AUTHENTICATORS
from ..schema.model import TIERS, Fleet, FleetInput, HostInput
from ..schema.option import KUBERNETES
from ..schema.problems import nearest
from ..schema.validate import validate
from .catalogues import Catalogues
from .errors import ImportProblem
from .existing_problems import ignore_existing
from .factor import Layers, Member, lift
from .infer import Variables
from .infer_exposure import guess_route
from .naming import group_names, host_names
from .reconcile import UNJUDGED, Exact, check, exact
from .reconcile_values import at
from .report import UMBRELLA, HubReport, Report, markdown, report_of
from .sources import Source, Tree
from .tljh import read_tljh
from .tree_2i2c import read_2i2c
from .write import Fileset, render_files, write_files
from .z2jh import read_z2jh

FORMATS = ("2i2c", "z2jh", "tljh")
MARKDOWN, JSON = "import-report.md", "import-report.json"

#: What is said of a hub that had no authenticator, or one that checks nothing.
OPEN = "anybody can log in as anybody, as before (hub_demonstration: true); choose an authenticator"

#: Where the chart's values say how people log in.
CLASS = ("hub", "config", "JupyterHub", "authenticator_class")

#: progress(sentence): tells a person how far it is.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What to import.

    paths: the source - a tree or a cluster's directory (2i2c), values files in Helm's order (z2jh), a
        config.yaml (tljh).
    directory: where the inventory goes.
    hub, cluster, tier: name the hub of z2jh and tljh; "" for what the file says.
    overwrite: replace the files that an import writes. check: write nothing.
    """

    paths: list[str]
    format: str
    directory: str
    hub: str = ""
    cluster: str = ""
    tier: str = ""
    overwrite: bool = False
    check: bool = False


@dataclass
class Imported:
    """The report, and the files that were written or would be."""

    report: Report
    changed: list[str]


def import_fleet(
    request: Request, code: ChartCode, charts: Charts, progress: Progress = lambda _sentence: None
) -> Imported:
    """Import hubs; raises ImportProblem, before anything is written, where that is not possible.

    charts: what is known of charts, to tell what was wrong with the hubs before.
    """
    _check_request(request)
    tree = _read(request)
    if not tree.sources:
        raise ImportProblem(f"{request.paths[0]}: there is no hub in it")
    progress(f"read {len(tree.sources)} hub{'' if len(tree.sources) == 1 else 's'}; finding options for their values")
    catalogues = {source.cluster: Catalogues() for source in tree.sources}
    made = _all_made(tree.sources, catalogues, code, request.format)
    groups = group_names([source.cluster for source in tree.sources])
    members, tiers = _members(made, groups, request)
    layers = lift(members, {groups[cluster]: entries for cluster, entries in catalogues.items()})
    progress("comparing the values of every hub with the source")
    _verify(members, made, tiers, layers, code)
    faults = [f"{member.name}: {OPEN}" for member in members if member.variables.get("hub_demonstration")]
    faults += ignore_existing(lambda: _inventory(members, tiers, layers, ()), layers, charts, code)
    origins = {member.name: _origin(each.source, request.format) for member, each in zip(members, made)}
    files = render_files(members, tiers, layers, origins)
    report = Report(request.format, [], _cluster_notes(tree, groups), list(tree.notes), faults)
    report.hubs = [_hub_report(member, tiers[member.name], each, files, layers) for member, each in zip(members, made)]
    if request.format == "2i2c":
        report.notes.append(UMBRELLA)
    files.files[MARKDOWN] = markdown(report)
    files.files[JSON] = json.dumps(report.content(), indent=2, ensure_ascii=False) + "\n"
    return Imported(report, write_files(request.directory, files, request.overwrite, request.check))


def _check_request(request: Request) -> None:
    if not request.paths:
        raise ImportProblem("import_source: is not set; set it to what is imported, -e import_source=PATH")
    if not request.directory:
        raise ImportProblem(
            "import_directory: is not set; set it to where the inventory is written, -e import_directory=PATH"
        )
    if request.format not in FORMATS:
        hint = nearest(request.format, FORMATS, "allowed")
        raise ImportProblem(
            f"import_format: {f'{request.format!r} is not known' if request.format else 'is not set'}{hint}"
        )
    if request.tier and request.tier not in TIERS:
        raise ImportProblem(f"import_tier: {request.tier!r} is not known{nearest(request.tier, TIERS, 'allowed')}")
    for name, text in (("hub", request.hub), ("cluster", request.cluster)):
        if not text.isascii():
            raise ImportProblem(f"import_{name}: {text!r}: names are made of lower-case letters a to z, digits and '-'")
    for path in request.paths:
        if not os.path.exists(path):
            raise ImportProblem(f"{path}: there is no such file or directory")
    given = [name for name in ("hub", "cluster", "tier") if getattr(request, name)]
    if request.format == "2i2c" and (given or len(request.paths) > 1):
        what = given[0] if given else "source"
        raise ImportProblem(f"import_{what}: 2i2c's trees are one directory, and name their hubs themselves")


def _read(request: Request) -> Tree:
    if request.format == "2i2c":
        return read_2i2c(request.paths[0])
    read = read_z2jh if request.format == "z2jh" else read_tljh
    for path in request.paths:
        if os.path.isdir(path):
            raise ImportProblem(f"{path}: is a directory; name a file")
    return read(request.paths, request.hub, request.cluster, request.tier)


def _all_made(sources: list[Source], catalogues: dict[str, Catalogues], code: ChartCode, form: str) -> list[Exact]:
    """Return every hub as options and Helm values, in the order of the sources."""
    if form == "tljh":
        return [Exact(source, dict(source.variables), {}) for source in sources]
    found: dict[int, Exact] = {}
    for cluster, entries in catalogues.items():
        hubs = [source for source in sources if source.cluster == cluster]
        for source, made in zip(hubs, _cluster_made(hubs, entries, code)):
            found[id(source)] = made
    return [found[id(source)] for source in sources]


def _cluster_made(hubs: list[Source], entries: Catalogues, code: ChartCode) -> list[Exact]:
    """Return the hubs of a cluster, with its route as options where these say all of the route of all hubs."""
    routes = [guess_route(source.wanted) for source in hubs]
    shared = routes[0][0]
    if shared and all(same(cluster, shared) for cluster, _hub in routes):
        wished = [{**cluster, **hub} for cluster, hub in routes]
        made = [_made(source, entries, code, route) for source, route in zip(hubs, wished)]
        if all(route.keys() <= each.variables.keys() for route, each in zip(wished, made)):
            return made
    return [_made(source, entries, code, {}) for source in hubs]


def _made(source: Source, entries: Catalogues, code: ChartCode, route: Variables) -> Exact:
    try:
        return exact(source, entries, code, route)
    except ImportProblem as error:
        raise ImportProblem(f"{source.cluster}/{source.hub}: {error}") from error


def _members(made: list[Exact], groups: dict[str, str], request: Request) -> tuple[list[Member], dict[str, str]]:
    """Return the hubs with their inventory names, and their tiers by name."""
    wished = [
        f"{each.source.cluster}-{each.source.hub}" if request.format == "2i2c" else each.source.hub for each in made
    ]
    members, tiers = [], {}
    for name, each in zip(host_names(wished, list(groups.values())), made):
        variables = dict(each.variables)
        pending = each.source.files.pending
        if pending:
            variables["hub_pending_secrets"] = pending
        if variables["cluster_platform"] == KUBERNETES and _lets_anybody_in(each.source.wanted, bool(pending)):
            variables["hub_demonstration"] = True
        members.append(Member(name, groups[each.source.cluster], variables, each.helm))
        tiers[name] = each.source.tier
    return members, tiers


def _lets_anybody_in(wanted: Values, pending: bool) -> bool:
    """Tell whether a hub's authenticator checks nothing.

    The chart's own is such a one where nothing is said, unless files that are still to be brought say it.
    """
    if depth_of(wanted, CLASS) < len(CLASS):
        return not pending
    chosen = at(wanted, ".".join(CLASS))
    if chosen is None:
        return not pending
    return any(
        isinstance(chosen, str)
        and (chosen.rpartition(".")[2] == each.config_class or chosen.lower() == each.entry_point)
        for each in AUTHENTICATORS
        if each.demonstration
    )


def _verify(members: list[Member], made: list[Exact], tiers: dict[str, str], layers: Layers, code: ChartCode) -> None:
    """Raise ImportProblem unless every hub has its values."""
    # Placeholders and the like are the source's own, and no reason not to import it: these are compared all the same.
    fleet, problems = _validated(members, tiers, layers, UNJUDGED)
    for member, each in zip(members, made):
        if member.variables["cluster_platform"] != KUBERNETES:
            continue
        hub = fleet.hubs.get(member.name)
        if hub is None:
            raise ImportProblem(f"{member.name}: is not valid once imported: {problems[0]}")
        given = layers.of(member.cluster, member.name)
        for name in LAYERS:
            (hub.options if name in hub.options else hub.cluster.options)[name] = given.get(name)
        check(hub, each.source.wanted, code)


def _validated(
    members: list[Member], tiers: dict[str, str], layers: Layers, leave_out: tuple[str, ...]
) -> tuple[Fleet, list[str]]:
    """Return the fleet without some of its variables, and what validation says of it."""
    inventory = _inventory(members, tiers, layers, leave_out)
    fleet, problems = validate(inventory)
    return fleet, [problem.line() for problem in problems.of(inventory.hosts)]


def _inventory(members: list[Member], tiers: dict[str, str], layers: Layers, leave_out: tuple[str, ...]) -> FleetInput:
    """Return the inventory that is to be written, without some of its variables."""
    clusters: dict[str, list[str]] = {}
    hosts = {}
    for member in members:
        clusters.setdefault(member.cluster, []).append(member.name)
        variables = layers.of(member.cluster, member.name)
        variables = {name: value for name, value in variables.items() if name not in leave_out}
        hosts[member.name] = HostInput(member.name, variables, frozenset({tiers[member.name]}))
    return FleetInput(hosts, clusters)


def _cluster_notes(tree: Tree, groups: dict[str, str]) -> dict[str, list[str]]:
    return {groups.get(cluster, cluster): notes for cluster, notes in tree.cluster_notes.items() if notes}


def _origin(source: Source, form: str) -> str:
    return f"{source.cluster} / {source.hub}" if form == "2i2c" else ", ".join(source.files.read) or source.hub


def _hub_report(member: Member, tier: str, made: Exact, files: Fileset, layers: Layers) -> HubReport:
    """Return the report of a hub; secrets of its cluster and of the fleet are its own as well."""
    own = [name for name in files.secrets if name.split("/")[1] == member.name]
    shared = [name for name in files.secrets if name.split("/")[1] in (member.cluster, "all")]
    given = {**layers.clusters[member.cluster], **layers.fleet}
    used = [
        name for name in shared if _variable_of(name) in given and _variable_of(name) not in layers.hubs[member.name]
    ]
    return report_of(member, tier, made, [*own, *used])


def _variable_of(secret: str) -> str:
    """Return the variable that the file of a secret belongs to; its name starts with it."""
    return secret.split("/")[2].split(".")[0]
