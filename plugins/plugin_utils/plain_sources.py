# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the plain text that a template copies into the place of a secret."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import path_text
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from jinja2 import Environment, TemplateError, nodes
from jinja2.filters import FILTERS

#: Filters of Ansible's own, beside those of Jinja, that people use on texts.
_ANSIBLE_FILTERS = frozenset({"b64decode", "b64encode", "from_json", "from_yaml", "quote", "regex_replace", "to_json"})
#: What Ansible itself takes from an inventory.
_NO_SECRETS = frozenset({"inventory_hostname", "inventory_hostname_short"})
#: Variables that name each other longer than this do so in a circle, which Ansible tells.
_DEEPEST = 10


class _Unknown(Exception):
    """A value comes from somewhere else: a lookup, a call, another host, or something encrypted."""


def plain_source(template: str, variables: Mapping[str, Any]) -> str:
    """Return the variable that a template copies plain text from, with file and line; "" where it does not.

    variables: those of the host before templating. Where anything in the template is encrypted, looked up or made by
    what nobody knows here, all of it may be a secret that is kept well.
    """
    try:
        # All of them: what is unknown may come last.
        found = list(_sources(template, variables, _DEEPEST))
    except (_Unknown, TemplateError):
        return ""
    return found[0] if found else ""


def _sources(template: str, variables: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield a description for each plain text that a template's value is made of; raises _Unknown."""
    for part in _parsed(str(template)):
        if not isinstance(part, nodes.Output):
            raise _Unknown
        for node in part.nodes:
            if not isinstance(node, nodes.TemplateData):
                yield from _of(node, variables, depth)


@functools.lru_cache(maxsize=1000)
def _parsed(template: str) -> list[nodes.Node]:
    """Return what a template consists of; hubs share most templates."""
    return Environment().parse(template).body


def _of(node: nodes.Node, variables: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield the same for an expression. What chooses, such as an index or a condition, is no source."""
    if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        yield from _of_variable(_path(node), variables, depth)
    elif isinstance(node, nodes.Filter) and node.node is not None and _rewrites(node.name):
        for part in (node.node, *node.args, *(pair.value for pair in node.kwargs)):
            yield from _of(part, variables, depth)
    elif isinstance(node, nodes.CondExpr) and node.expr2 is not None:
        yield from _of(node.expr1, variables, depth)
        yield from _of(node.expr2, variables, depth)
    elif isinstance(node, (nodes.BinExpr, nodes.Concat)):
        for child in node.iter_child_nodes():
            yield from _of(child, variables, depth)
    elif not isinstance(node, nodes.Const):
        raise _Unknown


def _rewrites(name: str) -> bool:
    """Tell whether a filter only writes a text in another way; others may decrypt it, or fetch what it names."""
    return name in FILTERS or name.rpartition("ansible.builtin.")[2] in _ANSIBLE_FILTERS


def _path(node: nodes.Node) -> tuple[Any, ...]:
    """Return the variable, and keys and indexes inside it, that an expression names."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        return (*_path(node.node), node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return (*_path(node.node), node.arg.value)
    raise _Unknown


def _of_variable(path: tuple[Any, ...], variables: Mapping[str, Any], depth: int) -> Iterator[str]:
    value: Any = None if path[0] in _NO_SECRETS else variables
    for part in path:
        _key, value = origin.step(value, part)
    place = origin.place_of(value) if isinstance(value, (str, int, float)) else None
    if place is None or not depth or origin.is_encrypted(value) or origin.is_encrypted_file(place[0]):
        raise _Unknown
    if origin.is_template(value):
        yield from _sources(value, variables, depth - 1)
    else:
        yield f"{path_text(path)} ({origin.shown(place)})"
