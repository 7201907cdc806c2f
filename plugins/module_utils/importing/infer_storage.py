# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infer options from ``singleuser.storage`` and ``singleuser.extraFiles``."""

from __future__ import annotations

from typing import Any

from ..platform.kubernetes.values.layers import Values
from ..platform.kubernetes.values.storage import HOME
from ..schema.formatted_text import from_literal
from .option_values import MISSING, accepts, chart_mapping, chart_value, suboption

Variables = dict[str, Any]

_KINDS = {"dynamic": "dynamic", "static": "claim", "none": "none"}
_PLACES = {
    "hub_home_claim": "singleuser.storage.static.pvcName",
    "hub_home_subpath": "singleuser.storage.static.subPath",
    "hub_home_storage_class": "singleuser.storage.dynamic.storageClass",
    "hub_database_storage_class": "hub.db.pvc.storageClassName",
}
#: The chart's keys of mounts and files -> keys of the options.
_MOUNT = {"mountPath": "path", "subPath": "subpath", "readOnly": "read_only"}
_FILE = {"mountPath": "path", "stringData": "content", "mode": "mode"}


def infer_storage(values: Values) -> Variables:
    """Return the options for homes, volumes, shared directories and files."""
    found: Variables = {}
    kind = chart_value(values, "singleuser.storage.type")
    if isinstance(kind, str) and kind in _KINDS:
        found["hub_home_storage"] = _KINDS[kind]
    for option, path in _PLACES.items():
        value = chart_value(values, path)
        if value is not MISSING and value and accepts(option, value):
            found[option] = value
    found.update(_volumes(values))
    files = _entries(chart_mapping(values, "singleuser.extraFiles"), "hub_files", _FILE)
    return {**found, "hub_files": files} if files else found


def _volumes(values: Values) -> Variables:
    """Volumes with one mount of the same name, and mounts of the home volume."""
    volumes = chart_mapping(values, "singleuser.storage.extraVolumes")
    mounts = chart_mapping(values, "singleuser.storage.extraVolumeMounts")
    at_home = {name: mount for name, mount in mounts.items() if isinstance(mount, dict) and mount.get("name") == HOME}
    shared = _entries(at_home, "hub_shared_directories", {"name": "", **_MOUNT})
    own = {}
    for name, volume in volumes.items():
        mount = mounts.get(name)
        if not isinstance(volume, dict) or not isinstance(mount, dict):
            continue
        if volume.get("name") == name and mount.get("name") == name and name not in shared and len(volume) > 1:
            own[name] = mount
    found = _entries(own, "hub_volumes", {"name": "", **_MOUNT})
    for name, entry in found.items():
        entry["volume"] = {key: value for key, value in volumes[name].items() if key != "name"}
    options = {"hub_shared_directories": shared, "hub_volumes": found}
    return {option: entries for option, entries in options.items() if entries}


def _entries(given: Values, option: str, keys: dict[str, str]) -> Values:
    """Return the entries of an option that express everything in ``given``; keys mapped to "" are left out."""
    found = {}
    for name, value in given.items():
        if not isinstance(value, dict) or not value.keys() <= keys.keys():
            continue
        entry = {keys[key]: item for key, item in value.items() if keys[key]}
        try:
            entry["path"] = from_literal(entry.get("path", ""))
        except (ValueError, AttributeError):  # placeholders, or no text
            continue
        required = ("path", "content") if "stringData" in keys else ("path",)
        if (
            all(key in entry for key in required)
            and entry["path"]
            and all(accepts(suboption(option, key), entry[key]) for key in entry)
        ):
            found[name] = entry
    return found
