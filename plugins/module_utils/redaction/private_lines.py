# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of the operator's Python code that may hold a secret."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from .mask import MASK


@dataclass(frozen=True)
class PrivateLines:
    """What of ``hub_jupyterhub_config`` may be a secret, because it does not stand in the inventory in plain text.

    numbers: lines that may hold a secret. public_names: names on these lines that are no secret.
    """

    numbers: tuple[int, ...] = ()
    public_names: tuple[str, ...] = ()


def lines_of(code: str) -> list[str]:
    """Return the lines of Python code, as Python counts them."""
    lines = re.split(r"\r\n|\r|\n", code)
    return lines if lines[-1] else lines[:-1]


def mask_private_lines(code: str, private: Collection[int] | None) -> str:
    """Return code with a mask for its private lines; None masks all of them, since the private lines are unknown."""
    return "".join(
        f"{MASK if private is None or number in private else line}\n" for number, line in enumerate(lines_of(code), 1)
    )
