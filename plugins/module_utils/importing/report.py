# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import did with everything it found: for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.nested import path_text
from ..common.text import aligned, markdown_table, plural
from ..platform.kubernetes.values.layers import leaves
from .factor import Member
from .reconcile import Exact

UMBRELLA = (
    "The umbrella chart and its deployer add more by themselves, which is in none of these files: the defaults of"
    " helm-charts/basehub, an ingress with a TLS secret for the hub's domain, and the callback address of OAuth."
    " An ingress is had with cluster_exposure: ingress and cluster_certificate_issuer (or hub_tls_secret for a"
    " certificate that is there already); the callback address with hub_defaults_source: collection, or as"
    " oauth_callback_url in hub_authenticator_settings."
)


@dataclass
class HubReport:
    """One hub.

    source_cluster, source_hub, files: what it was made from.
    options, helm_values: how many of its values are said by options, and how many are Helm values.
    mapped: the options; kept: places of the Helm values.
    not_carried_over: parts and their keys; lost: what was not valid, and why.
    secrets_to_bring: encrypted files; secret_files: files with secrets that were in plain text.
    """

    name: str
    cluster: str
    tier: str
    source_cluster: str
    source_hub: str
    files: list[str]
    options: int
    helm_values: int
    mapped: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    not_carried_over: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    secrets_to_bring: list[str] = field(default_factory=list)
    secret_files: list[str] = field(default_factory=list)
    jsonnet: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The whole import. clusters: group -> sentences; problems: what validation says of the result."""

    format: str
    hubs: list[HubReport]
    clusters: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "options": self.options, "helm_values": self.helm_values}

    @property
    def options(self) -> int:
        """How many values options say."""
        return sum(hub.options for hub in self.hubs)

    @property
    def helm_values(self) -> int:
        """How many values are Helm values."""
        return sum(hub.helm_values for hub in self.hubs)


def report_of(member: Member, tier: str, made: Exact, secret_files: Iterable[str]) -> HubReport:
    """Return the report of one hub."""
    source = made.source
    return HubReport(
        name=member.name,
        cluster=member.cluster,
        tier=tier,
        source_cluster=source.cluster,
        source_hub=source.hub,
        files=source.files.read,
        options=made.typed,
        helm_values=made.raw,
        mapped=sorted(member.variables),
        kept=[path_text(path) for path, _value in leaves(made.helm)] if made.helm else [],
        not_carried_over={key: _keys(value) for key, value in source.left.items()},
        lost=made.lost,
        secrets_to_bring=source.files.pending,
        secret_files=sorted(secret_files),
        jsonnet=source.files.jsonnet,
        notes=[*source.notes, *source.files.notes],
    )


def _keys(value: Any) -> list[str]:
    """Return the places of a part's values, never the values."""
    return [path_text(path) for path, _value in leaves(value)] if isinstance(value, dict) and value else []


def summary(report: Report) -> list[str]:
    """Return a line per hub and one for all."""
    amounts = [f"{hub.options} by options, {hub.helm_values} as Helm values" for hub in report.hubs]
    rows = []
    for hub, amount in zip(report.hubs, amounts):
        extra = [
            f"{plural(len(found), noun)} {what}"
            for found, noun, what in (
                (hub.secrets_to_bring, "encrypted file", "to bring"),
                (hub.secret_files, "secret", "in a file of its own"),
                (hub.jsonnet, "jsonnet file", "not read"),
                (hub.not_carried_over, "part", "not carried over"),
                (hub.lost, "setting", "not valid"),
            )
            if found
        ]
        rows.append((hub.name, amount, ", ".join(extra)))
    lines = aligned(rows)
    total = report.options + report.helm_values
    share = f", {100 * report.options // total} % of them by options" if total else ""
    hubs, clusters = len(report.hubs), len({hub.cluster for hub in report.hubs})
    lines.append(f"{plural(hubs, 'hub')} in {plural(clusters, 'cluster')}: {plural(total, 'value')}{share}")
    return lines


def markdown(report: Report) -> str:
    """Return import-report.md."""
    lines = ["# Import report", "", *_table(report), ""]
    if any(hub.secret_files for hub in report.hubs):
        lines += [
            "Secrets that stood in plain text are now in `secrets/`, which git ignores. Encrypt them with"
            " `ansible-vault encrypt secrets/*/*`; the inventory reads encrypted files as well.",
            "",
        ]
    if any(hub.secrets_to_bring for hub in report.hubs):
        lines += [
            "Encrypted files were not read. Decrypt each, bring what it holds into the inventory (encrypted again),"
            " and take it off `hub_pending_secrets`; until then the hub can be validated, not deployed.",
            "",
        ]
    lines += _list("Notes", report.notes) + _list("What validation says of the result", report.problems)
    for cluster, sentences in report.clusters.items():
        lines += _list(f"Cluster {cluster}", sentences)
    for hub in report.hubs:
        lines += _hub(hub)
    return "\n".join(lines).rstrip() + "\n"


def _table(report: Report) -> list[str]:
    headings = ("hub", "from", "by options", "Helm values", "secrets to bring")
    rows: list[tuple[object, ...]] = [
        (
            hub.name,
            f"{hub.source_cluster} / {hub.source_hub}",
            hub.options,
            hub.helm_values,
            len(hub.secrets_to_bring) or "",
        )
        for hub in report.hubs
    ]
    return markdown_table(headings, [*rows, ("all", "", report.options, report.helm_values, "")], numbers=headings[2:])


def _hub(hub: HubReport) -> list[str]:
    left = [f"{part}{': ' + ', '.join(keys) if keys else ''}" for part, keys in hub.not_carried_over.items()]
    return [
        f"## {hub.name}",
        "",
        *_list("Files", hub.files, level=3),
        *_list("Options", hub.mapped, level=3),
        *_list("Kept as Helm values", hub.kept, level=3),
        *_list("Not carried over", left, level=3),
        *_list("Not valid", hub.lost, level=3),
        *_list("Secrets to bring (encrypted files)", hub.secrets_to_bring, level=3),
        *_list("Secrets that stood in plain text", hub.secret_files, level=3),
        *_list("Jsonnet, not read", hub.jsonnet, level=3),
        *_list("Notes", hub.notes, level=3),
    ]


def _list(title: str, items: list[str], level: int = 2) -> list[str]:
    return [f"{'#' * level} {title}", "", *(f"- {item}" for item in items), ""] if items else []
