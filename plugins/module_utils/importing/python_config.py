# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a ``jupyterhub_config.py`` without running it: what plain statements set, and the lines of all others.

Plain are assignments of literals, of names that literals were assigned to before, and changes of lists and mappings by
these. Everything that may run differently another time, such as an ``if``, is not read; neither is a trait that such a
statement changes, whatever was assigned to it before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..platform.config_classes import CLASS_TRAITS
from ..platform.config_code import config_names, mentions_below, place
from .errors import FleetImportError

Key = tuple[str, str]

_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "append": lambda below, value: [*below, value],
    "add": lambda below, value: [*below, value],
    "extend": lambda below, value: [*below, *value],
    "update": lambda below, value: {**below, **value} if isinstance(value, dict) else [*below, *value],
}
_NUMBERS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.Pow: lambda left, right: left**right,
}
#: Operators that add to a value -> the method that does the same; all others may take something away.
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "extend", ast.BitOr: "update"}
#: Statements without an effect on the configuration.
_NO_EFFECT = (ast.Import, ast.ImportFrom, ast.Pass)
#: Traits that are empty by default, so that what is appended is all there is.
_EMPTY: dict[tuple[str, str], Any] = {
    ("Spawner", "environment"): {},
    ("JupyterHub", "services"): [],
    ("JupyterHub", "load_roles"): [],
    ("JupyterHub", "load_groups"): {},
    ("JupyterHub", "template_vars"): {},
    ("Authenticator", "allowed_users"): [],
    ("Authenticator", "admin_users"): [],
    ("Authenticator", "blocked_users"): [],
}


class HubPython(str):
    """The interpreter that runs JupyterHub: ``sys.executable``."""


class NotPlainError(Exception):
    """An expression that cannot be read; the text says why, without a value."""


@dataclass
class Given:
    """A value of a trait, the line that sets it, and its source text; "" where names stand in it."""

    value: Any
    line: int
    text: str = ""


@dataclass
class ConfigFile:
    """What a file says.

    settings: class -> trait -> what it is. unread: (line, sentence without values) of what was not read.
    """

    settings: dict[str, dict[str, Given]] = field(default_factory=dict)
    unread: list[tuple[int, str]] = field(default_factory=list)

    def values(self) -> dict[str, dict[str, Any]]:
        """Return class -> trait -> value."""
        return {
            section: {trait: given.value for trait, given in traits.items()}
            for section, traits in self.settings.items()
        }


