# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the Python of a JupyterHub configuration without running it, and find traits that no class has.

JupyterHub only logs such a trait, and starts without the setting.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..schema.problems import nearest
from .config_classes import CLASS_TRAITS, Traits, nearest_name, section_traits, unknown_class_problem

#: Names under which JupyterHub, and the chart, run configuration with the object in scope.
CONFIG = "c"
_GET_CONFIG = "get_config"
#: Methods of values that traitlets keeps until a class is configured (LazyConfigValue), and of lists and mappings.
_CHANGES = ("add", "append", "extend", "insert", "prepend", "setdefault", "update")
#: The only methods of a section that name traits.
_SECTION_CHANGES = ("setdefault", "update")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Mention:
    """A trait that code sets or changes. value: what is assigned; None where the trait is changed in another way."""

    section: str
    trait: str
    line: int
    value: ast.expr | None = None


@dataclass
class ConfigCode:
    """What code says. own_names: those of classes that it imports or defines, and of traits of the latter."""

    mentions: list[Mention] = field(default_factory=list)
    own_names: set[str] = field(default_factory=set)


def read_code(text: str) -> ConfigCode:
    """Return what can be read of code; nothing of code that is not Python, or that gives ``c`` another meaning."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ConfigCode()
    found = ConfigCode()
    names = config_names(tree)
    for node in _in_scope(tree, names):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.own_names.update((alias.asname or alias.name).rpartition(".")[2] for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            found.own_names.add(node.name)
            found.own_names.update(name for statement in node.body for name in _assigned_names(statement))
        found.mentions += _mentions(node, names)
    return found


def config_names(tree: ast.Module) -> set[str]:
    """Return the names of the configuration object: ``c``, unless it is something else, and results of get_config()."""
    names = {CONFIG}
    others: set[str] = set()
    for node in _in_scope(tree, set()):
        targets = list(_assigned_names(node))
        value = getattr(node, "value", None)
        is_config = isinstance(node, ast.Assign) and (
            (isinstance(value, ast.Name) and value.id in names) or _calls_get_config(value)
        )
        (names if is_config else others).update(targets)
    return names - others


def place(node: ast.AST, names: set[str]) -> tuple[str, ...] | None:
    """Return ("JupyterHub", "port") of ``c.JupyterHub.port`` or ``c["JupyterHub"]["port"]``; None of anything else."""
    if isinstance(node, ast.Name):
        return () if node.id in names else None
    if isinstance(node, ast.Call):
        return () if _calls_get_config(node) else None
    if not isinstance(node, (ast.Attribute, ast.Subscript)):
        return None
    step = node.attr if isinstance(node, ast.Attribute) else getattr(node.slice, "value", None)
    above = place(node.value, names)
    return (*above, step) if above is not None and isinstance(step, str) else None


def mentions_below(tree: ast.AST, names: set[str]) -> Iterator[Mention]:
    """Yield the traits that a statement, and those inside of it, set or change; ``names`` are those of ``c``."""
    yield from _mentions(tree, names)
    for node in _in_scope(tree, names):
        yield from _mentions(node, names)


def _mentions(node: ast.AST, names: set[str]) -> Iterator[Mention]:
    """Yield the traits that one statement, or one call, sets or changes."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        value = node.value if isinstance(node, ast.Assign) else None
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                path = place(part, names) or _changed_item(part, names)
                if path and len(path) >= 2:
                    whole = value if len(path) == 2 and part is target else None
                    yield Mention(path[0], path[1], node.lineno, whole)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        path = place(node.func.value, names)
        if path and len(path) == 2 and node.func.attr in _CHANGES:
            yield Mention(path[0], path[1], node.lineno)
        elif path and len(path) == 1 and node.func.attr in _SECTION_CHANGES:
            for trait in _keys(node):
                yield Mention(path[0], trait, node.lineno)


def _changed_item(node: ast.expr, names: set[str]) -> tuple[str, ...] | None:
    """Return the trait of ``c.Spawner.environment[name]``, whatever the name is."""
    return place(node.value, names) if isinstance(node, (ast.Attribute, ast.Subscript)) else None


