# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write environments.lock.yml, the file with the pins beside the inventory directory; in the controller."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from ..common.errors import HubfleetError, reason
from .admin_file import SETTINGS, AdminKey, AdminPin
from .images.pins import DIGEST, ImagePin, ImagePins
from .pins import KINDS, LOCK_FILE, OBJECT_NAME, Pin, RepositoryKey

_VERSION = 1
_HEADER = """\
# What environments are built from, and images of those on Kubernetes. Written by the playbook environments; keep it in
# git.
"""


Item = TypeVar("Item")
Key = TypeVar("Key")


class LockError(HubfleetError):
    """The lock file cannot be used; the message names it."""


@dataclass(frozen=True)
class StagingPins:
    """What staging hubs have in place of what the other hubs have; bases as in ImagePins."""

    repositories: dict[RepositoryKey, Pin] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lock:
    """The content of a lock file."""

    repositories: dict[RepositoryKey, Pin] = field(default_factory=dict)
    images: ImagePins = field(default_factory=ImagePins)
    admins: dict[AdminKey, AdminPin] = field(default_factory=dict)
    staging: StagingPins = field(default_factory=StagingPins)

    def of(self, staging: bool) -> Lock:
        """Return what counts for staging hubs, or for the others."""
        if not staging:
            return self
        bases = {**self.images.bases, **self.staging.bases}
        repositories = {**self.repositories, **self.staging.repositories}
        return replace(self, repositories=repositories, images=ImagePins(bases, self.images.images))


def lock_file(inventory_directory: str, whole: bool) -> str:
    """Return the path of the lock file of an inventory.

    whole: the inventory is the directory, not a file in it. Then the file is not in it, since Ansible would take it for
    an inventory.
    """
    directory = os.path.abspath(inventory_directory)
    return os.path.join(os.path.dirname(directory) if whole else directory, LOCK_FILE)


def read_lock(path: str) -> Lock:
    """Return the content of a lock file, which may be missing. Raises LockError where it is damaged."""
    import yaml  # Ansible brings it along; machines need not have it

    try:
        with open(path, encoding="utf-8") as file:
            return _lock(yaml.safe_load(file))
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise LockError(f"{path} cannot be read: {reason(error)}") from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line, why = (f":{mark.line + 1}", "it is not YAML") if mark else ("", str(error))
        raise LockError(
            f"{path}{line} is damaged: {why}; restore it from git, or remove it and run the playbook environments,"
            " which pins the newest commits"
        ) from None


def lock_text(lock: Lock) -> str:
    """Return the text of a lock file."""
    import yaml

    parts: dict[str, Any] = {
        "bases": _listed_bases(lock.images.bases),
        "images": _listed(lock.images.images),
        "admins": _listed(lock.admins),
        "staging": {
            name: listed
            for name, listed in (
                ("repositories", _listed(lock.staging.repositories)),
                ("bases", _listed_bases(lock.staging.bases)),
            )
            if listed
        },
    }
    # Fleets without images have no place for them, and so on.
    content = {"version": _VERSION, "repositories": _listed(lock.repositories)}
    content |= {name: part for name, part in parts.items() if part}
    return _HEADER + yaml.safe_dump(content, sort_keys=False, width=1000)


def _listed(pins: dict[Any, Any]) -> list[dict[str, Any]]:
    return [asdict(pins[key]) for key in sorted(pins)]


def _listed_bases(bases: dict[str, str]) -> list[dict[str, str]]:
    return [{"image": name, "digest": bases[name]} for name in sorted(bases)]


