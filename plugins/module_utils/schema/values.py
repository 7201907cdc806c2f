# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a value against its option, and parse it."""

from __future__ import annotations

import ast
import ipaddress
import math
import re
from typing import Any, Callable
from urllib.parse import urlsplit

from ..common.nested import leaves
from ..redaction.places import holds_credentials, holds_private_key
from .formatted_text import placeholder_problem
from .model import EncryptedValue, ReadAs, UserName, ValuePath
from .option import KINDS, Option
from .placeholders import unfinished
from .problems import nearest
from .units import format_duration, format_memory, parse_duration, parse_memory
from .user_names import parse_user_name
from .written import Misreading, invisible_characters

#: report(path, message): path is the place inside the variable, a tuple of keys and indexes.
Report = Callable[[ValuePath, str], None]

DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

#: Source: the grammar of distribution's ``reference`` package: [host[:port]/]path[:tag][@digest].
_IMAGE_PATH = r"[a-z0-9]+([._-]+[a-z0-9]+)*"
IMAGE = re.compile(
    rf"([A-Za-z0-9][-.A-Za-z0-9]*(:[0-9]+)?/)?{_IMAGE_PATH}(/{_IMAGE_PATH})*"
    r"(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@sha256:[0-9a-f]{64})?"
)

#: Source: Kubernetes resource quantities, with the units that are used for volumes.
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?")

#: Kinds of values that are passed on unchanged, so that they can stay encrypted; others are parsed.
_OPAQUE = ("str", "name", "user", "url", "domain", "python")

#: Kinds of values that are numbers in YAML.
_NUMBERS = ("int", "number", "port", "memory", "duration")


def check_value(option: Option, value: Any, report: Report, path: ValuePath = ()) -> Any:
    """Return the parsed value: bytes, seconds, defaults of keys filled in.

    Every defect goes to ``report``; the value of a defective place is None.
    """
    if isinstance(value, EncryptedValue):
        if option.kind in _OPAQUE and not option.choices:
            return value  # it cannot be checked
        report(path, "is encrypted, although it is not a secret; to compare revisions, write it in plain text")
        return None
    if value is None:
        report(path, "is empty")
        return None
    if isinstance(value, ReadAs):
        report(path, Misreading(value))
        return None
    if isinstance(value, str) and _defect(option, value):
        report(path, _defect(option, value))
        return None
    # Where numbers have a form of their own, such as modes of files, the option says so.
    if option.kind in _NUMBERS and not option.pattern_text and type(value) in (int, float):
        report(path, Misreading(value, "number"))
    try:
        checked = _CHECKS[option.kind](option, value, report, path)
        fits = checked is None or _within(option, checked, report, path)
    except ValueError as error:
        report(path, str(error))
        return None
    return checked if fits else None


def _defect(option: Option, text: str) -> str:
    """Return the message about a text that cannot be meant, whatever the option is for, or ""."""
    found = unfinished(text, code=option.kind == "python")
    if found or option.prose or option.kind == "python":
        return found
    return invisible_characters(text, shown(option, text))


def _check_texts(option: Option, value: Any, report: Report, path: ValuePath) -> None:
    """Report texts that are encrypted, not finished or cannot be formatted, and keys that are not text.

    They may be anywhere in a value with free keys.
    """
    misread: set[ValuePath] = set()
    for place, text in leaves(value, path):
        misread.update(place[: depth + 1] for depth in range(len(path), len(place)) if isinstance(place[depth], ReadAs))
        if isinstance(text, str):
            message = unfinished(text)
            if option.placeholders and not message and not isinstance(text, EncryptedValue):
                message = placeholder_problem(text, option.placeholders)
            if message:
                report(place, message)
    for place in sorted(misread):
        _check_key(place, report)


def _check_key(path: ValuePath, report: Report) -> bool:
    """Report the key at the end of a path if YAML has not read it as text; return whether it has."""
    key = path[-1]
    if isinstance(key, ReadAs):
        report(path, Misreading(key, is_key=True))
    return not isinstance(key, ReadAs) or key.kind == "number"


