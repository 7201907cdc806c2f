# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an imported fleet."""

from __future__ import annotations

import json
import os
import re
import stat
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import reason
from ..redaction.places import holds_credentials, is_secret_variable, variable_of
from ..schema.cluster_options import CLUSTER_OPTIONS
from ..schema.hub_options import HUB_OPTIONS
from ..schema.model import TIERS
from ..schema.secrets import is_secret
from .errors import FleetImportError
from .factor import ImportedHub, Layers
from .infer import Variables
from .yaml_text import Template, dump

#: The .gitignore of a repository that the playbook init creates.
GITIGNORE = """\
# Secrets: never commit these.
/vault-password
/secrets/

# Installed packages and output of playbooks.
/.ansible/
/.venv/
/collections/ansible_collections/
/out/
/plan.json
/plan.md
"""
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_LAST = ("cluster_helm_values", "fleet_helm_values", "hub_helm_values")
_ORDER = [
    *(option.name for option in CLUSTER_OPTIONS if option.name not in _LAST),
    *(option.name for option in HUB_OPTIONS if option.name not in _LAST),
    *_LAST,
]
#: The link that makes Ansible read group_vars with the inventory, and where it points.
_LINK = ("inventory/group_vars", "../group_vars")


@dataclass
class InventoryFiles:
    """Files to write: relative path -> text. secrets: files that only their owner may read."""

    files: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def render_files(hubs: list[ImportedHub], layers: Layers, origins: dict[str, str]) -> InventoryFiles:
    """Return the files of the inventory; origins: hub -> what it was imported from."""
    files = InventoryFiles()
    files.files["inventory/hosts.yml"] = _hosts(hubs)
    comment = "Settings of the whole fleet; clusters and hubs override them."
    files.files["group_vars/all.yml"] = _Writer("all", files).text(layers.fleet, comment)
    for cluster, variables in layers.clusters.items():
        text = _Writer(cluster, files).text(variables, f"Settings of the cluster {cluster}; hubs override them.")
        files.files[f"group_vars/{cluster}.yml"] = text
    for hub in hubs:
        comment = f"The hub {hub.name}, imported from {origins[hub.name]}."
        files.files[f"inventory/host_vars/{hub.name}.yml"] = _Writer(hub.name, files).text(
            layers.hubs[hub.name], comment
        )
    return files


def _hosts(hubs: list[ImportedHub]) -> str:
    clusters: dict[str, Any] = {}
    tiers: dict[str, Any] = {}
    for hub in hubs:
        clusters.setdefault(hub.cluster, {"hosts": {}})["hosts"][hub.name] = None
        tiers.setdefault(hub.tier, {"hosts": {}})["hosts"][hub.name] = None
    children = {"clusters": {"children": clusters}, **{tier: tiers[tier] for tier in TIERS if tier in tiers}}
    comment = "Groups under `clusters` are clusters, hosts are hubs. Every hub is in one tier."
    return dump({"all": {"children": children}}, comment).replace(": null\n", ":\n")


