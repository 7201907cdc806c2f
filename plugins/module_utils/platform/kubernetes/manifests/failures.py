# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert error messages of Helm into problems of one line each.

There are three kinds: the values violate the chart's values.schema.json, a template calls ``fail`` or ``required``, or
a template has an error. Helm 3 and 4 differ in line breaks only (pkg/chart/.../jsonschema.go and
pkg/engine/engine.go in Helm's sources).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....common.nested import Path, path_text, texts
from ....common.text import one_line as collapse
from .model import PLACEHOLDER, ManifestProblem

LONGEST = 400

_SCHEMA = "values don't meet the specifications of the schema"
# "- at '/hub/db': got string, want object", with details below it that are indented.
_SCHEMA_LINE = re.compile(r"^(?P<indent> *)- at '(?P<pointer>[^']*)': (?P<what>.+)$")
# Before Helm 3.18: "- hub.db: Invalid type. Expected: object, given: string".
_SCHEMA_LINE_OLD = re.compile(r"^- (?P<place>[^\s:]+): (?P<what>.+)$")
_EXECUTION_ERROR = re.compile(r"execution error at \((?P<template>[^)]+)\):\s*(?P<what>.+)", re.DOTALL)
_TEMPLATE_ERROR = re.compile(r'(?P<template>[^\s:]+:\d+:\d+):?\s+executing "[^"]*" at <(?P<expression>[^>]*)>:\s*')
# Charts frame such texts; and Helm's command line begins and ends its own with these.
_FRAME = re.compile(r"#{4,}|-{4,}|={4,}|^Error: |Use --debug flag to render out invalid YAML\s*$")
# A secret shorter than this is only recognised where it stands in quotes.
_SHORT = 8


def problems_of(text: str, release: str, values: dict[str, Any]) -> list[ManifestProblem]:
    """Return the problems in Helm's output ``text`` for a release; everything in ``values`` is masked."""
    if _SCHEMA in text:
        found = sorted(_schema_problems(text, values), key=lambda problem: path_text(problem.path))  # Helm has no order
        if found:
            return found
    refused = _EXECUTION_ERROR.search(text)
    if refused:
        return [ManifestProblem("template", refused["template"], (), one_line(refused["what"], values))]
    stumbles = list(_TEMPLATE_ERROR.finditer(text))
    if stumbles:
        last = stumbles[-1]
        reason = one_line(text[last.end() :], values)
        return [ManifestProblem("template", last["template"], (), f"{reason} in {last['expression']}")]
    return [ManifestProblem("release", release, (), one_line(text, values))]


def one_line(text: str, values: dict[str, Any]) -> str:
    """Return a text as one line, without frames and with everything in ``values`` masked."""
    line = collapse(_FRAME.sub(" ", text))
    return _masked(line, values)[:LONGEST]


def _schema_problems(text: str, values: dict[str, Any]) -> Iterator[ManifestProblem]:
    """Yield one problem per finding, or per detail of a finding."""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""]):
        match = _SCHEMA_LINE.match(line)
        below = _SCHEMA_LINE.match(following)
        if match and not (below and len(below["indent"]) > len(match["indent"])):
            path = _path_of_pointer(match["pointer"])
            yield ManifestProblem("values", "", path, one_line(match["what"], values))
        old = None if match else _SCHEMA_LINE_OLD.match(line)
        if old:
            yield ManifestProblem("values", "", _path_of_place(old["place"]), one_line(old["what"], values))


def _path_of_pointer(pointer: str) -> Path:
    """Return the path that a JSON pointer (RFC 6901) means: ``/hub/extraVolumes/0``."""
    return _path_of([part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]])


def _path_of_place(place: str) -> Path:
    """Return the path that Helm 3 writes as ``hub.extraVolumes.0``."""
    return () if place == "(root)" else _path_of(place.split("."))


def _path_of(parts: list[str]) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _masked(text: str, values: Any) -> str:
    for secret in sorted(set(_texts(values)), key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = text.replace(secret, PLACEHOLDER)
        else:
            for quote in "'\"`":
                text = text.replace(f"{quote}{secret}{quote}", PLACEHOLDER)
    return text


def _texts(values: Any) -> Iterator[str]:
    """Yield all texts in nested values, each also as it looks on one line."""
    for text in filter(str.strip, texts(values)):
        yield collapse(text)
        yield from (line for line in map(str.strip, text.splitlines()) if len(line) >= _SHORT)