def _within(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    """Check choices, limits, pattern and placeholders of a parsed value."""
    for refused, reason in option.refused:
        if value == refused:
            raise ValueError(f"{value!r} is not supported: {reason}")
    if option.choices and value not in option.choices:
        known = [str(choice) for choice in option.choices]
        report(path, f"{shown(option, value)} is not allowed{nearest(value, known, 'allowed')}")
    elif option.pattern_text and _beyond(option, value):
        report(path, f"{shown(option, value)} is not {option.pattern_text}")
    elif option.minimum is not None and value < option.minimum:
        report(
            path,
            f"{_amount(option, value)} is too small; the minimum is {_amount(option, option.minimum)}",
        )
    elif option.maximum is not None and value > option.maximum:
        report(
            path,
            f"{_amount(option, value)} is too large; the maximum is {_amount(option, option.maximum)}",
        )
    elif option.pattern and isinstance(value, str) and not re.fullmatch(option.pattern, value):
        report(path, f"{shown(option, value)} is not {option.pattern_text}" if value.strip() else "is empty")
    elif option.placeholders and isinstance(value, str) and placeholder_problem(value, option.placeholders):
        report(path, placeholder_problem(value, option.placeholders))
    else:
        return True
    return False


def _beyond(option: Option, value: Any) -> bool:
    """Return whether a number is outside the limits of its option."""
    too_small = option.minimum is not None and value < option.minimum
    return too_small or (option.maximum is not None and value > option.maximum)


def _amount(option: Option, value: Any) -> str:
    formatter = {"memory": format_memory, "duration": format_duration}.get(option.kind, str)
    return formatter(int(value)) if option.kind in ("memory", "duration") else str(value)


def shown(option: Option, value: Any) -> str:
    """Return the value as messages show it: never a secret or what may contain one (a pasted key, a mapping)."""
    if isinstance(value, (dict, list)):
        return KINDS["dict" if isinstance(value, dict) else "list"]
    if option.secret or isinstance(value, str) and (option.kind in ("dict", "list", "values") or "\n" in value):
        return "the value"
    if holds_credentials(value) or option.kind == "url" and "@" in str(value) or holds_private_key(value):
        return "the value"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _wrong(option: Option, value: Any) -> ValueError:
    hint = ""
    if option.kind in ("str", "name", "user") and isinstance(value, bool):
        hint = " (YAML reads words such as yes and off as booleans; quote text)"
    elif option.kind == "bool" and str(value).lower() in ("yes", "no", "on", "off"):
        hint = " (remove the quotes)"
    elif option.kind == "list" and isinstance(value, str):
        hint = " (start each item with '- ')"
    elif option.kind == "values":
        hint = ", which must be a mapping"
    return ValueError(f"{shown(option, value)} is not {KINDS[option.kind]}{hint}")


def _text(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _wrong(option, value)
    # Numbers are accepted if they are written like their text: YAML reads `hub_title: 2026` as a number.
    if not isinstance(value, str):
        report(path, Misreading(value))
    return str(value)


def _name(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        report(path, Misreading(value, "name"))
        return None
    text = _text(option, value, report, path)
    if not text.strip():
        raise ValueError("is empty")
    return text


def _user(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _name(option, value, report, path)
    return None if text is None else parse_user_name(text)


def _int(option: Option, value: Any, _report: Report, _path: ValuePath) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(option, value)
    return int(value)


def _number(option: Option, value: Any, _report: Report, _path: ValuePath) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value.strip()):
        value = float(value)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
    except OverflowError:  # a whole number beyond every float
        pass
    raise _wrong(option, value)


def _bool(option: Option, value: Any, _report: Report, _path: ValuePath) -> Any:
    # `-e` and surveys pass text; files have booleans.
    if isinstance(value, str) and value.lower() in ("true", "false"):
        raise ValueError(f"{value!r} is text, not true or false (remove the quotes)")
    if not isinstance(value, bool):
        raise _wrong(option, value)
    return value


def _list(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    if not isinstance(value, list):
        raise _wrong(option, value)
    described = option.elements or Option("", "str", ())
    checked, seen = [], set()
    for index, item in enumerate(value):
        if option.by_name and is_name(item):
            result = _text(described, item, report, (*path, index))  # whether the catalogue has it is a cross-check
        else:
            result = check_value(described, item, report, (*path, index))
        if result is None:
            continue
        if isinstance(result, str) and result in seen:
            case = (
                " (in different case)" if isinstance(result, UserName) and result.written not in value[:index] else ""
            )
            report((*path, index), f"{result!r} is listed twice{case}")
            continue
        seen.add(result if isinstance(result, str) else index)
        checked.append(result)
    return checked


def is_name(item: Any) -> bool:
    """Return whether an element of a list is the name of a catalogue entry; YAML reads 2026 as a number."""
    return isinstance(item, (str, int)) and not isinstance(item, bool)


def _dict(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    if not isinstance(value, dict):
        raise _wrong(option, value)
    if option.options:
        return check_keys(option.options, value, report, path)
    if option.elements is None:
        _check_texts(option, value, report, path)
        return value
    checked = {}
    for key, item in value.items():
        if not _check_key((*path, key), report):
            continue
        if option.pattern and not re.fullmatch(option.pattern, str(key)):
            report((*path, key), f"{key!r} is not {option.pattern_text}")
            continue
        result = check_value(option.elements, item, report, (*path, key))
        if result is not None:
            checked[str(key)] = result
    # The pattern applies to the keys, which are checked here.
    return checked


def check_keys(options: tuple[Option, ...], value: dict[str, Any], report: Report, path: ValuePath) -> dict[str, Any]:
    """Check a mapping with fixed keys; return it with the defaults of absent keys."""
    known = {option.name: option for option in options}
    checked = {option.name: option.default for option in options}
    for key, item in value.items():
        if key not in known:
            report((*path, key), f"unknown key{nearest(key, known, 'known')}")
        elif item is not None:
            checked[key] = check_value(known[key], item, report, (*path, key))
    for option in options:
        if option.required and value.get(option.name) in (None, "", []):
            report(path, f"{option.name} is missing ({option.summary})")
    return checked


def _parsed(parse: Callable[[Any], int]) -> Callable[..., int]:
    def check(_option: Option, value: Any, _report: Report, _path: ValuePath) -> int:
        return parse(value)

    return check


def _port(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    port = _int(option, value, report, path)
    if not 1 <= port <= 65535:
        raise ValueError(f"{port} is not {KINDS['port']}")
    return port


def _address(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(
            f"{shown(option, text)} is not an IP address; 127.0.0.1 is this machine only, 0.0.0.0 all interfaces"
        ) from None


def _domain(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path).lower()
    if not DOMAIN.fullmatch(text):
        raise ValueError(f"{shown(option, text)} is not {KINDS['domain']} (without scheme, path and port)")
    return text


def _url(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:  # brackets without an IPv6 address, a port that is not a number
        fits = False
    if not fits:
        raise _wrong(option, text)
    return text


def _machine_path(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    if not text.startswith(("/", "~/") if option.home else "/") or re.search(r"[\0\n]", text):
        hint = ", or one that starts with ~/" if option.home else ""
        raise ValueError(f"{_wrong(option, text)}{hint}")
    if ".." in text.split("/"):
        raise ValueError(f"{text!r} contains '..'; write the path without it")
    return text


def _image(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    if not IMAGE.fullmatch(text):
        hint = " (without https://)" if "://" in text else ""
        raise ValueError(f"{_wrong(option, text)}{hint}")
    # After the last slash, since a registry before it may have a port.
    if ":" not in text.rpartition("/")[2]:
        raise ValueError(f"{text!r} has no tag; add one, so that sessions do not change when the image changes")
    return text


def _quantity(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    if not QUANTITY.fullmatch(text):
        raise ValueError(f"{shown(option, text)} is not {KINDS['quantity']} (units: M, G, T, Mi, Gi, Ti)")
    return text


def _interface(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    """Return text, or the mapping of a program."""
    return (
        check_keys(option.options, value, report, path)
        if isinstance(value, dict)
        else _text(option, value, report, path)
    )


def _python(option: Option, value: Any, report: Report, path: ValuePath) -> Any:
    text = _text(option, value, report, path)
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"is not valid Python: {error.msg} (line {error.lineno} of the code)") from None
    except (ValueError, RecursionError, MemoryError):
        # NUL bytes, lone surrogates, thousands of brackets
        raise ValueError("is not valid Python") from None
    return text


_CHECKS = {
    "str": _text,
    "name": _name,
    "user": _user,
    "int": _int,
    "number": _number,
    "bool": _bool,
    "list": _list,
    "dict": _dict,
    "memory": _parsed(parse_memory),
    "duration": _parsed(parse_duration),
    "port": _port,
    "address": _address,
    "domain": _domain,
    "url": _url,
    "machine_path": _machine_path,
    "inventory_path": _text,
    "python": _python,
    "interface": _interface,
    "image": _image,
    "quantity": _quantity,
    "values": _dict,
}
