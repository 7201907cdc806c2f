# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate values against the chart's schema, with readable messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ....common.nested import map_leaves
from ....schema.model import EncryptedValue
from ....schema.problems import nearest
from ...errors import PlatformError
from ..chart.content import ChartError
from ..values.layers import ChartPath, Values

#: Types of JSON schema in messages.
_TYPE_NAMES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}

Errors = Iterator[tuple[ChartPath, str]]


class ChartSchema:
    """A chart's schema, compiled once for all hubs that use it."""

    def __init__(self, schema: dict[str, Any]):
        """Compile; raises PlatformError where the library is missing, and ChartError where the schema is none."""
        self.schema = schema
        try:
            import jsonschema_rs
        except ImportError:
            raise PlatformError(
                "checking hubs on Kubernetes needs the Python package jsonschema-rs; "
                "install it next to Ansible: pip install jsonschema-rs"
            ) from None
        try:
            self._validator = jsonschema_rs.validator_for(schema)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            reason = getattr(error, "message", str(error))
            raise ChartError(f"the chart's values.schema.json is not a JSON schema: {reason}") from None

    def errors(self, values: Values) -> Errors:
        """Yield (place, message) of everything the schema refuses in ``values``, the chart's defaults included."""
        for error in self._validator.iter_errors(_with_texts(values)):
            kind: Any = error.kind  # a class per keyword, with its details
            path = tuple(error.instance_path)
            message = _MESSAGES.get(kind.name)
            if kind.name == "additionalProperties":
                parent = self._at(error.schema_path[:-1])
                known = list(parent.get("properties", {}))
                for key in kind.unexpected:
                    yield (*path, key), f"is not a key of the chart{nearest(key, known, 'known')}"
            elif kind.name == "required":
                yield (*path, kind.property), "is missing; the chart needs it"
            elif kind.name == "enum":
                choices = [str(choice) for choice in kind.options if choice not in (None, "")]
                # The value is only compared: it may be a secret in a wrong place.
                yield path, f"is not allowed{nearest(str(error.instance), choices, 'allowed')}"
            elif kind.name == "oneOf":
                yield path, self._one_of(error.schema_path)
            elif message:
                yield path, message(kind)
            else:
                # A keyword that charts hardly use; its own message may repeat the value.
                limit = self._at(error.schema_path)
                yield (
                    path,
                    f"is not allowed by the chart: {kind.name} {limit}"
                    if _short(limit)
                    else "is not allowed by the chart",
                )

    def _at(self, schema_path: list[str | int]) -> Any:
        found: Any = self.schema
        for part in schema_path:
            found = found[part]
        return found

    def _one_of(self, schema_path: list[str | int]) -> str:
        alternatives = [set(each.get("required", ())) for each in self._at(schema_path) if isinstance(each, dict)]
        named = sorted(set().union(*alternatives)) if alternatives else []
        return (
            f"needs exactly one of {', '.join(named)}"
            if named
            else "must match exactly one alternative of the chart's schema"
        )


def _with_texts(value: Any) -> Any:
    """Return a value with texts in the places of what stays encrypted: the library takes plain types only."""
    return map_leaves(value, lambda leaf: str(leaf) if isinstance(leaf, EncryptedValue) else leaf)


def _short(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) < 60


def _type(kind: Any) -> str:
    types = sorted(kind.types, key=lambda each: each == "null")
    return f"has the wrong type for the chart; allowed: {' or '.join(_TYPE_NAMES.get(each, each) for each in types)}"


#: Kind of error -> its message; never with the value, which may be a secret.
_MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "pattern": lambda kind: f"does not match {kind.pattern}",
    "minimum": lambda kind: f"is too small; the minimum is {kind.limit}",
    "maximum": lambda kind: f"is too large; the maximum is {kind.limit}",
}
