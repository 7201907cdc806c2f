# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation refers to links, files, tests, options and extra variables that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
#: Generated from the schema and the recorded charts.
GENERATED = ("options.md", "charts.md")
DOCUMENTS = [
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    *(path for path in sorted((PROJECT / "docs").glob("*.md")) if path.name not in GENERATED),
    PROJECT / "roles/fleet_repository/templates/README.md.j2",
]
FOLDERS = ("changelogs", "docs", "extensions", "playbooks", "plugins", "roles", "scripts", "tests")
FILES = [
    path.relative_to(PROJECT).as_posix()
    for folder in FOLDERS
    for path in sorted((PROJECT / folder).rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


def anchors(document: Path) -> set[str]:
    """Return the anchors of the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> Path:
    """Each document in turn."""
    return Path(request.param)


@pytest.fixture
def text(document: Path) -> str:
    """The text of the document."""
    return document.read_text(encoding="utf-8")


def test_links(document: Path, text: str) -> None:
    """Links lead to files and headings."""
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("https://"):
            continue
        path, _separator, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_options(text: str) -> None:
    """Every option that is mentioned is in the reference."""
    known = set(re.findall(r"\b(?:hub|cluster)_\w+", (PROJECT / "docs/options.md").read_text(encoding="utf-8")))
    found = {name for name in re.findall(r"\b(?:hub|cluster)_\w+", text) if not name.endswith("_")}
    assert found <= known, found - known


def test_extra_variables(text: str) -> None:
    """Every variable for ``-e`` belongs to a playbook."""
    playbooks = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "playbooks").rglob("*.yml"))
    for name in re.findall(r"-e \"?([a-z_]+)=", text):
        assert re.search(rf"\b{name}\b", playbooks), name


def test_paths(text: str) -> None:
    """Paths of this repository exist; where only the end of a path is named, some file ends with it."""
    folders = "|".join(FOLDERS)
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)[`:]", text):
        assert (PROJECT / path).exists(), path
    for path in re.findall(r"`([\w./-]+\.py)[`:]", text):
        assert any(f"/{file}".endswith(f"/{path}") for file in FILES), path


def test_tests(text: str) -> None:
    """Tests that are mentioned exist."""
    for module, function in re.findall(r"\b(test_\w+)(?:\.py)?::(test_\w+)", text):
        files = [PROJECT / file for file in FILES if file.endswith(f"/{module}.py")]
        assert any(f"def {function}(" in file.read_text(encoding="utf-8") for file in files), (module, function)