class _Writer:
    """Writes the variables of one file; secrets in them go into files of their own."""

    def __init__(self, owner: str, files: InventoryFiles) -> None:
        self.owner = owner
        self.files = files

    def text(self, variables: Variables, comment: str) -> str:
        """Return the file."""
        lines = textwrap.wrap(comment, 118, break_long_words=False, break_on_hyphens=False)
        order = sorted(variables, key=_ORDER.index)
        return dump({name: self._without_secrets(variables[name], (name,)) for name in order}, "\n".join(lines))

    def _without_secrets(self, value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._without_secrets(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_secrets(item, (*path, _entry(index, item, path))) for index, item in enumerate(value)]
        if value in (None, "") or not (is_secret(path) or _is_secret_text(value, path) or _holds_secret(value)):
            return value
        name = self._secret(value, path)
        # A file holds text; other values are parsed from it.
        filtered = "" if isinstance(value, str) else " | from_json"
        path_expression = f"inventory_dir ~ '/../{name}'"
        return Template(f"{{{{ lookup('ansible.builtin.file', {path_expression}, rstrip=False){filtered} }}}}")

    def _secret(self, value: Any, path: tuple[Any, ...]) -> str:
        """Add the file of a secret; return its path."""
        stem = re.sub(r"[^A-Za-z0-9_.]+", "-", ".".join(map(str, path)))[:150].strip(".-")
        text = value if isinstance(value, str) else json.dumps(value)
        name, number = f"secrets/{self.owner}/{stem}", 1
        while name in self.files.secrets:
            number += 1
            name = f"secrets/{self.owner}/{stem}-{number}"
        self.files.secrets[name] = text
        return name


def _entry(index: int, item: Any, path: tuple[Any, ...]) -> int | str:
    """Return the part of a path for a list's entry: the name of the variable that it describes, or its index."""
    variable = variable_of(item, path)
    return index if variable is None else variable


def _is_secret_text(value: Any, path: tuple[Any, ...]) -> bool:
    """Tell whether a value is that of an environment variable whose name suggests a secret; booleans are not."""
    return not isinstance(value, bool) and is_secret_variable(path)


def _holds_secret(value: Any) -> bool:
    return isinstance(value, str) and (holds_credentials(value) or _PRIVATE_KEY.search(value) is not None)


def write_files(directory: str, files: InventoryFiles, overwrite: bool, check: bool) -> list[str]:
    """Write the files that differ; return their paths. With ``check`` nothing is written.

    Raises FleetImportError where other content would be replaced.
    """
    wanted = {**files.files, **files.secrets}
    changed = [name for name, text in wanted.items() if _read(os.path.join(directory, name)) != text]
    link = os.path.join(directory, _LINK[0])
    if not os.path.islink(link) or os.readlink(link) != _LINK[1]:
        changed.append(_LINK[0])
    ignored = os.path.join(directory, ".gitignore")
    ignoring = _with_ignored(_read(ignored))
    if ignoring != _read(ignored):
        changed.append(".gitignore")
    _refuse_others(directory, changed, overwrite)
    if check:
        return changed
    try:
        for name in changed:
            if name in wanted:
                _write(directory, name, wanted[name], secret=name in files.secrets)
        if _LINK[0] in changed:
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(_LINK[1], link)
        if ".gitignore" in changed:
            _write(directory, ".gitignore", ignoring, secret=False)
    except OSError as error:
        raise FleetImportError(f"{error.filename or directory}: cannot be written: {reason(error)}") from error
    return changed


def _with_ignored(text: str | None) -> str:
    """Return the text of a .gitignore with the missing lines added."""
    if not text:
        return GITIGNORE
    present = text.splitlines()
    missing = [line for line in GITIGNORE.splitlines() if line and not line.startswith("#") and line not in present]
    end = "" if text.endswith("\n") else "\n"
    return text + end + "".join(f"{line}\n" for line in missing) if missing else text


def _refuse_others(directory: str, changed: Iterable[str], overwrite: bool) -> None:
    """Raise FleetImportError for a directory with other content, unless files of an import may be replaced."""
    if not os.path.lexists(directory):
        return
    if not os.path.isdir(directory):
        raise FleetImportError(f"{directory}: is not a directory")
    link = os.path.join(directory, _LINK[0])
    if os.path.lexists(link) and not os.path.islink(link):
        raise FleetImportError(f"{link}: is not a symbolic link; an import creates it as one to {_LINK[1]}")
    found = sorted(os.listdir(directory))
    if found and not overwrite and any(True for _name in changed):
        some = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise FleetImportError(
            f"{directory}: is not empty (it holds {some}); name another directory, or set"
            " import_overwrite=true to replace the files that an import writes"
        )


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _write(directory: str, name: str, text: str, secret: bool) -> None:
    """Write one file atomically."""
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if secret:
        for folder in (os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
            os.chmod(folder, stat.S_IRWXU)
    fresh = f"{path}.new"
    if os.path.lexists(fresh):
        os.unlink(fresh)
    mode = 0o600 if secret else 0o666  # minus the umask
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(fresh, path)