def _lock(content: Any) -> Lock:
    """Return a lock file as YAML reads it; raises ValueError where it is none."""
    version = content.get("version") if isinstance(content, dict) else None
    if version != _VERSION:
        raise ValueError(f"version is {version!r}, and this release reads {_VERSION}")
    repositories = _repositories(content, required=True)
    images = _entries(content, "images", "image and key", _image, lambda pin: (pin.image, pin.key))
    admins = _entries(content, "admins", "repository and ref", _admin, lambda pin: pin.key)
    staging = content.get("staging", {})
    if not isinstance(staging, dict):
        raise ValueError("staging is not a mapping")
    bases, only_staging = _bases(content), StagingPins(_repositories(staging), _bases(staging))
    alone = [*(only_staging.repositories.keys() - repositories.keys()), *(only_staging.bases.keys() - bases.keys())]
    if alone:
        raise ValueError("an entry of staging has none in repositories or bases, for the other hubs")
    return Lock(repositories, ImagePins(bases, images), admins, only_staging)


def _repositories(content: Any, required: bool = False) -> dict[RepositoryKey, Pin]:
    same = "repository, ref and subdirectory"
    return _entries(content, "repositories", same, _pin, lambda pin: pin.key, required)


def _bases(content: Any) -> dict[str, str]:
    return dict(_entries(content, "bases", "image", _base, lambda base: base[0]).values())


def _entries(
    content: Any,
    name: str,
    same: str,
    read: Callable[[Any, str], Item],
    key_of: Callable[[Item], Key],
    required: bool = False,
) -> dict[Key, Item]:
    """Return the entries of a list by their keys. same: what a key is, for people."""
    entries = content.get(name, None if required else [])
    if not isinstance(entries, list):
        raise ValueError(f"{name} is not a list")
    found = {key_of(item): item for item in (read(each, f"entry {at} of {name}") for at, each in enumerate(entries, 1))}
    if len(found) < len(entries):
        raise ValueError(f"two entries of {name} have the same {same}")
    return found


def _pin(entry: Any, name: str) -> Pin:
    keys = tuple(Pin.__dataclass_fields__)
    values = entry if isinstance(entry, dict) else {}
    wrong = _not_text(values, keys)
    wrong += [] if values.get("kind") in KINDS else ["kind"]
    wrong += [key for key in ("commit", "tree") if key not in wrong and not OBJECT_NAME.fullmatch(values[key])]
    _require_none(wrong, name)
    return Pin(**{key: values[key] for key in keys})


def _base(entry: Any, name: str) -> tuple[str, str]:
    values = entry if isinstance(entry, dict) else {}
    wrong = _not_text(values, ("image", "digest"))
    _require_none(wrong or ([] if DIGEST.fullmatch(values["digest"]) else ["digest"]), name)
    return values["image"], values["digest"]


def _image(entry: Any, name: str) -> ImagePin:
    keys = tuple(ImagePin.__dataclass_fields__)
    values = entry if isinstance(entry, dict) else {}
    wrong = _not_text(values, keys)
    _require_none(wrong or ([] if DIGEST.fullmatch(values["digest"]) else ["digest"]), name)
    return ImagePin(**{key: values[key] for key in keys})


def _admin(entry: Any, name: str) -> AdminPin:
    keys = tuple(key for key in AdminPin.__dataclass_fields__ if key != "settings")
    values = entry if isinstance(entry, dict) else {}
    wrong = _not_text(values, keys)
    wrong += [] if wrong or OBJECT_NAME.fullmatch(values["commit"]) else ["commit"]
    settings = values.get("settings")
    wrong += [] if isinstance(settings, dict) and all(map(_is_setting, settings.items())) else ["settings"]
    _require_none(wrong, name)
    return AdminPin(**{key: values[key] for key in keys}, settings=dict(settings or {}))


def _is_setting(item: tuple[Any, Any]) -> bool:
    name, value = item
    if name not in SETTINGS:
        return False
    return all(isinstance(each, str) for each in value) if isinstance(value, list) else isinstance(value, str)


def _not_text(values: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if not isinstance(values.get(key), str)]


def _require_none(wrong: list[str], name: str) -> None:
    if wrong:
        raise ValueError(f"{name}: {wrong[0]} is missing, or not what the playbook writes")
