# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, roles, pages and Python of a hub, and the parts that namespace rights leave out."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator

from ....schema.cross_checks import METRICS_SERVICE
from ....schema.model import Hub
from ....schema.user_names import written_names
from .settings import Setting, setting

#: Where the hub's pod has its templates and logo.
TEMPLATES = "/usr/local/share/jupyterhub/hubfleet/templates"
LOGO = "/usr/local/share/jupyterhub/hubfleet/logo"

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


def extension_settings(hub: Hub, directory: str) -> Iterator[Setting]:
    """Yield services, roles, pages and code; ``directory`` is where relative paths start."""
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
    if hub["hub_templates"]:
        yield from _templates(hub, directory)
    if hub["hub_logo"]:
        yield from _logo(hub, directory)
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


def _templates(hub: Hub, directory: str) -> Iterator[Setting]:
    root = os.path.join(directory, os.path.expanduser(hub["hub_templates"]))
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            with open(path, "rb") as file:
                content = _content(file.read())
            # Keys of a Kubernetes secret hold letters, digits, '-', '_' and '.'; each file has one of its own.
            key = "template-" + re.sub(r"[^A-Za-z0-9_.]", lambda match: f"-{ord(match[0]):x}-", relative)
            yield Setting(
                ("hub", "extraFiles", key), {"mountPath": f"{TEMPLATES}/{relative}", **content}, ("hub_templates",)
            )
    yield setting("hub.templatePaths", [TEMPLATES], "hub_templates")


def _content(content: bytes) -> dict[str, str]:
    """Return the content of a file as the chart takes it: text where it is text."""
    try:
        return {"stringData": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"binaryData": base64.b64encode(content).decode("ascii")}


def _logo(hub: Hub, directory: str) -> Iterator[Setting]:
    path = os.path.join(directory, os.path.expanduser(hub["hub_logo"]))
    mount = LOGO + os.path.splitext(path)[1]
    with open(path, "rb") as file:
        content = base64.b64encode(file.read()).decode("ascii")
    yield Setting(("hub", "extraFiles", "logo"), {"mountPath": mount, "binaryData": content}, ("hub_logo",))
    yield setting("hub.config.JupyterHub.logo_file", mount, "hub_logo")
