# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of server_* modules that follow from the inventory: a table from the module to a function."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (
    npm_command,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import LOCALHOST, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import (
    program_arguments,
    settings_of,
    target_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.hub_files import pack, texts_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.machines import host_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import author, record_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import find_uv, uv_directory

#: Returns the arguments for a hub of a cluster, given those of the task; None where there is nothing to do.
Arguments = Callable[[Hub, ServerCluster, dict[str, Any]], "dict[str, Any] | None"]


def _backup(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    return {**program_arguments(cluster), "hub": hub.name, "settings": settings_of(hub)}


def _backup_schedule(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    schedule = hub.cluster["cluster_backup_schedule"]
    return {
        **program_arguments(cluster),
        "schedule": schedule,
        "settings": "" if schedule == "never" else settings_of(hub),
        "systemd": cluster.setup.supervisor == "systemd",
    }


def _environment(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    name = given["directory"]
    build = next((build for build in cluster.desired(hub).builds if build.directory == name), None)
    if build is None:
        raise AnsibleActionFail(f"hub {hub.name} does not need the directory {name!r}; create a new plan")
    # server_uv installs uv on other machines than this one.
    local = host_of(hub) == LOCALHOST
    return {
        "build": asdict(build),
        "state_directory": cluster.setup.layout.root,
        "uv": find_uv() if local else f"{cluster.setup.layout.tool(uv_directory(cluster.facts.architecture))}/uv",
        "npm": npm_command(cluster.setup, cluster.assets),
        "package_index": hub.cluster["cluster_package_index"],
        "npm_registry": hub.cluster["cluster_npm_registry"],
        "account": cluster.setup.build_account if build.tree else None,
    }


def _export(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "state_directory": cluster.setup.layout.root,
        "hub": hub.name,
        "own_homes": not hub["hub_home_directory"],
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ"),
    }


def _hub(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    desired = cluster.desired(hub)
    texts = texts_of(hub, desired, cluster.directory)
    return {
        "hub": hub.name,
        "directory": cluster.setup.layout.hub(hub.name).directory,
        "homes": desired.config["homes"],
        "own_homes": not hub["hub_home_directory"],
        "runtime_directory": cluster.setup.runtime_directory,
        "shared_homes": cluster.setup.open_homes,
        "generated": list(desired.generated),
        "content": pack(texts),
        "record": record_of(desired, texts, cluster.directory, cluster.check_target(hub), hub.admin_file),
        "keep": hub.cluster["cluster_history_limit"],
    }


def _machine(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "state_directory": cluster.setup.layout.root,
        "shared": cluster.setup.proxy_account is not None,
        "runtime": cluster.assets.runtime,
        "runtime_digest": cluster.assets.runtime_digest,
        "supervisor": cluster.supervisor(),
    }


def _restore(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    return {**program_arguments(cluster), "settings": settings_of(hub), "target": target_of(hub, cluster)}


def _reverse_proxy(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
    # What was deployed earlier may have been behind one.
    if not cluster.reverse_proxy.wanted and not cluster.facts.served and not given.get("as_deployed"):
        return None
    return {
        "hub": hub.name,
        "state_directory": cluster.setup.layout.root,
        "reverse_proxy": asdict(cluster.reverse_proxy),
        "service": cluster.reverse_proxy_service().as_dict(),
        "supervisor": cluster.supervisor(),
    }


def _rollback(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    layout = cluster.setup.layout
    return {
        "directory": layout.hub(hub.name).directory,
        "supervisor": cluster.supervisor(),
        "record": author(cluster.directory),
        "keep": hub.cluster["cluster_history_limit"],
    }


def _services(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    desired = cluster.desired(hub)
    return {
        "services": [service.as_dict() for service in desired.services],
        "supervisor": cluster.supervisor(),
        "config": {key: desired.config[key] for key in ("bind", "base_url", "ports", "tls")},
    }


def _sessions(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
    return {"directory": cluster.setup.layout.hub(hub.name).directory}


def _uv(hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
    if host_of(hub) == LOCALHOST:
        return None
    return {"state_directory": cluster.setup.layout.root, "directory": uv_directory(cluster.facts.architecture)}


ARGUMENTS: dict[str, Arguments] = {
    "server_backup": _backup,
    "server_backup_schedule": _backup_schedule,
    "server_environment": _environment,
    "server_export": _export,
    "server_hub": _hub,
    "server_machine": _machine,
    "server_restore": _restore,
    "server_reverse_proxy": _reverse_proxy,
    "server_rollback": _rollback,
    "server_services": _services,
    "server_sessions": _sessions,
    "server_uv": _uv,
}
