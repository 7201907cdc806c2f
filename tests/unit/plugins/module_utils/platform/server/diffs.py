# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare hubs in tests, where nothing is wrong with their supervision."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import HubDiff
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import DesiredHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.diff import diff_hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.cluster import MachineState
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import ObservedHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.apply import (
    ObservedReverseProxy,
)


def diff_of(
    desired: DesiredHub,
    observed: ObservedHub,
    missing: list[str],
    reverse_proxy: ObservedReverseProxy | None = None,
) -> HubDiff:
    """Compare a hub whose services are supervised, as far as they run."""
    reverse_proxy = reverse_proxy or ObservedReverseProxy()
    supervised = {
        service.name: observed.services[service.role].pid
        for service in desired.services
        if service.role in observed.services
    }
    if desired.reverse_proxy:
        supervised[desired.reverse_proxy.service.name] = reverse_proxy.running.pid
    state = MachineState({desired.name: observed}, supervised=supervised, reverse_proxy=reverse_proxy)
    return diff_hub(desired, state, missing)


def texts(diff: HubDiff) -> list[str]:
    """Return the reasons as people see them."""
    return [reason.text for reason in diff.reasons]
