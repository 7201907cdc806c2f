# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the directories and files that the users of a hub share."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from ..redaction.places import holds_private_key
from .access_checks import check_allowed_groups
from .model import Hub, ValuePath
from .option import KUBERNETES, SERVER

Report = Callable[[ValuePath, str], None]

DIRECTORIES, FILES = "hub_shared_directories", "hub_files"
#: The options of a shared directory that name groups.
_OF_GROUPS = ("allowed_groups", "writable_by_groups")
#: Where an environment keeps the packages of a user (hubfleet_environment/user_packages.py).
_PACKAGES = ".local/share/hubfleet"
#: Directories in the home from which shells and Jupyter run code.
_RUN_FROM = (".config", ".ipython", ".jupyter", ".local", ".ssh")


def path_in_home(path: str) -> str | None:
    """Return the relative path that a path such as ~/shared means; None if it is not in the home, or the home."""
    relative = posixpath.normpath(path[2:]) if path.startswith("~/") else "."
    return None if relative in (".", "/") else relative.lstrip("/")


def check_shared(hub: Hub, report: Report, broken: set[str]) -> None:
    """Check the directories and files of a hub on a machine, whose values are not broken."""
    if broken & {DIRECTORIES, FILES}:
        return
    _check_places(hub, report)
    for name, directory in (hub[DIRECTORIES] or {}).items():
        if directory["read_only"] and directory["writable_by_groups"] is not None:
            report((DIRECTORIES, name, "read_only"), "is true, but writable_by_groups is set; remove one of them")
        for key in _OF_GROUPS:
            if directory[key] is not None and directory["source"]:
                report((DIRECTORIES, name, key), "cannot be set with source, whose own permissions decide")
    _check_sources(hub, report)
    for name, file in (hub[FILES] or {}).items():
        if holds_private_key(file["content"]):
            report((FILES, name, "content"), "holds a private key, and every user can read it")
    if not broken & {"hub_groups", "hub_authenticator"}:
        _check_group_names(hub, report)


def check_shared_on_kubernetes(hub: Hub, on_home_volume: bool, report: Report) -> None:
    """Report what only works on a machine, and directories that would show the homes of everybody.

    on_home_volume: whether the volume that directories are in has all homes.
    """
    for name, directory in (hub[DIRECTORIES] or {}).items():
        for key in (*_OF_GROUPS, "source"):
            if directory[key] is not None:
                report(
                    (DIRECTORIES, name, key),
                    f"is only valid on the platform {SERVER}; this cluster's platform is {KUBERNETES}",
                )
        # imported hubs stay as they are
        if not on_home_volume or hub["hub_defaults_source"] != "collection":
            continue
        if not directory["subpath"]:
            report((DIRECTORIES, name), "has no subpath, so that all users would find the homes of everybody there")
        elif _has_homes(directory["subpath"], hub["hub_home_subpath"] or ""):
            report(
                (DIRECTORIES, name, "subpath"),
                f"{directory['subpath']!r} contains the homes (hub_home_subpath), so that all users would find those "
                "of everybody",
            )


def _has_homes(subpath: str, home_subpath: str) -> bool:
    """Return whether a subdirectory of a volume is, or contains, the directory in which all homes are."""
    homes = posixpath.dirname(posixpath.normpath(home_subpath.partition("{")[0] + "home"))
    shown = posixpath.normpath(subpath)
    return shown == "." or f"{homes}/".startswith(f"{shown}/")


def _places(hub: Hub) -> Iterator[tuple[ValuePath, str]]:
    for variable in (DIRECTORIES, FILES):
        for name, entry in (hub[variable] or {}).items():
            yield (variable, name, "path"), entry["path"]


def _check_places(hub: Hub, report: Report) -> None:
    """Report paths that are not in the home, and those that are at or below another one."""
    taken: dict[str, ValuePath] = {}
    for place, path in _places(hub):
        relative = path_in_home(path)
        if relative is None:
            report(place, f"{path!r} is not a path in the home directory, which a machine requires, such as ~/shared")
            continue
        if place[0] == DIRECTORIES:
            _check_own_places(relative, (hub[DIRECTORIES] or {})[place[1]]["read_only"], place, report)
        for other, owner in taken.items():
            if f"{relative}/".startswith(f"{other}/") or f"{other}/".startswith(f"{relative}/"):
                report(place, f"{path!r} and ~/{other}, the path of {owner[0]}.{owner[1]}, are inside of each other")
                break
        taken.setdefault(relative, place)


def _check_own_places(relative: str, read_only: bool | None, place: ValuePath, report: Report) -> None:
    """Report a shared directory where each user must have files of their own."""
    packages = _is_inside(_PACKAGES, relative) or _is_inside(relative, _PACKAGES) or relative == _PACKAGES
    if packages or (not read_only and relative.partition("/")[0] in _RUN_FROM):
        report(
            place,
            f"'~/{relative}' is where programs of each user find packages and settings; others who write there could "
            "run code as that user",
        )


def _check_sources(hub: Hub, report: Report) -> None:
    """Report sources inside of others: who can write in the outer one could put a link in place of the inner one."""
    sources = {
        name: posixpath.normpath(directory["source"])
        for name, directory in (hub[DIRECTORIES] or {}).items()
        if directory["source"]
    }
    for name, source in sources.items():
        outer = next((other for other, path in sources.items() if _is_inside(source, path)), None)
        if outer:
            report((DIRECTORIES, name, "source"), f"{source!r} is inside of the source of {DIRECTORIES}.{outer}")


def _is_inside(path: str, other: str) -> bool:
    return path != other and f"{path}/".startswith(f"{other.rstrip('/')}/")


def _check_group_names(hub: Hub, report: Report) -> None:
    """Report groups that nobody can be in."""
    for name, directory in (hub[DIRECTORIES] or {}).items():
        for key in _OF_GROUPS:
            if directory[key] == []:
                report((DIRECTORIES, name, key), "is empty; name a group, or remove it")
            check_allowed_groups(hub.options, directory[key], (DIRECTORIES, name, key), report)
