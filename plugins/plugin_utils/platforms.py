# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the platform of each cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    PlatformError,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.queries import Ask
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets


@dataclass
class Platforms:
    """The platforms of clusters by name. unreachable: cluster -> why there is none."""

    found: dict[str, ServerPlatform] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)


def check_deployable(hub: Hub) -> None:
    """Raise PlatformError where this release deploys nothing, so that there is nothing to look at or stop either."""
    if hub.platform == KUBERNETES:
        raise PlatformError(
            f"cluster {hub.cluster.name} is on {KUBERNETES}, where this release does not deploy yet; "
            "write its Helm values with the playbook render, or leave it out with --limit"
        )


def platforms(hubs: list[Hub], directory: str, asking: Callable[[Hub], Ask]) -> Platforms:
    """Return the platform of every cluster that ``hubs`` are in.

    directory: of the inventory. asking: a hub of a cluster -> what asks the machine of the cluster.
    """
    members: dict[str, list[Hub]] = {}
    for hub in hubs:
        check_deployable(hub)
        members.setdefault(hub.cluster.name, []).append(hub)
    made = Platforms()
    for name, some in members.items():
        try:
            made.found[name] = ServerPlatform(some[0].cluster, some, asking(some[0]), assets(), directory)
        except UnreachableError as error:
            made.unreachable[name] = str(error)
        except PlatformError as error:
            raise AnsibleActionFail(f"cluster {name}: {error}; nothing was touched") from None
    return made
