# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the whole inventory of a play in one go, as plain data for the engine."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.inventory.helpers import sort_groups
from ansible.template import Templar
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import map_leaves
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import one_line
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    TIERS,
    EncryptedValue,
    FleetInput,
    HostInput,
    ValuePath,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import PREFIXES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.secret_texts import (
    CONFIG,
    SecretTexts,
    private_lines,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.templates import plain_source

CLUSTERS_GROUP = "clusters"

#: What stands for an encrypted value while templates are worked out: Ansible takes no types of ours there.
_SEAL = re.compile("encrypted-[0-9a-f]{12}")


def read_inventory(task_vars: Mapping[str, Any], only: str | None = None, opaque: bool = False) -> FleetInput:
    """Return every hub of the inventory, whatever ``--limit`` says, or ``only`` one.

    opaque: leave what is encrypted encrypted, as EncryptedValue; no password is needed then.
    Costs one variable merge per host; only values that hold templates are templated.
    """
    groups, hostvars = task_vars["groups"], task_vars["hostvars"]
    members = set(groups.get(CLUSTERS_GROUP, ()))
    clusters: dict[str, list[str]] = {cluster: [] for cluster in _cluster_groups(hostvars)} if members else {}
    hosts, shared = {}, _Shared(opaque)
    for name in map(str, groups["all"] if only is None else [only]):
        raw = hostvars.raw_get(name)
        if name not in members and not _looks_like_hub(raw):
            continue
        host = hosts[name] = read_host(name, raw, hostvars, shared)
        for cluster in host.groups & clusters.keys():
            clusters[cluster].append(name)
    directory = _directory(task_vars)
    sources = [os.path.abspath(str(source)) for source in task_vars.get("ansible_inventory_sources") or ()]
    used = {name: found for name, found in clusters.items() if found}
    return FleetInput(hosts, used, directory, whole=directory in sources)


def _looks_like_hub(raw: Mapping[str, Any]) -> bool:
    """Tell whether a host outside of all clusters was meant as a hub; other hosts may inherit other hub_* variables."""
    return "hub_port" in raw or not set(TIERS).isdisjoint(raw.get("group_names", ()))


class _Shared:
    """Plain copies of values that hosts share: a group's catalogue is one object, whatever host asks for it."""

    def __init__(self, opaque: bool = False):
        self.opaque = opaque
        self._copies: dict[int, tuple[Any, bool, Any]] = {}
        self._sealed: dict[int, tuple[Any, Any]] = {}
        self._secrets = SecretTexts()

    def read(self, raw: Any) -> tuple[bool, Any]:
        """Return whether a raw value needs templating, and its plain copy, or what is to be templated."""
        if id(raw) not in self._copies:
            value = self.sealed(raw) if self.opaque else raw
            needed = _needs_templating(value)
            # Keeps the raw value, so that its id stays its own.
            self._copies[id(raw)] = (raw, needed, value if needed else self.copied(value))
        return self._copies[id(raw)][1:]

    def copied(self, value: Any) -> Any:
        """Return a value that is no template in plain types."""
        return _opaque(plain(value)) if self.opaque else plain(value)

    def sealed(self, raw: Any) -> Any:
        """Return a raw value with a seal for everything encrypted in it."""
        if id(raw) not in self._sealed:
            self._sealed[id(raw)] = (raw, sealed(raw))
        return self._sealed[id(raw)][1]

    def secret_texts(self, raw: Mapping[str, Any], worked_out: Mapping[str, Any]) -> frozenset[str]:
        """Return the texts of a host that nobody may see; of what is left encrypted there are none."""
        variables = {key: self.sealed(value) for key, value in raw.items()} if self.opaque else raw
        return self._secrets.of(variables, worked_out)

    def templar(self, raw: Mapping[str, Any], hostvars: Any) -> Templar:
        """Return what works out templates of a host without a password: what they name is sealed as well."""
        variables = {key: self.sealed(value) for key, value in raw.items()}
        return Templar(loader=hostvars._loader, variables={**variables, "hostvars": hostvars})


def read_host(name: str, raw: Mapping[str, Any], hostvars: Any, shared: _Shared) -> HostInput:
    """Return one host; ``raw`` are its variables before templating."""
    variables, failures, failed_at = {}, {}, {}
    templar: Templar | None = None
    templated: Mapping[str, Any] | None = None
    names = _variables(raw)
    for key, source in names.items():
        value = raw[source]
        try:
            needed, copied = shared.read(value)
            if needed and shared.opaque:
                templar = templar or shared.templar(raw, hostvars)
                copied = shared.copied(templar.template(copied))
            elif needed:
                # One merge of the host's variables, however many of them are templates.
                templated = hostvars[name] if templated is None else templated
                copied = plain(templated[source])
            variables[key] = copied
        except Exception as error:  # Ansible raises many kinds here: undefined, syntax, wrong vault password
            template = getattr(error, "obj", None)  # the very one, where Ansible tells
            failed_at[source] = origin.place_of(template) if isinstance(template, str) else None
            failures[key] = "cannot be worked out: " + one_line(error)[:300]

    def place_of(path: ValuePath) -> origin.Place | None:
        path = (names.get(path[0], path[0]), *path[1:])
        inside = origin.find(raw.get(path[0]), path[1:]) or failed_at.get(path[0])
        if not inside and path[0] in hostvars._variable_manager.extra_vars:
            return None  # the command line, whatever files say
        return inside or origin.variable_place(raw, str(path[0]), layers_of(hostvars, name))

    def locate(path: ValuePath) -> str:
        return origin.shown(place_of(path))

    def source_of(path: ValuePath) -> Any:
        """Return the raw value of a place, or the template that the whole around it comes from."""
        value: Any = raw
        for part in (names.get(path[0], path[0]), *path[1:]):
            if not isinstance(value, str):
                _key, value = origin.step(value, part)
        return value

    def copied_from(path: ValuePath) -> str:
        value = source_of(path)
        is_copy = origin.is_template(value) and not origin.is_encrypted(value) and place_of(path)
        return plain_source(value, raw) if is_copy else ""

    def protected(path: ValuePath) -> bool:
        value = source_of(path)
        if _needs_templating(value) or origin.is_encrypted(value):
            return True
        place = place_of(path)
        return place is None or origin.is_encrypted_file(place[0])

    @functools.cache
    def secret_texts() -> frozenset[str]:
        return shared.secret_texts(raw, {names[key]: value for key, value in variables.items()})

    return HostInput(
        name,
        variables,
        frozenset(map(str, raw.get("group_names", ()))),
        failures,
        locate,
        protected,
        copied_from,
        secret_texts,
        lambda: private_lines(raw, str(variables.get(CONFIG, ""))),
    )


def _variables(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that the engine reads -> their names in the inventory.

    Where a cluster is can be said in Ansible's own word as well.
    """
    found = {str(key): str(key) for key in raw if key.startswith(PREFIXES)}
    if "ansible_host" in raw and raw.get("cluster_platform", SERVER) == SERVER:
        found.setdefault("cluster_host", "ansible_host")
    return found


def sealed(value: Any) -> Any:
    """Return a raw value with a seal for everything encrypted in it: the same where its ciphertext is the same."""
    if origin.is_encrypted(value) and hasattr(value, "_ciphertext"):
        text = value._ciphertext
        content = text if isinstance(text, bytes) else str(text).encode()
        return "encrypted-" + hashlib.sha256(b"".join(content.split())).hexdigest()[:12]
    if isinstance(value, Mapping) and any(map(_holds_encrypted, value.values())):
        return {key: sealed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and any(map(_holds_encrypted, value)):
        return [sealed(item) for item in value]
    return value


def _opaque(value: Any) -> Any:
    """Return a plain value with every text that holds a seal made EncryptedValue."""
    return map_leaves(
        value, lambda leaf: EncryptedValue(leaf) if isinstance(leaf, str) and _SEAL.search(leaf) else leaf
    )


def _holds_encrypted(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_encrypted, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_encrypted, value))
    return origin.is_encrypted(value)


def layers_of(hostvars: Any, name: str) -> Iterator[str | Mapping[str, Any]]:
    """Yield what may set variables of a host, what wins first: files, and what stands in the inventory itself.

    As in Ansible's documentation of variable precedence; only for places, see origin.variable_place.
    """
    inventory, loader = hostvars._inventory, hostvars._loader
    host = inventory.get_host(name)
    groups = list(reversed(sort_groups(host.get_groups())))
    sources = [os.path.abspath(str(source)) for source in reversed(inventory._sources)]
    folders = [loader.get_basedir(), *(path if os.path.isdir(path) else os.path.dirname(path) for path in sources)]

    def files(kind: str, owner: str) -> Iterator[str]:
        for folder in folders:
            yield from map(str, reversed(loader.find_vars_files(os.path.join(folder, kind), owner)))

    yield from files("host_vars", host.name)
    yield host.vars
    for group in groups:
        yield from files("group_vars", group.name)
    for group in groups:
        yield group.vars


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
        return origin.is_template(value) or origin.is_encrypted(value)
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


def _directory(task_vars: Mapping[str, Any]) -> str:
    sources = task_vars.get("ansible_inventory_sources") or ()
    for source in sources:
        path = os.path.abspath(str(source))
        if os.path.isdir(path):
            return path
        if os.path.isfile(path):
            return os.path.dirname(path)
    return str(task_vars.get("inventory_dir") or os.getcwd())
