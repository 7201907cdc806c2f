# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write environments.lock.yml, the file with the pins beside the inventory directory; in the controller."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from typing import Any

import yaml

from ..common.errors import HubfleetError
from .pins import CONDA, LOCK_FILE, PYTHON, Pin, Source

_VERSION = 1
_HEADER = """\
# The commits that environments are built from. Written by the playbook environments; keep it in git.
"""
_OBJECT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class LockError(HubfleetError):
    """The lock file cannot be used; the message names it."""


def lock_file(inventory_directory: str) -> str:
    """Return the path of the lock file of an inventory; not in it, since Ansible reads every file there."""
    return os.path.join(os.path.dirname(os.path.abspath(inventory_directory)), LOCK_FILE)


def read_pins(path: str) -> dict[Source, Pin]:
    """Return source -> pin; none where there is no such file. Raises LockError where it is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return _pins(yaml.safe_load(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "strerror", None) or error
        raise LockError(
            f"{path}{line}: cannot be read ({why}); restore it from git, or remove it and run the playbook environments"
        ) from None


def lock_text(pins: dict[Source, Pin]) -> str:
    """Return the content of the lock file."""
    entries = [asdict(pins[source]) for source in sorted(pins)]
    return _HEADER + yaml.safe_dump({"version": _VERSION, "repositories": entries}, sort_keys=False, width=1000)


def _pins(content: Any) -> dict[Source, Pin]:
    """Return the pins of a lock file as YAML reads it; raises ValueError where they are none."""
    version = content.get("version") if isinstance(content, dict) else None
    if version != _VERSION:
        raise ValueError(f"version is {version!r}, and this release reads {_VERSION}")
    entries = content.get("repositories")
    if not isinstance(entries, list):
        raise ValueError("repositories is not a list")
    pins = [_pin(entry, f"entry {number} of repositories") for number, entry in enumerate(entries, 1)]
    return {pin.source: pin for pin in pins}


def _pin(entry: Any, name: str) -> Pin:
    keys = tuple(Pin.__dataclass_fields__)
    values = entry if isinstance(entry, dict) else {}
    wrong = [key for key in keys if not isinstance(values.get(key), str)]
    wrong += [] if values.get("kind") in (PYTHON, CONDA) else ["kind"]
    wrong += [key for key in ("commit", "tree") if key not in wrong and not _OBJECT.fullmatch(values[key])]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]} is missing, or not what the playbook writes")
    return Pin(**{key: values[key] for key in keys})
