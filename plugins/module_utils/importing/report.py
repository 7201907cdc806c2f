# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an import, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.nested import path_text
from ..common.text import aligned, markdown_table, plural
from ..platform.kubernetes.values.layers import leaves
from .factor import ImportedHub

UMBRELLA = (
    "The umbrella chart and its deployer add values that are in none of these files: the defaults of"
    " helm-charts/basehub, an ingress with a TLS secret for the hub's domain, and the OAuth callback URL."
    " For an ingress, set cluster_exposure: ingress and cluster_certificate_issuer (or hub_tls_secret for an existing"
    " certificate); for the callback URL, set hub_defaults_source: collection, or oauth_callback_url in"
    " hub_authenticator_settings."
)


@dataclass
class HubReport:
    """One hub.

    source_cluster, source_hub, files: what it was imported from.
    options, helm_values: how many of its values are options, and how many are Helm values.
    variables: names of its variables; helm_value_paths: places of its Helm values.
    not_imported: parts and the places of their values; invalid: variables that are not valid, and why.
    encrypted_files: files to decrypt; secret_files: new files with secrets that were in plain text.
    """

    name: str
    cluster: str
    tier: str
    source_cluster: str
    source_hub: str
    files: list[str]
    options: int
    helm_values: int
    variables: list[str] = field(default_factory=list)
    helm_value_paths: list[str] = field(default_factory=list)
    not_imported: dict[str, list[str]] = field(default_factory=dict)
    invalid: list[str] = field(default_factory=list)
    encrypted_files: list[str] = field(default_factory=list)
    secret_files: list[str] = field(default_factory=list)
    jsonnet: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The whole import. clusters: group -> sentences; problems: what validation reports of the new inventory."""

    format: str
    hubs: list[HubReport]
    clusters: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        """Return the report as JSON-able data."""
        return {**asdict(self), "options": self.options, "helm_values": self.helm_values}

    @property
    def options(self) -> int:
        """How many values are options."""
        return sum(hub.options for hub in self.hubs)

    @property
    def helm_values(self) -> int:
        """How many values are Helm values."""
        return sum(hub.helm_values for hub in self.hubs)


def hub_report(hub: ImportedHub, secret_files: Iterable[str]) -> HubReport:
    """Return the report of one hub."""
    reconciled, source = hub.reconciled, hub.reconciled.source
    return HubReport(
        name=hub.name,
        cluster=hub.cluster,
        tier=hub.tier,
        source_cluster=source.cluster,
        source_hub=source.hub,
        files=source.files.read,
        options=reconciled.option_count,
        helm_values=reconciled.helm_value_count,
        variables=sorted(hub.variables),
        helm_value_paths=_paths(reconciled.helm_values),
        not_imported={key: _paths(value) for key, value in source.not_imported.items()},
        invalid=reconciled.invalid,
        encrypted_files=source.files.encrypted,
        secret_files=sorted(secret_files),
        jsonnet=source.files.jsonnet,
        notes=[*source.notes, *source.files.notes, *(f"{why}; left as Helm values" for why in reconciled.dropped)],
    )


def _paths(values: Any) -> list[str]:
    """Return the places of values, never the values."""
    return [path_text(path) for path, _value in leaves(values)] if isinstance(values, dict) and values else []


def summary(report: Report) -> list[str]:
    """Return a line per hub and one for all."""
    amounts = [f"{plural(hub.options, 'option')}, {plural(hub.helm_values, 'Helm value')}" for hub in report.hubs]
    rows = []
    for hub, amount in zip(report.hubs, amounts):
        extra = [
            f"{plural(len(found), noun)} {what}"
            for found, noun, what in (
                (hub.encrypted_files, "encrypted file", "to decrypt"),
                (hub.secret_files, "file", "with secrets"),
                (hub.jsonnet, "Jsonnet file", "not read"),
                (hub.not_imported, "part", "not imported"),
                (hub.invalid, "setting", "not valid"),
            )
            if found
        ]
        rows.append((hub.name, amount, ", ".join(extra)))
    lines = aligned(rows)
    total = report.options + report.helm_values
    share = f", {100 * report.options // total} % of them options" if total else ""
    hubs, clusters = len(report.hubs), len({hub.cluster for hub in report.hubs})
    lines.append(f"{plural(hubs, 'hub')} in {plural(clusters, 'cluster')}: {plural(total, 'value')}{share}")
    return lines


def markdown(report: Report) -> str:
    """Return import-report.md."""
    lines = ["# Import report", "", *_table(report), ""]
    if any(hub.secret_files for hub in report.hubs):
        lines += [
            "Secrets that were in plain text are now in `secrets/`, which git ignores. Encrypt them with"
            " `ansible-vault encrypt secrets/*/*`; the inventory reads encrypted files as well.",
            "",
        ]
    if any(hub.encrypted_files for hub in report.hubs):
        lines += [
            "Encrypted files were not read. Decrypt each, add its values to the inventory (encrypted again), and remove"
            " it from `hub_pending_secrets`; until then the hub can be validated, but not deployed.",
            "",
        ]
    lines += _list("Notes", report.notes) + _list("Problems of the new inventory", report.problems)
    for cluster, sentences in report.clusters.items():
        lines += _list(f"Cluster {cluster}", sentences)
    for hub in report.hubs:
        lines += _hub(hub)
    return "\n".join(lines).rstrip() + "\n"


def _table(report: Report) -> list[str]:
    headings = ("hub", "source", "options", "Helm values", "files to decrypt")
    rows: list[tuple[object, ...]] = [
        (
            hub.name,
            f"{hub.source_cluster} / {hub.source_hub}",
            hub.options,
            hub.helm_values,
            len(hub.encrypted_files) or "",
        )
        for hub in report.hubs
    ]
    return markdown_table(headings, [*rows, ("all", "", report.options, report.helm_values, "")], numbers=headings[2:])


def _hub(hub: HubReport) -> list[str]:
    not_imported = [f"{part}{': ' + ', '.join(paths) if paths else ''}" for part, paths in hub.not_imported.items()]
    sections = {
        "Files": hub.files,
        "Variables": hub.variables,
        "Helm values": hub.helm_value_paths,
        "Not imported": not_imported,
        "Not valid": hub.invalid,
        "Encrypted files to decrypt": hub.encrypted_files,
        "Secrets that were in plain text": hub.secret_files,
        "Jsonnet files, not read": hub.jsonnet,
        "Notes": hub.notes,
    }
    lines = [line for title, items in sections.items() for line in _list(title, items, level=3)]
    return [f"## {hub.name}", "", *lines]


def _list(title: str, items: list[str], level: int = 2) -> list[str]:
    return [f"{'#' * level} {title}", "", *(f"- {item}" for item in items), ""] if items else []
