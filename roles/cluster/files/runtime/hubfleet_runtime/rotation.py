# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps logs small: a log over the limit is copied away and emptied. Standard library only.

The programs that write go on with the file they have open. This is safe because all of them
append. A line written between copy and emptying is lost; no program need be told or restarted.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Callable

LIMIT = 10 * 1024 * 1024
KEEP = 3
EVERY = 60.0


def rotated(path: Path, keep: int = KEEP) -> list[Path]:
    """The names that older parts of a log have, the newest first."""
    return [path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1)]


def rotate(path: Path, limit: int = LIMIT, keep: int = KEEP) -> bool:
    """Rotates a log when it is over the limit; says whether it did. OSError as it comes.

    Only the last part of a log, up to the limit, is kept: a program that writes gigabytes within
    a minute must not fill the disk a second time.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if size <= limit:
        return False
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
    return True


def logs_of(directory: Path) -> list[Path]:
    """All logs of a hub: those of its services and those of its users' servers."""
    logs = directory / "logs"
    return sorted(logs.glob("*.log")) + sorted((logs / "servers").glob("*.log"))


def rotate_all(directory: Path, complain: Callable[[str], None], limit: int = LIMIT) -> None:
    """Rotates every log of a hub that needs it; a log that cannot be rotated stops no other."""
    for path in logs_of(directory):
        try:
            rotate(path, limit)
        except OSError as error:
            complain(f"{path}: the log cannot be rotated: {error}")


def start(directory: Path, complain: Callable[[str], None], every: float = EVERY) -> threading.Thread:
    """Looks after the logs of a hub from now on, in a thread that ends with the process."""

    def run() -> None:
        while True:
            rotate_all(directory, complain)
            time.sleep(every)

    thread = threading.Thread(target=run, name="hubfleet-log-rotation", daemon=True)
    thread.start()
    return thread


def last_lines(path: Path, count: int, start: int = 0, within: int = 64 * 1024) -> list[str]:
    """The last lines of a log after a position, from its last part only; none without a log."""
    try:
        with open(path, "rb") as stream:
            first = max(start, stream.seek(0, os.SEEK_END) - within)
            stream.seek(first)
            text = stream.read(within).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = [line.rstrip() for line in text.splitlines()]
    if first > start:
        lines = lines[1:]  # it is cut
    return lines[-count:] if count > 0 else []
