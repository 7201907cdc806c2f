# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters that nobody sees, and what YAML reads otherwise than people."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import ReadAs
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import element
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.values import check_value
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.written import (
    Misreading,
    invisible_characters,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ada ", "X ends with a space; remove it"),
        ("\tada", "X starts with a tab; remove it"),
        ("ada\n", "X ends with a line break; remove it"),
        ("ada\u00a0", "X ends with a no-break space; remove it"),
        ("\u200bada", "X starts with a zero width space; remove it"),
        ("\ufeffada", "X starts with a zero width no-break space; remove it"),
        ("ada\u200d", "X ends with a zero width joiner; remove it"),
        ("a\u200eda", "X contains a left-to-right mark, which cannot be seen; remove it"),
        ("a\u00adda", "X contains a soft hyphen, which cannot be seen; remove it"),
        ("Ada\u00a0L", "X contains a no-break space, which cannot be seen; remove it"),
        ("Ada Lovelace", ""),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ""),
        ("-----BEGIN-----\nMII\n-----END-----\n", ""),
        ("", ""),
        (" ", ""),
    ],
)
def test_invisible_characters(text: str, message: str) -> None:
    assert invisible_characters(text, "X") == message


def test_white_space_is_kept_in_prose_and_code() -> None:
    found: list[str] = []
    for option, value in (
        (element("str", prose=True), " text "),
        (element("python"), "x = 1\n"),
        (element("name"), "x "),
    ):
        check_value(option, value, lambda _path, message: found.append(message))
    assert found == ["'x ' ends with a space; remove it"]


def test_a_secret_is_not_shown() -> None:
    found: list[str] = []
    check_value(element("str", secret=True), "hunter2\n", lambda _path, message: found.append(message))
    assert found == ["the value ends with a line break; remove it"]


@pytest.mark.parametrize(
    ("misreading", "written", "message"),
    [
        (Misreading(83), "0123", "YAML reads 0123 as the number 83; put it in quotes"),
        (Misreading(1.1), "1.10", "YAML reads 1.10 as the number 1.1; put it in quotes"),
        (Misreading(1.1), "1.1", ""),
        (Misreading(2026), "2026", ""),
        (Misreading(2026), "", ""),
        (Misreading(2026, "name"), "", "2026 is a number, not text; put it in quotes"),
        (Misreading(2026, "name"), "2026", "2026 is a number, not text; put it in quotes"),
        (Misreading(83, "name"), "0123", "YAML reads 0123 as the number 83; put it in quotes"),
        (Misreading(8, "number"), "010", "YAML reads 010 as the number 8; write the number that is meant"),
        (Misreading(90, "number"), "1:30", "YAML reads 1:30 as the number 90; write the number that is meant"),
        (Misreading(3, "number"), "0b11", "YAML reads 0b11 as the number 3; write the number that is meant"),
        (Misreading(8000, "number"), "8_000", ""),
        (Misreading(0.5, "number"), ".50", ""),
        (Misreading(16, "number"), "0x10", ""),
        (Misreading(0, "number"), "0", ""),
        (Misreading(ReadAs("2026-01-02", "date")), "", "2026-01-02 is a date, not text; put it in quotes"),
        (Misreading(ReadAs("83", "number"), is_key=True), "0123", "YAML reads 0123 as the number 83; put it in quotes"),
        (Misreading(ReadAs("83", "number"), is_key=True), "83", ""),
    ],
)
def test_misreadings(misreading: Misreading, written: str, message: str) -> None:
    assert misreading.problem(written) == message


def test_what_is_encrypted_is_not_shown() -> None:
    assert "0123" not in Misreading(83).problem("0123", secret=True)
    assert Misreading(83).problem("0123", secret=True).endswith("put it in quotes")
    assert Misreading(83).problem("83", secret=True) == ""
