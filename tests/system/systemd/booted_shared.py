# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that users of a hub on a booted machine share."""

from __future__ import annotations

import ast
from typing import Any

from verbs_hub import Hub

#: Shared directories of the first hub; ada teaches, ben does not.
SHARED: dict[str, Any] = {
    "hub_groups": {"teachers": {"users": ["ada"]}},
    "hub_shared_directories": {
        "everybody": {"path": "~/everybody"},
        "course": {"path": "~/course", "writable_by_groups": ["teachers"]},
        "results": {"path": "~/results", "allowed_groups": ["teachers"]},
    },
    "hub_files": {"welcome": {"path": "~/welcome.txt", "content": "Hello"}},
}
#: Prints the entries of shared directories that are there, and which of these can be written.
SHARED_LOOK = """
import os, pathlib
found = []
for place in {places!r}:
    try:
        found.append((os.path.basename(place), sorted(os.listdir(place)), os.access(place, os.W_OK)))
    except OSError:
        pass
print(found)
"""


def shared(hub: Hub, user: str) -> list[object]:
    """What a user finds of shared directories, by links and behind them: name, content, whether it can be written."""
    entries = SHARED["hub_shared_directories"]
    by_link, behind = (
        [f"{place}/{name}" for name in entries]
        for place in (f"{hub.config['homes']}/{user}", f"{hub.config['homes']}/.shared")
    )
    kernel = hub.kernel(user)
    found, others = (ast.literal_eval(kernel.run(SHARED_LOOK.format(places=places))) for places in (by_link, behind))
    assert found == others
    return list(found)
