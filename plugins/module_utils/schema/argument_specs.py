# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate the argument specs of the roles from the schema."""

from __future__ import annotations

import re
from typing import Any

from ..common.nested import map_leaves
from .documentation import limits, written_default
from .option import Option
from .role_options import ROLES, EntryPoint

#: Kind -> type in Ansible, where it is not str; the engine parses amounts itself.
_ANSIBLE_TYPES = {
    "number": "float",
    "port": "int",
    "bool": "bool",
    "int": "int",
    "list": "list",
    "dict": "dict",
    "values": "dict",
    "interface": "raw",
}


def role_argument_specs() -> dict[str, dict[str, Any]]:
    """Return role -> content of its meta/argument_specs.yml."""
    return {
        role: {"argument_specs": {name: _entry_point(entry) for name, entry in entry_points.items()}}
        for role, entry_points in ROLES.items()
    }


def _entry_point(entry: EntryPoint) -> dict[str, Any]:
    return {
        "short_description": entry.title,
        "description": [entry.text],
        "author": ["Hubfleet contributors (@hubfleet)"],
        "version_added": "0.1.0",
        "options": _without_foreign_names({option.name: _spec(option) for option in entry.options}),
    }


def _without_foreign_names(specs: dict[str, Any]) -> dict[str, Any]:
    """Return specs whose references to options of other roles are written as code."""

    def written(found: re.Match[str]) -> str:
        own = found[1] in specs or not found[1].startswith(("hub_", "cluster_", "fleet_"))
        return found[0] if own else f"C({found[1]})"

    def without(leaf: Any) -> Any:
        return re.sub(r"O\((\w+)\)", written, leaf) if isinstance(leaf, str) else leaf

    return {name: map_leaves(spec, without) for name, spec in specs.items()}


def _spec(option: Option) -> dict[str, Any]:
    spec: dict[str, Any] = {"type": _ANSIBLE_TYPES.get(option.kind, "str")}
    platforms = [f"Only on {' and '.join(option.platforms)}."] if option.platforms else []
    spec["description"] = [*option.text, *limits(option), *platforms]
    # Not required: the engine reports missing options with a better message, before any role runs.
    if option.default not in (None, (), {}, ""):
        spec["default"] = written_default(option)
    if option.choices:
        spec["choices"] = list(option.choices)
    if option.secret:
        spec["no_log"] = True
    if option.kind == "list" and option.elements:
        mixed = option.by_name is not None
        spec["elements"] = "raw" if mixed else _ANSIBLE_TYPES.get(option.elements.kind, "str")
        if not mixed and option.elements.options:
            spec["options"] = {key.name: _spec(key) for key in option.elements.options}
    if option.kind == "dict" and option.options:
        spec["options"] = {key.name: _spec(key) for key in option.options}
    return spec
