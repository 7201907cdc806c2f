# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe a hub on a machine by the inventory alone, to compare revisions."""

from __future__ import annotations

from ....common.digests import digest
from ....fleet.snapshot import Snapshot
from ....schema.model import Hub
from ..facts.machine import PROXY_ACCOUNT, Setup
from ..layout import Layout
from .copied_files import copied_digests
from .environments import Assets
from .hub import desired_hub


def describe_hub(hub: Hub, directory: str, assets: Assets) -> Snapshot:
    """Return what a revision of the inventory says of a hub: what the machine decides is the same in every revision.

    directory: of the inventory.
    """
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
    return Snapshot(desired.shown, parts, desired.named_versions())
