# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons as data URLs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.icons import LARGEST, read_icon


def read(name: str | None, directory: Path) -> tuple[str, list[str]]:
    """Return an icon and what is wrong with it."""
    wrong: list[str] = []
    return read_icon(name, str(directory), wrong.append), wrong


def test_an_icon_is_a_data_url(tmp_path: Path) -> None:
    content = b"\x89PNG" + bytes(LARGEST - 4)
    (tmp_path / "icon.PNG").write_bytes(content)
    icon, wrong = read("icon.PNG", tmp_path)
    assert wrong == []
    assert icon == "data:image/png;base64," + base64.b64encode(content).decode()
    assert read(str(tmp_path / "icon.PNG"), Path("/"))[0] == icon
    assert read(None, tmp_path) == ("", [])


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("large.svg", LARGEST + 1, "'large.svg' has more than 8 KiB; make it smaller"),
        ("page.html", 1, "'page.html' is not an image for web pages; possible endings: .svg, .png, .jpg, .jpeg, .webp"),
        ("empty.svg", 0, "'empty.svg' is empty"),
        ("none.svg", None, "'none.svg' cannot be read: there is no such file or directory"),
        ("folder.svg", -1, "'folder.svg' is not a file"),
    ],
)
def test_what_is_not_an_icon(tmp_path: Path, name: str, size: int | None, message: str) -> None:
    if size == -1:
        (tmp_path / name).mkdir()
    elif size is not None:
        (tmp_path / name).write_bytes(b"x" * size)
    assert read(name, tmp_path) == ("", [message])
