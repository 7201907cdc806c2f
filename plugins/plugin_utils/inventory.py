# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the whole inventory of a play in one go, as plain data for the engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import (
    FleetInput,
    HostInput,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.validate import PREFIXES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin

CLUSTERS_GROUP = "clusters"


def read_inventory(task_vars: Mapping, only: Optional[str] = None) -> FleetInput:
    """Return every hub of the inventory, whatever ``--limit`` says, or ``only`` one.

    Costs one variable merge per host; only values that hold templates are templated.
    """
    groups, hostvars = task_vars["groups"], task_vars["hostvars"]
    members = [str(name) for name in groups.get(CLUSTERS_GROUP, ()) if only in (None, str(name))]
    clusters = {cluster: [] for cluster in _cluster_groups(hostvars)} if members else {}
    hosts = {}
    for name in members:
        raw = hostvars.raw_get(name)
        host = hosts[name] = read_host(name, raw, hostvars)
        for cluster in host.groups & clusters.keys():
            clusters[cluster].append(name)
    return FleetInput(hosts, {name: found for name, found in clusters.items() if found}, _directory(task_vars))


def read_host(name: str, raw: Mapping, hostvars: Mapping) -> HostInput:
    """Return one host; ``raw`` are its variables before templating."""
    variables, failures = {}, {}
    for key, value in raw.items():
        if not key.startswith(PREFIXES):
            continue
        try:
            variables[str(key)] = plain(hostvars[name][key] if _needs_templating(value) else value)
        except Exception as error:  # Ansible raises many kinds here: undefined, syntax, wrong vault password
            failures[str(key)] = "cannot be worked out: " + " ".join(str(error).split())[:300]

    def locate(path):
        place = origin.variable_place(raw, path[0], name) if len(path) == 1 else origin.find(raw, path)
        return origin.shown(place)

    def protected(path):
        value = raw
        for part in path:
            if isinstance(value, str):
                break
            value = value[part]
        if _needs_templating(value) or origin.is_encrypted(value):
            return True
        place = origin.find(raw, path)
        return place is None or origin.is_encrypted_file(place[0])

    return HostInput(
        name,
        variables,
        frozenset(map(str, raw.get("group_names", ()))),
        failures,
        locate,
        protected,
    )


def plain(value: Any) -> Any:
    """Return a value of ansible-core (tagged, encrypted, lazy) in plain Python types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _needs_templating(value: Any) -> bool:
    """Tell whether a raw value, or one inside it, is a template or encrypted."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value or origin.is_encrypted(value)
    if isinstance(value, Mapping):
        return any(map(_needs_templating, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_needs_templating, value))
    return origin.is_encrypted(value)


def _cluster_groups(hostvars: Any) -> list[str]:
    """Return the children of the group ``clusters``.

    Ansible's variables tell a group's hosts but not its children; the inventory behind
    hostvars does, on every supported ansible-core (2.18 to 2.21).
    """
    return [group.name for group in hostvars._inventory.groups[CLUSTERS_GROUP].child_groups]


def _directory(task_vars: Mapping) -> str:
    sources = task_vars.get("ansible_inventory_sources") or ()
    for source in sources:
        path = os.path.abspath(str(source))
        if os.path.isdir(path):
            return path
        if os.path.isfile(path):
            return os.path.dirname(path)
    return str(task_vars.get("inventory_dir") or os.getcwd())
