# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory alone says of a hub, on any platform, so that two revisions of it can be compared anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..fleet.changes import CREATE, ORPHANED, UNCHANGED, UPDATE, Change
from ..schema.model import Hub
from .kubernetes.install_files import values_text
from .kubernetes.values.addons import addon_releases
from .kubernetes.values.chart_values import ChartValues
from .server.desired.environments import Assets, digest
from .server.desired.hub import desired_hub
from .server.facts.machine import PROXY_ACCOUNT, Setup
from .server.layout import Layout
from .server.observe.hub import versions_changed
from .server.platform import copied_digests


@dataclass(frozen=True)
class Snapshot:
    """A hub as one revision of the inventory has it.

    show: makes a text for people, without secrets; it costs more than the rest, and only what differs is shown.
    parts: what it consists of, name -> digest.
    versions: what a hub on a machine runs from, as in server.live.VERSIONS.
    """

    show: Callable[[], str]
    parts: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Digest of everything."""
        return digest(self.parts)


def server_snapshot(hub: Hub, directory: str, assets: Assets) -> Snapshot:
    """Return a hub on a machine that nobody has looked at: what the machine decides is the same in every revision."""
    options = hub.cluster.options
    setup = Setup(
        layout=Layout(options["cluster_state_directory"] or f"/var/lib/hubfleet/{hub.cluster.name}"),
        isolation=options["cluster_isolation"],
        supervisor=options["cluster_supervisor"],
        python=options["cluster_python"] or "python3",
        node="node",
        runtime_directory="/run/hubfleet",
        proxy_account=PROXY_ACCOUNT,
        proxy=options["cluster_proxy_version"],
    )
    desired = desired_hub(hub, setup, assets, copied_digests(hub, directory))
    services = {service.role: service.digest for service in desired.services if service.role != "hub"}
    parts = {
        "configuration": digest(desired.config),
        "secrets": digest(desired.secrets),
        "hub_jupyterhub_config": digest(desired.extra),
        "templates or logo": digest(desired.copied),
        "services": digest(services),
        "environments": digest([build.directory for build in desired.builds]),
        "machine": digest(
            [options[name] for name in ("cluster_host", "cluster_package_index", "cluster_npm_registry")]
        ),
    }
    return Snapshot(desired.shown, parts, desired.versions)


def kubernetes_snapshot(hub: Hub, values: ChartValues) -> Snapshot:
    """Return a hub on Kubernetes: its values and those of its add-ons, and where they go."""
    cluster = hub.cluster
    place = {
        "chart": cluster["cluster_chart"],
        "version": hub["hub_chart_version"] or cluster["cluster_chart_version"],
        "repository": cluster["cluster_chart_repository"],
        "namespace": hub.namespace,
        "release": hub.release,
    }
    addons = {release.name: vars(release) for release in addon_releases(hub)}
    parts = {
        "chart": digest(place),
        "values": digest(values.merged),
        "add-ons": digest(addons),
    }

    def show() -> str:
        shown: dict[str, Any] = {
            "place": place,
            "values": hub.redactor.mask(values.merged),
            "addons": hub.redactor.mask(addons),
        }
        return values_text(json.loads(json.dumps(shown)))

    return Snapshot(show, parts)


def compare(hub: str, before: Snapshot | None, after: Snapshot | None) -> Change:
    """Return what a revision changes of a hub; None where a revision does not have it."""
    if before is None and after is not None:
        return Change(hub, CREATE, ["new"], "", after.show(), after.fingerprint)
    if before is not None and after is None:
        return Change(hub, ORPHANED, ["left the inventory"], before.show(), "", "", before.fingerprint)
    if before is None or after is None:
        raise ValueError(f"{hub} is in neither revision")
    reasons = versions_changed(before.versions, after.versions)
    reasons += [part for part, value in after.parts.items() if before.parts.get(part) != value]
    if not reasons:
        return Change(hub, UNCHANGED, [], "", "", after.fingerprint, before.fingerprint)
    return Change(hub, UPDATE, reasons, before.show(), after.show(), after.fingerprint, before.fingerprint)
