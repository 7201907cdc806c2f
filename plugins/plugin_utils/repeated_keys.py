# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find keys that stand twice in a mapping of an inventory; Ansible uses the last one, and only warns."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator

import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import RepeatedKey
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin

_ENDINGS = (".yml", ".yaml", ".json", "")
#: Directories of variables beside an inventory.
_VARIABLES = ("group_vars", "host_vars")
#: Keys of YAML and JSON, and a few other words; only files in which one stands twice are parsed, which takes longer.
#: Each is looked for from its first character only: a line may have 100,000, as of an image.
_KEYS = re.compile(r"(?<![\w.-])([\w.-]+)(?:[\"']\s*:|\s*:(?=\s|$))", re.MULTILINE)


def repeated_keys(sources: Iterable[str], hosts: Iterable[str]) -> list[RepeatedKey]:
    """Return the keys that stand twice in a mapping, in files of ``sources`` and the variables beside them.

    Encrypted files and those that are not YAML are left out.
    """
    names = set(hosts)
    found = []
    for path in sorted({path for source in sources for path in _files(source)}):
        for key, line, first in _repeated(path):
            found.append(RepeatedKey(key, origin.shown((path, line)), first, _host_of(path, names)))
    return found


def _files(source: str) -> Iterator[str]:
    """Yield the files that Ansible reads for a source of an inventory."""
    directory = source if os.path.isdir(source) else os.path.dirname(source)
    if os.path.isfile(source):
        yield source
    elif os.path.isdir(source):
        yield from (entry.path for entry in os.scandir(source) if entry.is_file())
    for kind in _VARIABLES:
        for folder, _folders, names in os.walk(os.path.join(directory, kind), followlinks=True):
            yield from (os.path.join(folder, name) for name in names)


def _repeated(path: str) -> Iterator[tuple[str, int, int]]:
    """Yield (key, line, line of the first one) for keys of a file that stand twice in a mapping."""
    if os.path.splitext(path)[1] not in _ENDINGS:
        return
    text = origin.text_of(path)
    keys = _KEYS.findall(text)
    if len(keys) == len(set(keys)):
        return
    with contextlib.suppress(yaml.YAMLError):
        for document in list(yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
            yield from _repeated_in(document)


def _repeated_in(node: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_in(item)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in lines:
                yield key.value, line, lines[name]
            lines.setdefault(name, line)
        yield from _repeated_in(value)


def _host_of(path: str, hosts: set[str]) -> str:
    """Return the host whose variables a file contains, "" for other files."""
    parts = path.split(os.sep)
    if "host_vars" not in parts[:-1]:
        return ""
    name = parts[parts.index("host_vars") + 1]
    return name if name in hosts else os.path.splitext(name)[0] if os.path.splitext(name)[0] in hosts else ""