def read_config(text: str, name: str) -> ConfigFile:
    """Return what a file says; raises FleetImportError if it is not Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        # an error about null bytes has no line
        place_of_error = ":".join(str(part) for part in (name, error.lineno) if part)
        raise FleetImportError(f"{place_of_error}: is not Python 3: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise FleetImportError(f"{name}: is not Python 3") from None
    reader = _Reader(text, config_names(tree))
    for statement in tree.body:
        reader.read(statement)
    reader.found.unread.sort()
    return reader.found


class _Reader:
    """Reads statements one after the other. names: those with a known value; config: those of the object ``c``."""

    def __init__(self, text: str, config: set[str]) -> None:
        self.text = text
        self.config = config
        self.names: dict[str, Any] = {}
        self.own_classes: set[str] = set()
        #: Name of a list or mapping -> the traits that are the same object.
        self.shared: dict[str, set[Key]] = {}
        self.found = ConfigFile()

    def read(self, node: ast.stmt) -> None:
        """Read one statement of the file itself."""
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self.found.unread.append((node.lineno, f"what {node.module or 'another file'} sets (import *)"))
        if isinstance(node, _NO_EFFECT) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and self._assignment(node):
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and self._call(node.value):
            return
        self._unread(node)

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
        """Read an assignment to one name, or to one trait or an item of it; return whether it is one."""
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is None or (isinstance(node, ast.Assign) and len(node.targets) > 1):
            return False
        if isinstance(target, ast.Name):
            if target.id not in self.config:
                if isinstance(node, ast.AugAssign):
                    self._forget_shared(target.id, node.lineno)
                self._name(target.id, node.value, isinstance(node, ast.AugAssign))
            return True
        path = place(target, self.config)
        if path is None or len(path) not in (2, 3):
            return False
        key = (path[0], path[1])
        if isinstance(node, ast.AugAssign):
            method = _OPERATORS.get(type(node.op))
            return method is not None and len(path) == 2 and self._change(key, method, node.value, node)
        if len(path) == 3:
            pair = ast.Dict(keys=[ast.Constant(path[2])], values=[node.value])
            return self._change(key, "update", pair, node)
        try:
            value = self._class_name(node.value) if key[1] in CLASS_TRAITS.values() else self.evaluate(node.value)
        except NotPlainError as reason:
            self._lose(key, node.lineno, str(reason))
            return True
        literal = not any(isinstance(part, ast.Name) for part in ast.walk(node.value))
        text = (ast.get_source_segment(self.text, node.value) or "") if literal else ""
        self._set(key, Given(value, node.lineno, text))
        if not isinstance(node.value, ast.Call):  # such as set(names), which makes a copy
            for name in _names_in_use(node.value):
                self.shared.setdefault(name, set()).add(key)
        return True

    def _name(self, name: str, value: ast.expr, changed: bool) -> None:
        """Remember the value of a name; forget it if it is not plain. Names alone configure nothing."""
        self.names.pop(name, None)
        try:
            if not changed:
                self.names[name] = self.evaluate(value)
        except NotPlainError as reason:
            self.names[name] = reason

    def _class_name(self, node: ast.expr) -> str:
        """Return the class that is chosen: text, or the name of an imported one."""
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if name in self.own_classes:
            raise NotPlainError("is a class that this file defines")
        if name and name not in self.names:
            return str(name)
        value = self.evaluate(node)
        if not isinstance(value, str):
            raise NotPlainError("is not the name of a class")
        return value

    def _call(self, call: ast.Call) -> bool:
        """Read a change of a trait, such as ``c.JupyterHub.services.append({...})``; return whether it is one."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CHANGES:
            return False
        path = place(call.func.value, self.config)
        if path is None or len(path) != 2 or len(call.args) > 1 or (call.args and call.keywords):
            return False
        if call.args:
            return self._change((path[0], path[1]), call.func.attr, call.args[0], call)
        keys: list[ast.expr | None] = [ast.Constant(keyword.arg) for keyword in call.keywords]
        pairs = ast.Dict(keys=keys, values=[keyword.value for keyword in call.keywords])
        return all(keyword.arg for keyword in call.keywords) and self._change(
            (path[0], path[1]), call.func.attr, pairs, call
        )

    def _change(self, key: Key, method: str, value: ast.expr, node: ast.stmt | ast.expr) -> bool:
        """Change a trait whose value is known; return False where it is not, since its default is unknown here."""
        given = self.found.settings.get(key[0], {}).get(key[1])
        below = given.value if given else _EMPTY.get(key)
        if below is None:
            return False
        try:
            made = _CHANGES[method](below, self.evaluate(value))
        except NotPlainError as reason:
            self._lose(key, node.lineno, str(reason))
        except TypeError:
            self._lose(key, node.lineno, "is changed by a value of another kind")
        else:
            self._set(key, Given(made, node.lineno))
        return True

    def _set(self, key: Key, given: Given) -> None:
        self.found.settings.setdefault(key[0], {})[key[1]] = given

    def _lose(self, key: Key, line: int, reason: str) -> None:
        """Record a trait that is not known any more, with the line that had set it."""
        self.found.unread.append((line, f"c.{key[0]}.{key[1]} {reason}"))
        before = self.found.settings.get(key[0], {}).pop(key[1], None)
        if before is not None:
            self.found.unread.append((before.line, f"c.{key[0]}.{key[1]} is changed in line {line}"))

    def _unread(self, node: ast.stmt) -> None:
        """Record a statement that was not read, and forget all that it may change."""
        mentions = [(each.section, each.trait) for each in mentions_below(node, self.config)]
        mentioned = list(dict.fromkeys([*mentions, *_changed_in_place(node, self.config)]))
        for name in (each for each in ast.walk(node) if isinstance(each, ast.Name)):
            if isinstance(name.ctx, ast.Store):
                self.names.pop(name.id, None)
        for changed in _names_in_use(node):
            if isinstance(self.names.get(changed), (list, dict)):
                self.names[changed] = NotPlainError(f"comes from {changed}, which line {node.lineno} may change")
            self._forget_shared(changed, node.lineno)
        if isinstance(node, ast.ClassDef):
            self.own_classes.add(node.name)
        what = "a call" if isinstance(node, ast.Expr) else f"a statement ({type(node).__name__.lower()})"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            what = f"the {'class' if isinstance(node, ast.ClassDef) else 'function'} {node.name}"
        sets = f", which sets {', '.join(f'c.{section}.{trait}' for section, trait in mentioned)}" if mentioned else ""
        self.found.unread.append((node.lineno, f"{what}{sets}"))
        for section, trait in mentioned:
            before = self.found.settings.get(section, {}).pop(trait, None)
            if before is not None:
                self.found.unread.append((before.line, f"c.{section}.{trait} is changed in line {node.lineno}"))

    def _forget_shared(self, name: str, line: int) -> None:
        """Forget the traits that are a list or mapping with a name, which a line may change."""
        for section, trait in sorted(self.shared.pop(name, ())):
            given = self.found.settings.get(section, {}).get(trait)
            if given is not None and isinstance(given.value, (list, dict)):
                del self.found.settings[section][trait]
                self.found.unread.append(
                    (given.line, f"c.{section}.{trait} comes from {name}, which line {line} may change")
                )

    def evaluate(self, node: ast.expr | None) -> Any:
        """Return the value of a plain expression, with lists for sets and tuples; raises NotPlainError."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id in self.names:
            known = self.names[node.id]
            if isinstance(known, NotPlainError):
                raise known
            return known
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.executable":
            return HubPython("python3")
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [self.evaluate(item) for item in node.elts]
        if isinstance(node, ast.Dict) and all(node.keys):
            return {self._hashable(key): self.evaluate(item) for key, item in zip(node.keys, node.values)}
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._computed(lambda value, _other: -value, node.operand, node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _NUMBERS:
            return self._computed(_NUMBERS[type(node.op)], node.left, node.right)
        if isinstance(node, ast.Call):
            return self._result(node)
        raise _not_plain(node)

    def _computed(self, operation: Callable[[Any, Any], Any], left: ast.expr, right: ast.expr) -> Any:
        """Return a sum or product of two plain values."""
        values = [self.evaluate(side) for side in (left, right)]
        # So that nothing takes long: a gigabyte is 1024 ** 3.
        if any(isinstance(value, (int, float)) and abs(value) > 2**53 for value in values):
            raise NotPlainError("is not a plain value")
        if operation is _NUMBERS[ast.Pow] and not all(
            isinstance(value, int) and abs(value) <= 1024 for value in values
        ):
            raise NotPlainError("is not a plain value")
        both_numbers = all(isinstance(value, (int, float)) for value in values)
        if not both_numbers and not (type(values[0]) is type(values[1]) and isinstance(values[0], (str, list))):
            raise NotPlainError("is not a plain value")
        try:
            return operation(*values)
        except (TypeError, ArithmeticError):
            raise NotPlainError("is not a plain value") from None

    def _hashable(self, node: ast.expr | None) -> Any:
        key = self.evaluate(node)
        if isinstance(key, (list, dict)):
            raise NotPlainError("is not a plain value")
        return key

    def _result(self, call: ast.Call) -> Any:
        """Return what set(), list(), dict() or tuple() of plain values is."""
        function = call.func.id if isinstance(call.func, ast.Name) else ""
        if function in ("set", "list", "tuple", "frozenset") and not call.keywords and len(call.args) <= 1:
            value = self.evaluate(call.args[0]) if call.args else []
            if isinstance(value, list):
                return value
        if function == "dict" and not call.args and all(keyword.arg for keyword in call.keywords):
            return {keyword.arg: self.evaluate(keyword.value) for keyword in call.keywords}
        raise _not_plain(call)


def _names_in_use(tree: ast.AST) -> list[str]:
    """Return the names whose objects a statement may change: not those that it only compares, or goes through."""
    safe = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.comprehension)):
            safe.add(id(node.iter))
        elif isinstance(node, ast.Compare):
            safe.update(map(id, (node.left, *node.comparators)))
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return list(dict.fromkeys(node.id for node in names if id(node) not in safe))


def _changed_in_place(tree: ast.AST, config: set[str]) -> Iterator[Key]:
    """Yield the traits that are deleted, or whose methods are called, such as ``remove``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            objects: list[ast.expr] = [node.func.value]
        else:
            objects = node.targets if isinstance(node, ast.Delete) else []
        for each in objects:
            path = place(each, config)
            if path and len(path) >= 2:
                yield path[0], path[1]


def _not_plain(node: ast.expr | None) -> NotPlainError:
    """Return why an expression is not plain."""
    variables = {_environment_variable(part) for part in ast.walk(node)} - {""} if node else set()
    if variables:
        return NotPlainError(f"comes from the environment variable {', '.join(sorted(variables))}")
    return NotPlainError("is not a plain value")


def _environment_variable(node: ast.AST) -> str:
    """Return the variable that ``os.environ["X"]``, ``os.environ.get("X")`` or ``os.getenv("X")`` reads, or ""."""
    first: Any = None
    if isinstance(node, ast.Subscript):
        function, first = ast.unparse(node.value), node.slice
        known = function in ("os.environ", "environ")
    elif isinstance(node, ast.Call) and node.args:
        function, first = ast.unparse(node.func), node.args[0]
        known = function in ("os.environ.get", "environ.get", "os.getenv", "getenv")
    else:
        return ""
    return first.value if known and isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
