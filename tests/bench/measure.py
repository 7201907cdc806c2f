# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time commands, and print what they took."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
ANSIBLE = f"{sys.prefix}/bin/ansible-playbook"


@dataclass(frozen=True)
class Taken:
    """Wall and CPU seconds of a command and its children."""

    wall: float
    cpu: float

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.wall + other.wall, self.cpu + other.cpu)


def timed(command: list[str], environment: dict[str, str] | None = None) -> Taken:
    """Run a command; its output appears only when it fails, and then ends the benchmark."""
    before, started = _cpu(), time.monotonic()
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".ansible/collections"),
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return Taken(time.monotonic() - started, _cpu() - before)


def measured(function: Callable[[], object]) -> Taken:
    """Call a function; its CPU seconds are those of this process."""
    before, started = time.process_time(), time.monotonic()
    function()
    return Taken(time.monotonic() - started, time.process_time() - before)


def playbook(name: str, inventory: str, *arguments: str) -> Taken:
    """Run a playbook of the checkout."""
    return timed([ANSIBLE, "-i", inventory, f"{CHECKOUT}/playbooks/{name}.yml", *arguments])


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Grid:
    """Rows of text under a heading, printed in columns."""

    def __init__(self, *heading: str) -> None:
        self.rows: list[tuple[str, ...]] = [heading]

    def add(self, *cells: object) -> None:
        """Add a row; numbers that are not whole are shown with one digit after the point, small ones with three."""
        row = tuple(_rounded(cell, 1) if isinstance(cell, float) else str(cell) for cell in cells)
        self.rows.append(row)
        print("  " + ", ".join(f"{name} {cell}" for name, cell in zip(self.rows[0], row)), file=sys.stderr, flush=True)

    def print(self) -> None:
        """Print the rows, with the load of the machine, which explains much."""
        widths = [max(len(row[column]) for row in self.rows) for column in range(len(self.rows[0]))]
        for row in self.rows:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:])),
            ]
            print("  ".join(cells).rstrip())
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


class Table(Grid):
    """Rows of measurements. The ratio is to the row's baseline: how many times as long."""

    def __init__(self) -> None:
        super().__init__("what", "wall s", "CPU s", "goal s", "ratio to")

    def add(self, what: str, taken: Taken, goal: float | None, baseline: Taken | None) -> None:
        """Add a row; goal in wall seconds."""
        super().add(
            what, taken.wall, taken.cpu, f"{goal:g}" if goal else "", ratio(taken.wall, baseline and baseline.wall)
        )


def ratio(value: float, baseline: float | None) -> str:
    """How many times the baseline it is; empty without one."""
    return f"{_rounded(value / baseline, 2)} x" if baseline else ""


def _rounded(number: float, digits: int) -> str:
    return f"{number:.{digits if number >= 0.1 else digits + 2}f}"