def _keys(call: ast.Call) -> Iterator[str]:
    """Yield the keys that a call of update() or setdefault() names."""
    yield from (keyword.arg for keyword in call.keywords if keyword.arg)
    first = call.args[0] if call.args else None
    for key in first.keys if isinstance(first, ast.Dict) else [first]:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _calls_get_config(node: Any) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _GET_CONFIG


def _assigned_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement, a loop or an import gives a meaning; not those inside of its own scopes."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.ExceptHandler):
        yield node.name or ""
    elif isinstance(node, ast.withitem):
        yield from _names_in(node.optional_vars)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor, ast.NamedExpr)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from _names_in(target)


def _names_in(target: ast.AST | None) -> Iterator[str]:
    for node in ast.walk(target) if target is not None else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _in_scope(tree: ast.AST, names: set[str]) -> Iterator[ast.AST]:
    """Yield all nodes in which ``names`` are the configuration object; with no names, those of the module itself."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _SCOPES) and (not names or names & _own_scope(node)):
            yield from (node for node in [node] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
            continue
        yield node
        yield from _in_scope(node, names)


def _own_scope(scope: ast.AST) -> set[str]:
    """Return the names that a function or comprehension gives a meaning of its own."""
    arguments = getattr(scope, "args", None)
    found = {each.arg for each in ast.walk(arguments) if isinstance(each, ast.arg)} if arguments else set()
    for node in ast.walk(scope):
        found.update(_names_in(node.target) if isinstance(node, ast.comprehension) else _assigned_names(node))
    return found


# --- Rules


def code_problems(
    text: str, config: dict[str, Any], traits: Traits, own: Iterable[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """Yield (class, trait, message) of traits that no class has, each once, where it is first mentioned.

    config: the configuration that the code is run after. own: names of other code that is run with this one.
    """
    code = read_code(text)
    own_names = code.own_names.union(own)
    config = _chosen_classes(code, config, traits)
    reported: set[tuple[str, str]] = set()
    for mention in code.mentions:
        key = (mention.section, mention.trait)
        message = "" if key in reported else _problem(mention, config, traits, own_names)
        if message:
            reported.add(key)
            yield (*key, f"{message} (line {mention.line} of the code)")


def _chosen_classes(code: ConfigCode, config: dict[str, Any], traits: Traits) -> dict[str, Any]:
    """Return the configuration with the classes that the code chooses; one that cannot be read is an unknown one."""
    settings = dict(config.get("JupyterHub") or {})
    for mention in code.mentions:
        if mention.section != "JupyterHub" or mention.trait not in CLASS_TRAITS.values():
            continue
        value = mention.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            settings[mention.trait] = value.value
        else:
            name = getattr(value, "id", None) or getattr(value, "attr", None) or "?"
            paths = [path for path, known in traits.authenticators.items() if known == name]
            settings[mention.trait] = paths[0] if paths else f"unknown.{name}"
    return {**config, "JupyterHub": settings}


def _problem(mention: Mention, config: dict[str, Any], traits: Traits, own: set[str]) -> str:
    section, trait = mention.section, mention.trait
    if section not in traits.classes:
        return "" if section in own else unknown_class_problem(section, traits, _class_names(config))
    known, unknown_allowed = section_traits(section, config, traits)
    if trait in own or trait.startswith("_"):
        return ""
    if trait in known:
        return f"was removed; use {known[trait].alias_of}" if known[trait].removed else ""
    if trait in traits.classes:
        return f"is a class, whose section is not inside of {section}; write c.{trait}"
    near = nearest_name(trait, known)
    if near:
        return f"{section} has no such trait; did you mean {near!r}?"
    if unknown_allowed:
        return ""
    owner = next((base for base in ("JupyterHub", *CLASS_TRAITS) if trait in traits.of(base)), "")
    hint = f"; did you mean c.{owner}.{trait}?" if owner else nearest(trait, known)
    return f"{section} has no such trait{hint}"


def _class_names(config: dict[str, Any]) -> list[str]:
    """Return the names of the classes that a configuration chooses."""
    settings = config.get("JupyterHub") or {}
    return [str(settings.get(chooser)).rpartition(".")[2] for chooser in CLASS_TRAITS.values() if settings.get(chooser)]
