# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read YAML as Helm reads it, or as YAML 1.2.

Helm reads values with sigs.k8s.io/yaml, whose parser is go-yaml 2: YAML 1.1 with rules of its own for plain
words. Source: its ``resolve.go`` and ``decode.go``; tried against Helm's own parser. Other programs read YAML 1.2 with
ruamel.yaml; source: its ``resolver.py``, and YAML 1.2.2, 10.3 ("Core Schema").
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .errors import FleetImportError

#: What a plain word is; the last two are floats that JSON, which Helm turns everything into, does not have.
_PROFILE_KEYS: dict[str, Any] = {
    **{word: True for text in ("y", "yes", "true", "on") for word in (text, text.capitalize(), text.upper())},
    **{word: False for text in ("n", "no", "false", "off") for word in (text, text.capitalize(), text.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}.{word}": math.inf for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")},
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[bB][01]+"), 2),
    (re.compile(r"[-+]?0[oO]?[0-7]+"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
_YAML_1_2_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_YAML_1_2_INTEGERS = (
    (re.compile(r"[-+]?0x[0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0b[01]+"), 2),
    (re.compile(r"[-+]?0o[0-7]+"), 8),
    (re.compile(r"[-+]?[0-9]+"), 10),
)
_TAG = "tag:yaml.org,2002:"
_PLAIN = "tag:hubfleet,2026:plain"
_MERGE = "<<"
#: So many values may a file hold, with anchors counted wherever they are used; Helm too refuses excessive aliasing.
_MOST = 1_000_000


@dataclass
class Reading:
    """What a file holds, and what is odd about it.

    notes: sentences that each start with ``file:line``.
    """

    value: Any
    notes: list[str] = field(default_factory=list)


def resolve(word: str) -> Any:
    """Return what a plain word is to Helm: text, a number, true or false, or null."""
    return _resolve(word, _PROFILE_KEYS, _INTEGERS, lambda number: -(2**63) <= number < 2**64)


def resolve_yaml_1_2(word: str) -> Any:
    """Return what a plain word is in YAML 1.2: ``yes``, ``no`` and ``12:30`` are text there, and 0123 is 123."""
    return _resolve(word, _YAML_1_2_WORDS, _YAML_1_2_INTEGERS, lambda _number: True)


def _resolve(
    word: str,
    words: dict[str, Any],
    integers: Iterable[tuple[re.Pattern[str], int]],
    fits: Callable[[int], bool],
) -> Any:
    """Return what a plain word is; a whole number that does not fit is a float, as other numbers are."""
    if word in words:
        return words[word]
    if not re.match(r"[-+.0-9]", word):
        return word
    digits = word.replace("_", "")
    for pattern, base in integers:
        if pattern.fullmatch(digits):
            number = int(re.sub(r"(?i)^([-+]?)0[xbo]", r"\1", digits), base)
            if fits(number):
                return number
    if _FLOAT.fullmatch(digits) and math.isfinite(float(digits)):
        return float(digits)
    return word


def read_mapping(text: str, name: str, resolve_word: Callable[[str], Any] = resolve) -> Reading:
    """Return the mapping in the first document of ``text``, empty for none; ``name`` is the file's, for messages.

    resolve_word: returns what a plain word is; the default is Helm's.
    Keys are text. Raises FleetImportError with file and line for what Helm would refuse.
    """
    import yaml

    reader = _Reader(name, resolve_word)
    try:
        loader = _loader_class()(text)
        root = loader.get_node() if loader.check_node() else None
        value = {} if root is None else reader.value(root)
        if loader.check_node():
            reader.notes.append(f"{name}: contains several documents; Helm reads only the first")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FleetImportError(f"{_place(name, mark)}: is not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FleetImportError(f"{name}:{line}: contains a character that YAML does not allow") from error
    except RecursionError as error:
        raise FleetImportError(f"{name}: is nested too deeply") from error
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise FleetImportError(f"{name}: is not a mapping")
    return Reading(value, reader.notes)


def _loader_class() -> Any:
    """Return PyYAML's loader, told to decide nothing about plain words."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {None: [(_PLAIN, re.compile(""))]}

        def scan_to_next_token(self) -> None:
            # Tabs may stand between tokens, where nothing is told by indentation; PyYAML would refuse that.
            scanner: Any = super()
            scanner.scan_to_next_token()
            while scanner.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
                scanner.forward()
                scanner.scan_to_next_token()

        def compose_node(self, parent: Any, index: Any) -> Any:
            # An anchor may be set anew; PyYAML would refuse that.
            event: Any = super().peek_event()  # type: ignore[no-untyped-call]
            if not isinstance(event, yaml.AliasEvent):
                self.anchors.pop(event.anchor, None)
            return super().compose_node(parent, index)

    return Loader


def _place(name: str, mark: Any) -> str:
    return f"{name}:{mark.line + 1}" if mark else name


class _Reader:
    """Turns the nodes of one file into values."""

    def __init__(self, name: str, resolve_word: Callable[[str], Any]) -> None:
        self.name = name
        self.resolve_word = resolve_word
        self.notes: list[str] = []
        self._values: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def value(self, node: Any) -> Any:
        """Return the value of a node; an anchor's is made once."""
        key = id(node)
        if key in self._open:
            raise self._problem(node, "has an anchor that contains itself")
        if key not in self._values:
            self._open.add(key)
            makers = {"scalar": self._scalar, "sequence": self._sequence, "mapping": self._mapping}
            self._values[key] = makers[node.id](node)
            self._sizes[key] = self._size(node)
            self._open.remove(key)
        return self._values[key]

    def _size(self, node: Any) -> int:
        """Return how many values a node holds, whose parts have been read."""
        if node.id == "scalar":
            return 1
        parts = node.value if node.id == "sequence" else [value for _key, value in node.value]
        size = 1 + sum(self._sizes.get(id(part), 1) for part in parts)
        if size > _MOST:
            raise self._problem(node, "has anchors that expand to too many values")
        return size

    def _problem(self, node: Any, message: str) -> FleetImportError:
        return FleetImportError(f"{_place(self.name, node.start_mark)}: {message}")

    def _sequence(self, node: Any) -> list[Any]:
        return [self.value(item) for item in node.value]

    def _mapping(self, node: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag in (_PLAIN, f"{_TAG}merge") and key_node.value == _MERGE:
                # go-yaml merges where the key stands: over what came before, under what follows.
                made.update(self._merged(value_node))
                continue
            key = self._key(key_node)
            if key in seen:
                self.notes.append(
                    f"{_place(self.name, key_node.start_mark)}: {key!r} is defined twice; the last one is used"
                )
            seen.add(key)
            made[key] = self.value(value_node)
        return made

    def _merged(self, node: Any) -> dict[str, Any]:
        sources = [self.value(item) for item in node.value] if node.id == "sequence" else [self.value(node)]
        if not all(isinstance(source, dict) for source in sources):
            raise self._problem(node, "'<<' merges only mappings")
        merged: dict[str, Any] = {}
        for source in reversed(sources):
            merged.update(source)
        return merged

    def _key(self, node: Any) -> str:
        if node.id != "scalar":
            raise self._problem(node, "has a key that is not text")
        value = self._scalar(node)
        if value is None:
            raise self._problem(node, "has null as a key")
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int) and value >= 2**63:
            raise self._problem(node, "has a number as a key that is too large for Helm")
        return _float_key(value) if isinstance(value, float) else str(value)

    def _scalar(self, node: Any) -> Any:
        text = str(node.value)
        if re.search("[\ud800-\udfff]", text):
            raise self._problem(node, "contains half of a surrogate pair")
        kind = node.tag[len(_TAG) :] if node.tag.startswith(_TAG) else "plain" if node.tag == _PLAIN else "str"
        if kind == "binary":
            return self._binary(node)
        if kind not in ("plain", "int", "float", "bool", "null"):
            return text
        value = self.resolve_word(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._problem(node, f"{text} is a number that Helm does not support")
        if not _is_kind(value, kind):
            raise self._problem(node, f"does not match its tag !!{kind}")
        return float(value) if kind == "float" else value

    def _binary(self, node: Any) -> str:
        try:
            return base64.b64decode("".join(node.value.split()), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise self._problem(node, "is binary data that is not text") from None


def _float_key(value: float) -> str:
    """Return a number as Go writes it with ``FormatFloat(value, 'g', -1, 32)``: as short as 32 bits allow."""
    wanted = _in_32_bits(value)
    if math.isinf(wanted):
        return ".inf" if wanted > 0 else "-.inf"
    texts = (f"{wanted:.{places}e}" for places in range(9))
    digits, _e, power = next(text for text in texts if _in_32_bits(float(text)) == wanted).partition("e")
    exponent = int(power)
    if not -4 <= exponent < 6:
        return f"{digits}e{exponent:+03d}"
    places = len(digits.lstrip("-").replace(".", "")) - 1 - exponent
    return f"{float(f'{digits}e{power}'):.{max(places, 0)}f}"


def _in_32_bits(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _is_kind(value: Any, kind: str) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {"int": number, "float": number, "bool": isinstance(value, bool), "null": value is None}
    return fits.get(kind, True)
