# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables a template of Jinja takes its value from, without rendering it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import path_text
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from jinja2 import Environment, TemplateError, nodes
from jinja2.filters import FILTERS

#: A variable, then keys and indexes inside its value.
Path = tuple[Any, ...]

#: Filters of Ansible's own, beside those of Jinja, that people use on texts.
_ANSIBLE_FILTERS = frozenset({"b64decode", "b64encode", "from_json", "from_yaml", "quote", "regex_replace", "to_json"})
#: Functions and filters that bring in what stands in no variable.
_FETCHING = frozenset({"lookup", "query", "q", "decrypt", "unvault"})
#: What Ansible itself takes from an inventory.
_NAMES_OF_HOSTS = frozenset({"inventory_hostname", "inventory_hostname_short"})
#: Variables that name each other longer than this do so in a circle, which Ansible reports.
_DEEPEST = 10


@dataclass(frozen=True)
class Template:
    """What a template consists of.

    sources: variables that its value is made of. choices: those that only decide, such as in conditions.
    fetches: it looks something up. computes: it calls functions, or filters that may return anything.
    """

    sources: tuple[Path, ...]
    choices: tuple[Path, ...]
    fetches: bool
    computes: bool


@functools.lru_cache(maxsize=4000)
def parse(text: str) -> Template | None:
    """Return what a template consists of, None where it is not valid; hubs share most templates."""
    try:
        tree = Environment().parse(text)
    except TemplateError:
        return None
    found = list(_paths(tree, False))
    names = {_called(call) for call in tree.find_all((nodes.Call, nodes.Filter))}
    outside = next(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport)), None) is not None
    fetches = outside or not names.isdisjoint(_FETCHING)
    computes = fetches or next(tree.find_all(nodes.Call), None) is not None
    computes = computes or not all(_rewrites(each.name) for each in tree.find_all(nodes.Filter))
    sources = tuple(path for path, decides in found if not decides)
    return Template(sources, tuple(path for path, decides in found if decides), fetches, computes)


def plain_source(template: str, variables: Mapping[str, Any]) -> str:
    """Return the variable that a template copies plain text from, with file and line; "" where it does not.

    variables: those of the host before templating. Where anything in the template is encrypted, looked up or computed,
    all of it may be a secret that is kept well.
    """
    found = _plain_sources(str(template), variables, _DEEPEST)
    return found[0] if found else ""


def _plain_sources(template: str, variables: Mapping[str, Any], depth: int) -> list[str] | None:
    """Return the plain texts that a template's value is made of, None where it is made of anything else."""
    parsed = parse(template)
    if parsed is None or parsed.computes or not depth:
        return None
    found: list[str] = []
    for path in parsed.sources:
        value: Any = None if path[0] in _NAMES_OF_HOSTS else variables
        for part in path:
            _key, value = origin.step(value, part)
        place = origin.place_of(value) if isinstance(value, (str, int, float)) else None
        if place is None or origin.stands_encrypted(value):
            return None
        inner = _plain_sources(value, variables, depth - 1) if origin.is_template(value) else None
        if origin.is_template(value) and inner is None:
            return None
        found += inner or [f"{path_text(path)} ({origin.shown(place)})"]
    return found


def _paths(node: nodes.Node, decides: bool) -> Iterator[tuple[Path, bool]]:
    """Yield the variables that are named below a node, and whether they only decide."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        # The method of a value returns something of the value.
        yield from _paths(node.node.node, decides)
        node = nodes.Call(nodes.Const(None), node.args, node.kwargs, node.dyn_args, node.dyn_kwargs)
    path, inner = _longest_path(node)
    if path:
        yield path, decides
        node = inner
    for field, child in node.iter_fields():
        chooses = decides or field == "test" or isinstance(node, nodes.Getitem) and field == "arg"
        for each in child if isinstance(child, list) else [child]:
            if isinstance(each, nodes.Node):
                yield from _paths(each, chooses)


def _longest_path(node: nodes.Node) -> tuple[Path, nodes.Node]:
    """Return the variable, and keys and indexes inside it, that an expression names, and what else it consists of."""
    if isinstance(node, nodes.Name):
        return ((node.name,) if node.ctx == "load" else ()), nodes.Const(None)
    if isinstance(node, nodes.Getattr):
        path, inner = _longest_path(node.node)
        return ((*path, node.attr) if path else ()), inner
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        path, inner = _longest_path(node.node)
        return ((*path, node.arg.value) if path else ()), inner
    return (), node


def _called(node: nodes.Node) -> str:
    """Return the name of a filter, or of the function that is called, without its collection."""
    named = node if isinstance(node, nodes.Filter) else getattr(node, "node", None)
    return str(getattr(named, "name", "")).rpartition(".")[2]


def _rewrites(name: str) -> bool:
    """Return whether a filter only writes a text in another way; others may decrypt it, or fetch what it names."""
    return name in FILTERS or name.rpartition("ansible.builtin.")[2] in _ANSIBLE_FILTERS
