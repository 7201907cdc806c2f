# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for each way in which a release is not as it was deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ....common.text import one_line
from ....redaction.mask import MASK
from ....redaction.places import is_secret_variable
from .paths import ABSENT, Steps, live_value, wanted_value

#: What a finding is.
CHANGED, ADDED, REMOVED, MISSING = "changed", "added", "removed", "missing"
NO_API, NOT_COMPARED = "no-api", "not-compared"

_WIDTH = 100
_SECRET_CONTENT = (("data",), ("stringData",))


@dataclass(frozen=True)
class Finding:
    """A way in which an object of a release is not as it was deployed.

    code: CHANGED, ADDED or REMOVED, of a place in the object; MISSING, of the object; NO_API, where the cluster no
        longer has its kind; NOT_COMPARED, which is no drift: nobody knows.
    path: the place, as people write it. live, wanted: what is there, and what the release has there, as texts; "" where
        that is nothing, or is not shown.
    who, when: the last one who changed it, and the time in RFC 3339; "" where that is not known.
    note: the sentence of NO_API and NOT_COMPARED, more on others.
    """

    kind: str
    name: str
    code: str
    path: str = ""
    live: str = ""
    wanted: str = ""
    who: str = ""
    when: str = ""
    note: str = ""

    @property
    def is_drift(self) -> bool:
        """Whether somebody changed something."""
        return self.code != NOT_COMPARED

    def __str__(self) -> str:
        subject = f"{self.kind} {self.name}".strip()
        if self.code == MISSING:
            return f"{subject} is missing"
        if self.code in (NO_API, NOT_COMPARED):
            return self.note
        by = ", ".join(part for part in (self.who, self.when) if part)
        if self.code == ADDED:
            is_what = f" is {self.live}," if self.live else " was"
            return f"{subject}: {self.path}{is_what} added by {by or 'somebody'}"
        if self.code == REMOVED:
            text = "is missing" + (f", it was {self.wanted}" if self.wanted else "")
        elif self.live or self.wanted:
            text = f"is {self.live or 'empty'}, not {self.wanted or 'empty'}"
        else:
            text = "differs"
        return f"{subject}: {self.path} {text}" + (f" ({by})" if by else "") + (f"; {self.note}" if self.note else "")


class Shown:
    """Texts of values for people, from two versions of an object."""

    def __init__(self, kind: str, live: Any, wanted: Any) -> None:
        """Take both versions, masked; environment variables that are likely secrets are masked here."""
        self._kind = kind
        self._live, self._wanted = _without_secret_variables(live), _without_secret_variables(wanted)

    def texts(self, steps: Steps, live: Any, wanted: Any) -> tuple[str, str]:
        """Return the values at a place in both versions as texts.

        live, wanted: the same without masks. "" is where there is none, and twice where they must not be shown.
        """
        if self._kind == "Secret" and steps[:1] in _SECRET_CONTENT:
            return "", ""
        shown = [
            side if side is ABSENT else MASK if masked is ABSENT else masked
            for side, masked in ((live, live_value(self._live, steps)), (wanted, wanted_value(self._wanted, steps)))
        ]
        texts = _different_texts(*shown)
        return ("", "") if texts[0] == texts[1] else texts


def _without_secret_variables(value: Any, key: str = "") -> Any:
    """Return a value, which stands at a key, with a mask for variables of containers that are likely secrets."""
    if isinstance(value, dict):
        return {each: _without_secret_variables(item, each) for each, item in value.items()}
    if not isinstance(value, list):
        return value
    return [
        {**item, "value": MASK} if key == "env" and _is_secret(item) else _without_secret_variables(item)
        for item in value
    ]


def _is_secret(variable: Any) -> bool:
    """Return whether a variable of a container has a value that is likely a secret, by the variable's name."""
    if not isinstance(variable, dict) or not variable.get("value"):
        return False
    return is_secret_variable(("environment", variable.get("name")))


def _different_texts(live: Any, wanted: Any) -> tuple[str, str]:
    """Return two different values as texts; of long texts the first line that differs."""
    both = (live, wanted)
    if all(isinstance(side, str) for side in both) and any("\n" in side for side in both):
        return _first_different_line(live, wanted)
    return _text(live), _text(wanted)


def _first_different_line(live: str, wanted: str) -> tuple[str, str]:
    left, right = live.split("\n"), wanted.split("\n")
    pairs = enumerate(zip(left, right))
    number = next((index for index, pair in pairs if pair[0] != pair[1]), min(len(left), len(right)))
    is_line, not_line = (_text(side[number]) if number < len(side) else "missing" for side in (left, right))
    # Lines are the same where only masked ones differ.
    return ("", "") if is_line == not_line else (f"{is_line} in line {number + 1}", not_line)


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    if value == "" or (isinstance(value, str) and value != value.strip()):
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, _WIDTH)
