# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories and files that the users of a hub share, and what users do with them."""

from __future__ import annotations

import json
from typing import Any

from isolation_world import World

#: Keys of hub.json: alice teaches, bob studies.
SHARED: dict[str, Any] = {
    "groups": {"teachers": {"users": ["alice"]}, "students": {"users": ["bob"]}},
    "shared_directories": {
        "everybody": {"path": "everybody"},
        "course": {"path": "teaching/course", "writable_by_groups": ["teachers"]},
        "results": {"path": "results", "allowed_groups": ["teachers"]},
    },
    "files": {"welcome": {"path": "welcome.txt", "content": "Hello\n"}},
}

#: Prints what of a home is there, and what can be written; paths that are not links are tried as well.
LOOK = """
import json, os, pathlib
def writable(folder):
    try:
        (folder / "new").write_text("new")
        (folder / "new").unlink()
        return True
    except OSError:
        return False
def readable(folder):
    try:
        return bool(os.listdir(folder)) or True
    except OSError:
        return False
found = {}
for name, path in PATHS.items():
    folder = pathlib.Path(path)
    found[name] = [os.path.lexists(folder), readable(folder), writable(folder)]
print(json.dumps(found))
"""
#: Makes a file as a program with a strict umask does.
WRITE = """
import os
before = os.umask(0o077)
with open({path!r}, "w") as file:
    file.write({text!r})
os.umask(before)
"""


def look(world: World, user: str) -> dict[str, list[bool]]:
    """Return what a kernel of the user finds: shown, readable, writable; also behind the link of results."""
    home = world.hub.homes / user
    paths = {name: str(home / entry["path"]) for name, entry in SHARED["shared_directories"].items()}
    paths["results itself"] = str(world.hub.homes / ".shared" / "results")
    found: dict[str, list[bool]] = json.loads(world.kernels[user].run(f"PATHS = {paths!r}{LOOK}"))
    return found


def save_notebook(world: World, user: str, path: str, text: str) -> None:
    """Save a notebook and a checkpoint of it, as JupyterLab does."""
    cell = {"cell_type": "markdown", "metadata": {}, "source": text, "id": "one"}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    address, token = f"{world.hub.url}user/{user}/api/contents/{path}", world.kernels[user].token
    body = {"type": "notebook", "content": notebook}
    status, answer = world.hub.request("PUT", address, token, body)
    assert status in (200, 201), answer
    status, answer = world.hub.request("POST", f"{address}/checkpoints", token)
    assert status == 201, answer
