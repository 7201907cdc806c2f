# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write files of a hub. Standard library only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner can read it."""
    _replace(path, text, 0o600)


def write_public(path: Path, text: str) -> None:
    """Replace a file atomically; whoever reaches it can read it."""
    _replace(path, text, 0o644)


def _replace(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with open(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, mode)  # whatever the umask
        stream.write(text)
    os.replace(fresh, path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises OSError, or ValueError if it holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: not a JSON object")
    return value
