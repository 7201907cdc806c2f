# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check tries on a hub, by what the inventory says of it."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import Choice, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub


def check_target(hub: Hub, platform: ServerPlatform, every: bool, as_deployed: bool) -> HubTarget:
    """Return a hub, without its token, and what is tried on it: its default choice, or every one.

    as_deployed: at the address that was deployed, which the inventory may have left since.
    """
    environments = hub.environments if every else hub.environments[:1]
    sizes = hub.sizes if every else hub.sizes[:1]
    choices = [
        Choice(
            environment=environment.name,
            size=size.name,
            options={"profile": environment.name, "size": size.name},
            code=environment.check_code,
            expect=environment.check_output,
        )
        for environment in environments
        for size in sizes
    ]
    reverse_proxy = platform.reverse_proxy
    internal = hub.behind_reverse_proxy and hub.cluster["cluster_certificate_source"] == "internal"
    return HubTarget(
        hub.name,
        hub.cluster.name,
        "" if as_deployed else hub.url,
        "",
        choices,
        authorities=platform.authority,
        authority_file=reverse_proxy.root_certificate if internal else "",
        machine=(reverse_proxy.local_address, reverse_proxy.https_port) if hub.behind_reverse_proxy else None,
        renews=hub.behind_reverse_proxy and not hub["hub_tls_certificate"],
    )
