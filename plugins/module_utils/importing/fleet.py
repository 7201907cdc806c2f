# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import existing hubs: from their files to an inventory that renders to the same values."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from ..common.nested import depth_of
from ..common.text import plural
from ..platform.kubernetes.chart.charts import Charts
from ..platform.kubernetes.values.chart_values import LAYERS, ChartCode
from ..platform.kubernetes.values.layers import Values, same
from ..schema.authenticators import AUTHENTICATORS
from ..schema.model import TIERS, FleetInput, HostInput
from ..schema.option import KUBERNETES
from ..schema.problems import nearest
from ..schema.validate import validate
from .catalogues import Catalogues
from .errors import FleetImportError
from .factor import ImportedHub, Layers, factor
from .ignored_problems import ignore_existing_problems
from .infer import Variables
from .infer_exposure import infer_exposure
from .jupyterhub_config import read_jupyterhub_config
from .naming import group_names, host_names
from .option_values import chart_value
from .reconcile import NOT_VALIDATED, ReconciledHub, check_values, reconcile
from .report import UMBRELLA, HubReport, Report, hub_report, markdown
from .sources import Source, SourceFleet
from .tljh import read_tljh
from .tree_2i2c import read_2i2c
from .write import InventoryFiles, render_files, write_files
from .z2jh import read_z2jh

FORMATS = ("2i2c", "z2jh", "tljh", "jupyterhub_config")
#: Formats of hubs on a machine, which have no values of the chart.
_OF_MACHINES = ("tljh", "jupyterhub_config")
MARKDOWN, JSON = "import-report.md", "import-report.json"

#: Reported of a hub without an authenticator, or with one that accepts everybody.
NO_AUTHENTICATION = "anybody can log in as anybody, as before (hub_demonstration: true); choose an authenticator"
ONE_PASSWORD = (
    "whoever knows the password in DummyAuthenticator can log in as anybody, as before (hub_demonstration: true);"
    " choose an authenticator"
)

#: Where the chart's values choose the authenticator.
AUTHENTICATOR_CLASS = ("hub", "config", "JupyterHub", "authenticator_class")

