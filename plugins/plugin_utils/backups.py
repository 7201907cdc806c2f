# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of backups share: the program and its settings, on machines and on Kubernetes."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.save import Backups
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import KubernetesPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import encode_settings
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import backup_program, collection_version
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster


def program_arguments(platform: ServerCluster) -> dict[str, Any]:
    """Return what the engine's class backups.Program takes, but for the class of its layout."""
    return {
        "state_directory": platform.setup.layout.root,
        "python": platform.setup.python,
        "runtime": platform.assets.runtime,
        "runtime_digest": platform.assets.runtime_digest,
    }


def settings_of(hub: Hub) -> str:
    """Return the settings of a cluster's backups as one word. Raises AnsibleActionFail if it has no backups."""
    return encode_settings(backup_settings(hub))


def backup_settings(hub: Hub) -> dict[str, Any]:
    """Return the settings of a cluster's backups. Raises AnsibleActionFail if it has no backups."""
    options = hub.cluster.options
    if not options["cluster_backup_repository"]:
        raise AnsibleActionFail(
            f"cluster {hub.cluster.name} has no backups: cluster_backup_repository is not set; nothing was changed"
        )
    return {
        "cluster": hub.cluster.name,
        "repository": options["cluster_backup_repository"],
        "password": options["cluster_backup_password"],
        "environment": options["cluster_backup_environment"] or {},
        "keep": options["cluster_backup_keep"],
        "homes": options["cluster_backup_homes"],
        "collection": collection_version(),
    }


def kubernetes_backups(hub: Hub, platform: KubernetesPlatform, settings: dict[str, Any]) -> Backups:
    """Return how a hub on Kubernetes is backed up; settings: {} to work without a repository."""
    return Backups(
        settings,
        hub.cluster["cluster_backup_image"],
        backup_program(),
        platform.charts.of(hub).defaults,
        platform.desired(hub).values,
    )


def target_of(hub: Hub, platform: ServerCluster) -> dict[str, Any]:
    """Return where a hub is restored to, as the program takes it."""
    return {
        "hub": hub.name,
        "homes": hub["hub_home_directory"] or platform.setup.layout.homes(hub.name),
        "isolation": platform.setup.isolation,
        "runtime_directory": platform.setup.runtime_directory,
        "shared_homes": platform.setup.open_homes,
    }


def drill_summary(found: dict[str, Any]) -> str:
    """Return what a drill found, in one line."""
    seconds = found["seconds"]["restore"] + found["seconds"]["start"]
    return (
        f"the backup {found['id']} of {found['when']} is good: {found['users']} users, {found['files']} files; "
        f"restored in {seconds:.0f} s, check passed in {found['check_seconds']:.0f} s"
    )
