# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, roles and Python of a hub, and the parts that namespace rights leave out."""

from __future__ import annotations

from collections.abc import Iterator

from ....schema.cross_checks import METRICS_SERVICE
from ....schema.model import Hub
from ....schema.user_names import written_names
from .settings import Setting, setting

#: The chart runs extraConfig in the order of its keys; the operator's own comes last.
EXTRA_CONFIG = "zz-hub_jupyterhub_config"

#: hub_services' keys: what the chart calls them.
SERVICE_KEYS = {
    "url": "url",
    "api_token": "apiToken",
    "command": "command",
    "environment": "environment",
    "oauth_redirect_uri": "oauth_redirect_uri",
    "oauth_client_id": "oauth_client_id",
    "oauth_client_allowed_scopes": "oauth_client_allowed_scopes",
    "oauth_no_confirm": "oauth_no_confirm",
    "display": "display",
}

#: Nodes that hubs and proxies run on: every place of the chart that selects them.
CORE_NODES = (
    "hub.nodeSelector",
    "proxy.chp.nodeSelector",
    "proxy.traefik.nodeSelector",
    "scheduling.userScheduler.nodeSelector",
    "prePuller.hook.nodeSelector",
)

#: Parts of the chart with objects outside of a namespace, or in kinds that namespace rights seldom hold.
#: Rendered and installed with a single Role to prove it; see docs/architecture.md.
WIDE_PARTS = (
    "scheduling.userScheduler.enabled",
    "scheduling.podPriority.enabled",
    "scheduling.userPlaceholder.enabled",
    "prePuller.hook.enabled",
    "prePuller.continuous.enabled",
)


def extension_settings(hub: Hub) -> Iterator[Setting]:
    """Yield services, roles and code."""
    for index, service in enumerate(hub["hub_services"] or ()):
        value = {SERVICE_KEYS[key]: item for key, item in service.items() if key in SERVICE_KEYS and item is not None}
        if value.get("display") is True:
            del value["display"]  # JupyterHub's own default
        yield Setting(("hub", "services", service["name"]), value, ("hub_services", index))
    for index, role in enumerate(hub["hub_roles"] or ()):
        value = {key: item for key, item in role.items() if key != "name" and item}
        if "users" in value:
            value["users"] = written_names(value["users"])
        yield Setting(("hub", "loadRoles", role["name"]), value, ("hub_roles", index))
    if hub["hub_metrics"]:
        # the chart generates its token
        yield Setting(("hub", "services", METRICS_SERVICE), {"display": False}, ("hub_metrics",))
        role = {"services": [METRICS_SERVICE], "scopes": ["read:metrics"]}
        yield Setting(("hub", "loadRoles", METRICS_SERVICE), role, ("hub_metrics",))
    if hub["hub_jupyterhub_config"]:
        code = hub["hub_jupyterhub_config"]
        yield Setting(("hub", "extraConfig", EXTRA_CONFIG), code, ("hub_jupyterhub_config",))
    for path in CORE_NODES if hub.cluster["cluster_core_node_selector"] else ():
        yield setting(path, hub.cluster["cluster_core_node_selector"], "cluster_core_node_selector")


def permission_settings(hub: Hub) -> Iterator[Setting]:
    """Yield what leaves out the parts of the chart that namespace rights do not allow."""
    if hub.cluster["cluster_permissions"] == "namespace":
        for path in WIDE_PARTS:
            yield setting(path, False, "cluster_permissions")
    if hub["hub_service_account"]:
        yield setting("rbac.create", False, "hub_service_account")
        yield setting("hub.serviceAccount.create", False, "hub_service_account")
        yield setting("hub.serviceAccount.name", hub["hub_service_account"], "hub_service_account")
