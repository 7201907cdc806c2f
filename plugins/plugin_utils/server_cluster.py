# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on a machine together with the facts of it, for the actions of server_* modules."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import Assets
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import DesiredHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import Service
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.gather import MachineFacts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import Setup
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub


@dataclass(frozen=True)
class ServerCluster:
    """A cluster on a machine together with the facts of it."""

    platform: ServerPlatform
    facts: MachineFacts

    @property
    def setup(self) -> Setup:
        """The cluster's settings on its machine."""
        return self.facts.setup

    @property
    def reverse_proxy(self) -> ReverseProxy:
        """The cluster's reverse proxy."""
        return self.facts.reverse_proxy

    @property
    def assets(self) -> Assets:
        """The collection's files for machines."""
        return self.platform.assets

    @property
    def directory(self) -> str:
        """The inventory directory."""
        return self.platform.inventory.directory

    def desired(self, hub: Hub) -> DesiredHub:
        """Return what a hub should be."""
        return self.platform.desired(hub, self.facts)

    def check_target(self, hub: Hub) -> HubTarget:
        """Return what the check of a deploy tries on a hub."""
        return self.platform.check_targets([hub], self.facts)[0]

    def supervisor(self) -> dict[str, str]:
        """Return what the engine's function create_supervisor() takes."""
        return self.platform.supervisor(self.facts)

    def reverse_proxy_service(self) -> Service:
        """Return the service of the reverse proxy."""
        return self.platform.reverse_proxy_service(self.facts)
