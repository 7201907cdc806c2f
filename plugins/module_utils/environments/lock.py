# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write environments.lock.yml, the file with the pins beside the inventory directory; in the controller."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from ..common.errors import HubfleetError, reason
from .pins import CONDA, LOCK_FILE, OBJECT_NAME, PYTHON, Pin, RepositoryKey

_VERSION = 1
_HEADER = """\
# The commits that environments are built from. Written by the playbook environments; keep it in git.
"""


class LockError(HubfleetError):
    """The lock file cannot be used; the message names it."""


def lock_file(inventory_directory: str, whole: bool) -> str:
    """Return the path of the lock file of an inventory.

    whole: the inventory is the directory, not a file in it. Then the file is not in it, since Ansible would take it for
    an inventory.
    """
    directory = os.path.abspath(inventory_directory)
    return os.path.join(os.path.dirname(directory) if whole else directory, LOCK_FILE)


def read_pins(path: str) -> dict[RepositoryKey, Pin]:
    """Return the pins by their keys; none where there is no such file. Raises LockError where it is damaged."""
    import yaml  # Ansible brings it along; machines need not have it

    try:
        with open(path, encoding="utf-8") as file:
            return _pins(yaml.safe_load(file))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LockError(f"{path} cannot be read: {reason(error)}") from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line, why = (f":{mark.line + 1}", "it is not YAML") if mark else ("", str(error))
        raise LockError(
            f"{path}{line} is damaged: {why}; restore it from git, or remove it and run the playbook environments,"
            " which pins the newest commits"
        ) from None


def lock_text(pins: dict[RepositoryKey, Pin]) -> str:
    """Return the content of the lock file."""
    import yaml

    entries = [asdict(pins[key]) for key in sorted(pins)]
    return _HEADER + yaml.safe_dump({"version": _VERSION, "repositories": entries}, sort_keys=False, width=1000)


def _pins(content: Any) -> dict[RepositoryKey, Pin]:
    """Return the pins of a lock file as YAML reads it; raises ValueError where they are none."""
    version = content.get("version") if isinstance(content, dict) else None
    if version != _VERSION:
        raise ValueError(f"version is {version!r}, and this release reads {_VERSION}")
    entries = content.get("repositories")
    if not isinstance(entries, list):
        raise ValueError("repositories is not a list")
    pins = [_pin(entry, f"entry {number} of repositories") for number, entry in enumerate(entries, 1)]
    found = {pin.key: pin for pin in pins}
    if len(found) < len(pins):
        raise ValueError("two entries of repositories have the same repository, ref and subdirectory")
    return found


def _pin(entry: Any, name: str) -> Pin:
    keys = tuple(Pin.__dataclass_fields__)
    values = entry if isinstance(entry, dict) else {}
    wrong = [key for key in keys if not isinstance(values.get(key), str)]
    wrong += [] if values.get("kind") in (PYTHON, CONDA) else ["kind"]
    wrong += [key for key in ("commit", "tree") if key not in wrong and not OBJECT_NAME.fullmatch(values[key])]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]} is missing, or not what the playbook writes")
    return Pin(**{key: values[key] for key in keys})
