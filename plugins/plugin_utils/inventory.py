# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the whole inventory of a play in one go, as plain data for the engine."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.inventory.helpers import sort_groups
from ansible.template import Templar
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import map_leaves
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import one_line
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import (
    Lock,
    LockError,
    lock_file,
    read_lock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    TIERS,
    EncryptedValue,
    FleetInput,
    HostInput,
    ReadAs,
    ValuePath,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import PREFIXES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.repeated_keys import repeated_keys
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.secret_texts import (
    CONFIG,
    SecretTexts,
    private_lines,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.templates import plain_source

CLUSTERS_GROUP = "clusters"

#: Endings of inventories, and of scripts that print them.
_INVENTORY_SUFFIXES = {"", ".ini", ".json", ".py", ".sh", ".toml", ".yaml", ".yml"}

#: Stands for an encrypted value while templates are rendered: Ansible does not take types of ours there.
_PLACEHOLDER = re.compile("encrypted-[0-9a-f]{12}")


def read_inventory(task_vars: Mapping[str, Any], only: str | None = None, keep_encrypted: bool = False) -> FleetInput:
    """Return every hub of the inventory, whatever ``--limit`` says, or ``only`` one.

    keep_encrypted: keep what is encrypted, as EncryptedValue; no password is needed then.
    Costs one variable merge per host; only values that hold templates are templated.
    """
    groups, hostvars = task_vars["groups"], task_vars["hostvars"]
    members = set(groups.get(CLUSTERS_GROUP, ()))
    clusters: dict[str, list[str]] = {cluster: [] for cluster in _cluster_groups(hostvars)} if members else {}
    hosts, shared = {}, _Shared(keep_encrypted)
    strays: dict[str, str] = {}
    for name in map(str, groups["all"] if only is None else [only]):
        raw = hostvars.raw_get(name)
        if _is_stray(raw):
            strays.setdefault(origin.shown((str(raw["inventory_file"]), 0)), name)
            continue
        if name not in members and not _looks_like_hub(raw):
            continue
        host = hosts[name] = read_host(name, raw, hostvars, shared)
        for cluster in host.groups & clusters.keys():
            clusters[cluster].append(name)
    directory = _directory(task_vars)
    sources = [os.path.abspath(str(source)) for source in task_vars.get("ansible_inventory_sources") or ()]
    used = {name: found for name, found in clusters.items() if found}
    lock = _lock(directory, directory in sources)
    return FleetInput(
        hosts,
        used,
        directory,
        whole=directory in sources,
        groups=frozenset(map(str, groups)),
        extra_variables=frozenset(map(str, hostvars._variable_manager.extra_vars)),
        repeated_keys=repeated_keys(sources, hosts) if only is None else [],
        strays=strays,
        lock=lock,
        admins=lock.admins,
    )


def _lock(directory: str, whole: bool) -> Lock:
    try:
        return read_lock(lock_file(directory, whole))
    except LockError as error:
        raise AnsibleActionFail(f"{error}; nothing was changed") from None


def _is_stray(raw: Mapping[str, Any]) -> bool:
    """Return whether Ansible made a host of a line in a file that is no inventory, such as requirements.in.

    It reads every file in an inventory directory, and takes the first word of any line for the name of a host.
    """
    suffix = os.path.splitext(str(raw.get("inventory_file") or ""))[1]
    return suffix not in _INVENTORY_SUFFIXES and set(raw.get("group_names", ())) <= {"ungrouped"}


def _looks_like_hub(raw: Mapping[str, Any]) -> bool:
    """Return whether a host outside of all clusters is meant as a hub; other hosts may inherit hub_* variables, too."""
    return "hub_port" in raw or not set(TIERS).isdisjoint(raw.get("group_names", ()))


class _Shared:
    """Plain copies of values that hosts share: a group's catalogue is one object, whatever host asks for it."""

    def __init__(self, keep_encrypted: bool = False):
        self.keep_encrypted = keep_encrypted
        self._copies: dict[int, tuple[Any, bool, Any]] = {}
        self._replaced: dict[int, tuple[Any, Any]] = {}
        self._secrets = SecretTexts()

    def read(self, raw: Any) -> tuple[bool, Any]:
        """Return whether a raw value needs templating, and its plain copy, or what is to be templated."""
        if id(raw) not in self._copies:
            value = self.readable(raw)
            needed = _needs_templating(value)
            # Keeps the raw value, so that its id stays its own.
            self._copies[id(raw)] = (raw, needed, value if needed else self.copied(value))
        return self._copies[id(raw)][1:]

    def copied(self, value: Any) -> Any:
        """Return a value that is not a template in plain types."""
        return with_encrypted_values(plain(value)) if self.keep_encrypted else plain(value)

    def readable(self, raw: Any) -> Any:
        """Return a raw value as templates may use it: without a password, placeholders stand for encrypted values."""
        if not self.keep_encrypted:
            return raw
        if id(raw) not in self._replaced:
            self._replaced[id(raw)] = (raw, with_placeholders(raw))
        return self._replaced[id(raw)][1]

    def secret_texts(self, raw: Mapping[str, Any], variables: Mapping[str, Any]) -> frozenset[str]:
        """Return the texts of a host that must not be shown; values that stay encrypted have none."""
        return self._secrets.of({key: self.readable(value) for key, value in raw.items()}, variables)

    def templar(self, raw: Mapping[str, Any], hostvars: Any) -> Templar:
        """Return what renders templates of a host without a password."""
        variables = {key: self.readable(value) for key, value in raw.items()}
        return Templar(loader=hostvars._loader, variables={**variables, "hostvars": hostvars})


def read_host(name: str, raw: Mapping[str, Any], hostvars: Any, shared: _Shared) -> HostInput:
    """Return one host; ``raw`` are its variables before templating."""
    variables, failures, failed_at = {}, {}, {}
    templar: Templar | None = None
    templated: Mapping[str, Any] | None = None
    names = _variables(raw)
    for key, source in names.items():
        try:
            needed, value = shared.read(raw[source])
            if needed and shared.keep_encrypted:
                templar = templar or shared.templar(raw, hostvars)
                value = shared.copied(templar.template(value))
            elif needed:
                # One merge of the host's variables, however many of them are templates.
                templated = hostvars[name] if templated is None else templated
                value = plain(templated[source])
            variables[key] = value
        except Exception as error:  # Ansible raises many kinds here: undefined, syntax, wrong vault password
            template = getattr(error, "obj", None)  # the very one, where Ansible knows it
            failed_at[source] = origin.place_of(template) if isinstance(template, str) else None
            failures[key] = "cannot be templated: " + one_line(error)[:300]
    places = _Places(name, raw, names, failed_at, hostvars)
    return HostInput(
        name,
        variables,
        frozenset(map(str, raw.get("group_names", ()))),
        failures,
        places.locate,
        places.is_protected,
        places.copied_from,
        places.written,
        functools.cache(lambda: shared.secret_texts(raw, {names[key]: value for key, value in variables.items()})),
        lambda: private_lines(raw, str(variables.get(CONFIG, ""))),
    )


@dataclass
class _Places:
    """Where the values of a host come from.

    names: variables of the engine -> their names in the inventory. failed_at: places of templates that failed.
    """

    host: str
    raw: Mapping[str, Any]
    names: Mapping[str, str]
    failed_at: Mapping[str, origin.Place | None]
    hostvars: Any

    def locate(self, path: ValuePath) -> str:
        """Return the place of a value as ``file:line``, "" where Ansible does not know it."""
        return origin.shown(self._place_of(path))

    def is_protected(self, path: ValuePath) -> bool:
        """Return whether a value is encrypted, comes from a template, or from a place that is not a file."""
        value = self._source_of(path)
        if _needs_templating(value) or origin.is_encrypted(value):
            return True
        place = self._place_of(path)
        return place is None or origin.is_encrypted_file(place[0])

    def copied_from(self, path: ValuePath) -> str:
        """Return the variable, with file and line, whose plain text a template copies to a place, or ""."""
        value = self._source_of(path)
        is_copy = origin.is_template(value) and not origin.is_encrypted(value) and self._place_of(path)
        return plain_source(value, self.raw) if is_copy else ""

    def written(self, path: ValuePath, is_key: bool) -> str:
        """Return the characters in a file that YAML read a value or key from, "" where they are not known."""
        key, value = None, self.raw.get(self.names.get(path[0], path[0]))
        for part in path[1:]:
            key, value = origin.step(value, part)
        return origin.written(key if is_key else value, self.hostvars._loader)

    def _place_of(self, path: ValuePath) -> origin.Place | None:
        variable = self.names.get(path[0], path[0])
        inside = origin.find(self.raw.get(variable), path[1:]) or self.failed_at.get(variable)
        if not inside and variable in self.hostvars._variable_manager.extra_vars:
            return None  # the command line, whatever files say
        return inside or origin.variable_place(self.raw, str(variable), layers_of(self.hostvars, self.host))

    def _source_of(self, path: ValuePath) -> Any:
        """Return the raw value of a place, or the template that the whole around it comes from."""
        value: Any = self.raw
        for part in (self.names.get(path[0], path[0]), *path[1:]):
            if not isinstance(value, str):
                _key, value = origin.step(value, part)
        return value


def _variables(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that the engine reads -> their names in the inventory.

    Where a cluster is can be said in Ansible's own word as well.
    """
    found = {str(key): str(key) for key in raw if key.startswith(PREFIXES)}
    if "ansible_host" in raw and raw.get("cluster_platform", SERVER) == SERVER:
        found.setdefault("cluster_host", "ansible_host")
    return found


def with_placeholders(value: Any) -> Any:
    """Return a raw value with a placeholder for everything encrypted in it, the same for the same ciphertext."""
    if origin.is_encrypted(value) and hasattr(value, "_ciphertext"):
        text = value._ciphertext
        content = text if isinstance(text, bytes) else str(text).encode()
        return "encrypted-" + hashlib.sha256(b"".join(content.split())).hexdigest()[:12]
    if isinstance(value, Mapping) and any(map(_holds_encrypted, value.values())):
        return {key: with_placeholders(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and any(map(_holds_encrypted, value)):
        return [with_placeholders(item) for item in value]
    return value


def with_encrypted_values(value: Any) -> Any:
    """Return a plain value with EncryptedValue for every text that contains a placeholder."""
    return map_leaves(
        value, lambda leaf: EncryptedValue(leaf) if isinstance(leaf, str) and _PLACEHOLDER.search(leaf) else leaf
    )


def _holds_encrypted(value: Any) -> bool:
    return _any_scalar(value, origin.is_encrypted)


def _needs_templating(value: Any) -> bool:
    """Return whether a raw value, or one inside it, is a template or encrypted."""
    return _any_scalar(value, lambda leaf: origin.is_template(leaf) or origin.is_encrypted(leaf))


def _any_scalar(value: Any, test: Callable[[Any], bool]) -> bool:
    if isinstance(value, Mapping):
        return any(_any_scalar(item, test) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_any_scalar(item, test) for item in value)
    return test(value)


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
        return {_plain_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return ReadAs(str(value), "date") if isinstance(value, datetime.date) else str(value)


def _plain_key(key: Any) -> str:
    """Return a key as text that knows if YAML has read it as something else."""
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return ReadAs(str(key), {None: "null", True: "true", False: "false"}[key])
    return ReadAs(str(key), "date" if isinstance(key, datetime.date) else "number")


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
