# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Homes, shared directories, volumes and files of sessions: ``singleuser.storage`` and its like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....common.nested import value_at
from ....schema.formatted_text import escaped_references, literal, literal_variable
from ....schema.kubernetes_checks import home_storage
from ....schema.model import Hub
from .files import file_content
from .layers import Values
from .settings import Setting, setting

#: The volume that the chart mounts homes from, and ours of the same kind.
HOME = "home"
_STORAGE = ("singleuser", "storage")

#: Not below jupyter_server_config.d: Jupyter Server reads only from there which extensions it loads.
SERVER_SETTINGS_FILE = "/etc/jupyter/jupyter_server_config.json"


def storage_settings(hub: Hub) -> Iterator[Setting]:
    """Yield where sessions keep and find files."""
    by_collection = hub["hub_defaults_source"] == "collection"
    storage = home_storage(hub)
    if storage:
        # To the chart, an export is a volume like any other, and no home at all.
        kind = {"claim": "static", "nfs": "none"}.get(storage, storage)
        yield setting("singleuser.storage.type", kind, "hub_home_storage")
    if hub["hub_home_claim"]:
        yield setting("singleuser.storage.static.pvcName", hub["hub_home_claim"], "hub_home_claim")
    if storage == "claim" and ("hub_home_subpath" in hub.explicit_options or by_collection):
        yield setting("singleuser.storage.static.subPath", hub["hub_home_subpath"], "hub_home_subpath")
    if storage == "nfs":
        export = {key: literal(text) for key, text in hub["hub_home_nfs"].items()}
        yield _volume(HOME, {"nfs": export}, "hub_home_nfs")
        mount = {"path": hub["hub_home_mount_path"], "subpath": hub["hub_home_subpath"], "read_only": None}
        yield _mount(HOME, HOME, mount, "hub_home_nfs")
    yield from _storage_classes(hub)
    if by_collection:
        yield from _one_home_for_all_servers(hub)
    for name, entry in (hub["hub_shared_directories"] or {}).items():
        yield _mount(name, HOME, _at(hub, entry), "hub_shared_directories", name)
    for name, entry in (hub["hub_volumes"] or {}).items():
        yield _volume(name, entry["volume"], "hub_volumes", name)
        yield _mount(name, name, _at(hub, entry), "hub_volumes", name)
    for name, entry in (hub["hub_files"] or {}).items():
        text = entry["content"]
        # Imported hubs keep how it is written, and what the chart makes of it.
        content = file_content(text.encode()) if by_collection else {"stringData": text}
        value = {"mountPath": literal(_at(hub, entry)["path"]), **content}
        if entry["mode"] is not None:
            value["mode"] = entry["mode"]
        yield Setting(("singleuser", "extraFiles", name), value, ("hub_files", name))
    if hub["hub_server_settings"]:
        # as text, since Helm would remove null
        text = json.dumps(hub["hub_server_settings"], indent=2, sort_keys=True)
        file = {"mountPath": SERVER_SETTINGS_FILE, "stringData": text}
        yield Setting(("singleuser", "extraFiles", "hubfleet-server-settings"), file, ("hub_server_settings",))


def _storage_classes(hub: Hub) -> Iterator[Setting]:
    shared = hub.cluster["cluster_storage_class"]
    for option, path, wanted in (
        ("hub_home_storage_class", "singleuser.storage.dynamic.storageClass", home_storage(hub) == "dynamic"),
        ("hub_database_storage_class", "hub.db.pvc.storageClassName", True),
    ):
        if hub[option]:
            yield setting(path, hub[option], option)
        elif shared and wanted:
            yield setting(path, shared, "cluster_storage_class")


def _one_home_for_all_servers(hub: Hub) -> Iterator[Setting]:
    """Yield what lets all servers of a user have the same volume, which stays when the user is removed from the hub."""
    if home_storage(hub) == "dynamic":
        yield setting("singleuser.storage.dynamic.pvcNameTemplate", "claim-{username}", "hub_home_storage")
        yield setting("hub.config.KubeSpawner.delete_pvc", False, "hub_home_storage")


def start_settings(hub: Hub, values: Values) -> Iterator[Setting]:
    """Yield what lets servers start in the mounted home, and programs find it, wherever the image has its own.

    values: the merged ones, since Helm values may mount the home elsewhere, or nowhere.
    """
    option, by_chart = "hub_home_mount_path", home_storage(hub) != "nfs"
    if by_chart and value_at(values, (*_STORAGE, "type")) == "none":
        by_chart = False
        if option not in hub.explicit_options:
            return
    path, variable = literal(hub[option]), literal_variable(hub[option])
    given = value_at(values, (*_STORAGE, "homeMountPath"))
    if by_chart and isinstance(given, str) and given != path:
        # KubeSpawner formats it at all three places, but only variables are expanded by Kubernetes
        path, variable = given, escaped_references(given)
    yield setting("hub.config.KubeSpawner.working_dir", path, option)
    if value_at(values, ("singleuser", "extraEnv", "HOME")) is None:
        yield setting("singleuser.extraEnv.HOME", variable, option)


def _at(hub: Hub, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with an absolute path: ~ is where the home directory is mounted."""
    path: str = entry["path"]
    return {**entry, "path": hub["hub_home_mount_path"].rstrip("/") + path[1:]} if path.startswith("~/") else entry


def _volume(name: str, volume: dict[str, Any], *source: Any) -> Setting:
    return Setting(("singleuser", "storage", "extraVolumes", name), {"name": name, **volume}, source)


def _mount(name: str, volume: str, entry: dict[str, Any], *source: Any) -> Setting:
    mount = {
        "name": volume,
        "mountPath": literal(entry["path"]),
        "subPath": entry["subpath"],
        "readOnly": entry["read_only"],
    }
    value = {key: item for key, item in mount.items() if item is not None}
    return Setting(("singleuser", "storage", "extraVolumeMounts", name), value, source)
