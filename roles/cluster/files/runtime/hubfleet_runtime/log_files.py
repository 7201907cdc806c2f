# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotate and read logs. Standard library only.

A log over the limit is copied and truncated, while programs keep it open. All of them append, so none has to be told or
restarted; a line that is written between copy and truncation is lost.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Callable

LIMIT = 10 * 1024 * 1024
KEEP = 3
INTERVAL = 60.0


def open_log(path: Path) -> int:
    """Open a log for appending, as rotation requires, readable by its owner only; return the file descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def rotated(path: Path, keep: int = KEEP) -> list[Path]:
    """Return the names of older parts of a log, the newest first."""
    return [path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1)]


def rotate(path: Path, limit: int = LIMIT, keep: int = KEEP) -> None:
    """Rotate a log if it is over the limit. Raises OSError.

    Only its last part, up to the limit, is kept: a program that writes gigabytes within a minute must not fill the disk
    a second time.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size <= limit:
        return
    older = rotated(path, keep)
    for name, next_name in reversed(list(zip(older, older[1:]))):
        if name.exists():
            os.replace(name, next_name)
    descriptor = os.open(older[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as target, open(path, "rb") as source:
        source.seek(max(0, size - limit))
        remaining = limit
        while remaining > 0 and (block := source.read(min(remaining, 1 << 20))):
            target.write(block)
            remaining -= len(block)
    os.truncate(path, 0)


def rotate_in_background(directory: Path, warn: Callable[[str], None]) -> None:
    """Rotate all logs of a hub from now on, in a thread that ends with the process."""

    def run() -> None:
        logs = directory / "logs"
        while True:
            for path in (*logs.glob("*.log"), *logs.glob("servers/*.log")):
                try:
                    rotate(path)
                except OSError as error:
                    warn(f"{path}: the log cannot be rotated: {error}")
            time.sleep(INTERVAL)

    threading.Thread(target=run, name="hubfleet-log-rotation", daemon=True).start()


def last_lines(path: Path, count: int, start: int = 0, within: int = 64 * 1024) -> list[str]:
    """Return the last lines of a log after a position, from its last bytes only; none if there is no log."""
    try:
        with open(path, "rb") as stream:
            first = max(start, stream.seek(0, os.SEEK_END) - within)
            stream.seek(first)
            text = stream.read(within).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = [line.rstrip() for line in text.splitlines()]
    if first > start:
        lines = lines[1:]  # the first one is incomplete
    return lines[-count:] if count > 0 else []
