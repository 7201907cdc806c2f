# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put links to shared directories, and the hub's files, into the user's home. Standard library only.

Runs in the user's server, with no more rights than the user has: so a link that the user made leads nowhere that the
user could not write anyway. It must not prevent a start.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

#: JSON: path of a link in the home -> directory. File with the files of every home, as JSON.
DIRECTORIES_VARIABLE, FILES_VARIABLE = "HUBFLEET_SHARED_DIRECTORIES", "HUBFLEET_HOME_FILES"
#: The links that the last start made.
_RECORD = Path(".local", "share", "hubfleet", "shared-directories.json")
_DEFAULT_MODE = 0o644


def set_up(home: Path) -> list[str]:
    """Put links and files into a home, and remove links of earlier starts; return what did not work."""
    wanted = json.loads(os.environ.pop(DIRECTORIES_VARIABLE, "{}"))
    files = os.environ.pop(FILES_VARIABLE, "")
    problems = _links(home, wanted)
    try:
        entries = json.loads(Path(files).read_text(encoding="utf-8")) if files else []
    except FileNotFoundError:
        entries = []
    for entry in entries:
        try:
            _write(home / entry["path"], entry)
        except OSError as error:
            problems.append(f"~/{entry['path']} cannot be written: {error.strerror}")
    return problems


def _links(home: Path, wanted: dict[str, str]) -> list[str]:
    before = _made_before(home)
    for path, target in before.items():
        if wanted.get(path) != target and _leads_to(home / path, target):
            (home / path).unlink()
    problems = []
    for path, target in wanted.items():
        link = home / path
        try:
            if not _leads_to(link, target):
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(target)
        except FileExistsError:
            problems.append(f"~/{path} exists already, so that the shared directory is not shown there; rename it")
        except OSError as error:
            problems.append(f"the shared directory ~/{path} cannot be shown: {error.strerror}")
    if wanted != before:
        with contextlib.suppress(OSError):
            (home / _RECORD).parent.mkdir(parents=True, exist_ok=True)
            (home / _RECORD).write_text(json.dumps(wanted), encoding="utf-8")
    return problems


def _made_before(home: Path) -> dict[str, str]:
    try:
        found = json.loads((home / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _leads_to(link: Path, target: str) -> bool:
    return link.is_symlink() and os.readlink(link) == target


def _write(path: Path, entry: dict[str, Any]) -> None:
    """Write a file, unless it is what it should be; a link in its place is replaced, not followed."""
    content, mode = entry["content"].encode(), entry.get("mode") or _DEFAULT_MODE
    with contextlib.suppress(OSError):
        if not path.is_symlink() and path.stat().st_mode & 0o777 == mode and path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.chmod(mode)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