#: progress(sentence): prints what the import does next.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class ImportRequest:
    """What to import.

    paths: the source - a tree or a cluster's directory (2i2c), values files in Helm's order (z2jh), a config.yaml
        (tljh), a jupyterhub_config.py (jupyterhub_config).
    directory: of the new inventory.
    hub, cluster, tier: of the hub, for all formats but 2i2c; "" takes them from the names of the files.
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
class ImportResult:
    """The report, and the files that were written or would be written."""

    report: Report
    changed: list[str]


def import_fleet(
    request: ImportRequest,
    code: ChartCode,
    charts: Charts,
    progress: Progress = lambda _sentence: None,
    jupyterhub_records: str = "",
) -> ImportResult:
    """Import hubs; raises FleetImportError before anything is written.

    charts: the known charts, which the hubs are validated against.
    jupyterhub_records: the directory with what is recorded of versions of JupyterHub.
    """
    _check_request(request)
    source = _read(request, jupyterhub_records)
    if not source.hubs:
        raise FleetImportError(f"{request.paths[0]}: has no hubs")
    progress(f"read {plural(len(source.hubs), 'hub')}; finding options for their values")
    catalogues = {hub.cluster: Catalogues() for hub in source.hubs}
    reconciled = _reconcile_all(source.hubs, catalogues, code, request.format)
    groups = group_names([hub.cluster for hub in source.hubs])
    hubs = _imported_hubs(reconciled, groups, request.format)
    layers = factor(hubs, {groups[cluster]: entries for cluster, entries in catalogues.items()})
    progress("comparing the values of every hub with the source")
    _compare(hubs, layers, code)
    problems = [f"{hub.name}: {_openness(hub)}" for hub in hubs if hub.variables.get("hub_demonstration")]
    problems += ignore_existing_problems(lambda: _inventory(hubs, layers), layers, charts, code)
    files = render_files(hubs, layers, {hub.name: _origin(hub, request.format) for hub in hubs})
    cluster_notes = {groups.get(cluster, cluster): notes for cluster, notes in source.cluster_notes.items() if notes}
    notes = [*source.notes, *([UMBRELLA] if request.format == "2i2c" else [])]
    hub_reports = [_hub_report(hub, files, layers) for hub in hubs]
    report = Report(request.format, hub_reports, cluster_notes, notes, problems)
    files.files[MARKDOWN] = markdown(report)
    files.files[JSON] = json.dumps(report.content(), indent=2, ensure_ascii=False) + "\n"
    return ImportResult(report, write_files(request.directory, files, request.overwrite, request.check))


def _check_request(request: ImportRequest) -> None:
    if not request.paths:
        raise FleetImportError("import_source: is not set; set it to what is imported, -e import_source=PATH")
    if not request.directory:
        raise FleetImportError(
            "import_directory: is not set; set it to where the inventory is written, -e import_directory=PATH"
        )
    if request.format not in FORMATS:
        hint = nearest(request.format, FORMATS, "allowed")
        raise FleetImportError(
            f"import_format: {f'{request.format!r} is not known' if request.format else 'is not set'}{hint}"
        )
    if request.tier and request.tier not in TIERS:
        raise FleetImportError(f"import_tier: {request.tier!r} is not known{nearest(request.tier, TIERS, 'allowed')}")
    for name, text in (("hub", request.hub), ("cluster", request.cluster)):
        if not text.isascii():
            raise FleetImportError(
                f"import_{name}: {text!r}: names consist of lower-case letters a to z, digits and '-'"
            )
    for path in request.paths:
        if not os.path.exists(path):
            raise FleetImportError(f"{path}: there is no such file or directory")
    given = [name for name in ("hub", "cluster", "tier") if getattr(request, name)]
    if request.format == "2i2c" and (given or len(request.paths) > 1):
        name = given[0] if given else "source"
        raise FleetImportError(f"import_{name}: 2i2c's trees are one directory, and name their hubs themselves")


def _read(request: ImportRequest, jupyterhub_records: str) -> SourceFleet:
    if request.format == "2i2c":
        return read_2i2c(request.paths[0])
    for path in request.paths:
        if os.path.isdir(path):
            raise FleetImportError(f"{path}: is a directory; name a file")
    names = (request.paths, request.hub, request.cluster, request.tier)
    if request.format == "jupyterhub_config":
        return read_jupyterhub_config(*names, jupyterhub_records)
    return read_z2jh(*names) if request.format == "z2jh" else read_tljh(*names)


def _reconcile_all(
    sources: list[Source], catalogues: dict[str, Catalogues], code: ChartCode, form: str
) -> list[ReconciledHub]:
    """Return every hub as options and Helm values, in the order of the sources."""
    if form in _OF_MACHINES:
        return [ReconciledHub(source, dict(source.variables), {}) for source in sources]
    by_source: dict[int, ReconciledHub] = {}
    for cluster, entries in catalogues.items():
        for hub in _reconcile_cluster([source for source in sources if source.cluster == cluster], entries, code):
            by_source[id(hub.source)] = hub
    return [by_source[id(source)] for source in sources]


def _reconcile_cluster(sources: list[Source], entries: Catalogues, code: ChartCode) -> list[ReconciledHub]:
    """Return the hubs of a cluster, with its exposure as options where these fit all of its hubs."""
    exposures = [infer_exposure(source.values) for source in sources]
    shared = exposures[0][0]
    if shared and all(same(cluster, shared) for cluster, _hub in exposures):
        wanted = [{**cluster, **hub} for cluster, hub in exposures]
        hubs = [_reconcile(source, entries, code, exposure) for source, exposure in zip(sources, wanted)]
        if all(exposure.keys() <= hub.variables.keys() for exposure, hub in zip(wanted, hubs)):
            return hubs
    return [_reconcile(source, entries, code, {}) for source in sources]


def _reconcile(source: Source, entries: Catalogues, code: ChartCode, exposure: Variables) -> ReconciledHub:
    try:
        return reconcile(source, entries, code, exposure)
    except FleetImportError as error:
        raise FleetImportError(f"{source.cluster}/{source.hub}: {error}") from error


def _imported_hubs(reconciled: list[ReconciledHub], groups: dict[str, str], form: str) -> list[ImportedHub]:
    """Return the hubs with their names in the inventory."""
    sources = [hub.source for hub in reconciled]
    preferred = [f"{source.cluster}-{source.hub}" if form == "2i2c" else source.hub for source in sources]
    hubs = []
    for name, hub in zip(host_names(preferred, list(groups.values())), reconciled):
        variables = dict(hub.variables)
        encrypted = hub.source.files.encrypted
        if encrypted:
            variables["hub_pending_secrets"] = encrypted
        if variables["cluster_platform"] == KUBERNETES and _allows_anybody(hub.source.values, bool(encrypted)):
            variables["hub_demonstration"] = True
        hubs.append(ImportedHub(name, groups[hub.source.cluster], hub.source.tier, variables, hub))
    return hubs


def _allows_anybody(values: Values, encrypted: bool) -> bool:
    """Tell whether a hub's authenticator accepts everybody.

    The chart's default does, unless encrypted files may choose another one.
    """
    if depth_of(values, AUTHENTICATOR_CLASS) < len(AUTHENTICATOR_CLASS):
        return not encrypted
    chosen = chart_value(values, ".".join(AUTHENTICATOR_CLASS))
    if chosen is None:
        return not encrypted
    return any(
        isinstance(chosen, str)
        and (chosen.rpartition(".")[2] == each.config_class or chosen.lower() == each.entry_point)
        for each in AUTHENTICATORS
        if each.demonstration
    )


def _openness(hub: ImportedHub) -> str:
    """Return the sentence about a hub that is not for real users."""
    password = chart_value(hub.reconciled.source.values, "hub.config.DummyAuthenticator.password")
    return ONE_PASSWORD if isinstance(password, str) and password else NO_AUTHENTICATION


def _compare(hubs: list[ImportedHub], layers: Layers, code: ChartCode) -> None:
    """Raise FleetImportError unless every hub has the values of its source."""
    # Problems in add-ons and Helm values are the source's own and prevent no import; they are compared all the same.
    inventory = _inventory(hubs, layers, NOT_VALIDATED)
    fleet, problems = validate(inventory)
    for imported in hubs:
        if imported.variables["cluster_platform"] != KUBERNETES:
            continue
        hub = fleet.hubs.get(imported.name)
        if hub is None:
            first = problems.of(inventory.hosts)[0].line()
            raise FleetImportError(f"{imported.name}: the imported hub is not valid: {first}")
        variables = layers.of(imported)
        for name in LAYERS:
            (hub.options if name in hub.options else hub.cluster.options)[name] = variables.get(name)
        check_values(hub, imported.reconciled.source.values, code)


def _inventory(hubs: list[ImportedHub], layers: Layers, without: tuple[str, ...] = ()) -> FleetInput:
    """Return the new inventory without some of its variables."""
    clusters: dict[str, list[str]] = {}
    hosts = {}
    for hub in hubs:
        clusters.setdefault(hub.cluster, []).append(hub.name)
        variables = {name: value for name, value in layers.of(hub).items() if name not in without}
        hosts[hub.name] = HostInput(hub.name, variables, frozenset({hub.tier}))
    return FleetInput(hosts, clusters)


def _origin(hub: ImportedHub, form: str) -> str:
    source = hub.reconciled.source
    return f"{source.cluster} / {source.hub}" if form == "2i2c" else ", ".join(source.files.read) or source.hub


def _hub_report(hub: ImportedHub, files: InventoryFiles, layers: Layers) -> HubReport:
    """Return the report of a hub, with the secrets that it inherits from its cluster and the fleet."""
    inherited = {**layers.clusters[hub.cluster], **layers.fleet}.keys() - layers.hubs[hub.name].keys()
    secrets = []
    for path in files.secrets:
        # secrets/OWNER/VARIABLE.KEY
        _folder, owner, name = path.split("/")
        if owner == hub.name or (owner in (hub.cluster, "all") and name.split(".")[0] in inherited):
            secrets.append(path)
    return hub_report(hub, secrets)
