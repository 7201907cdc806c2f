# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change nested dictionaries and lists.

A place is a path: keys of dictionaries and indexes of lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable

Path = tuple[Any, ...]


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the content of every place in ``value``, dictionaries and lists included."""
    for key, item in _items(value):
        yield (*path, key), item
        yield from walk(item, (*path, key))


def leaves(value: Any, path: Path = (), into_lists: bool = True) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the content of every place in ``value`` that has no places inside it.

    Empty dictionaries and lists are leaves; with ``into_lists=False``, so is every list.
    """
    inner = list(_items(value)) if into_lists or not isinstance(value, list) else []
    if not inner:
        yield path, value
    for key, item in inner:
        yield from leaves(item, (*path, key), into_lists)


def texts(value: Any) -> Iterator[str]:
    """Yield every string in ``value``; keys are left out."""
    return (leaf for _path, leaf in leaves(value) if isinstance(leaf, str))


def map_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a copy of ``value`` with ``change`` applied to everything that is not a dictionary or a list."""
    if isinstance(value, dict):
        return {key: map_leaves(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_leaves(item, change) for item in value]
    return change(value)


def depth_of(value: Any, path: Iterable[Any]) -> int:
    """Return how many steps of ``path`` exist in ``value``."""
    depth = 0
    for step in path:
        if not _has(value, step):
            break
        value, depth = value[step], depth + 1
    return depth


def value_at(value: Any, path: Iterable[Any], default: Any = None) -> Any:
    """Return what is at ``path`` in ``value``, or ``default`` if there is none."""
    for step in path:
        if not _has(value, step):
            return default
        value = value[step]
    return value


def outside_lists(path: Path) -> Path:
    """Return ``path`` without the list indexes at its end."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def path_text(path: Path) -> str:
    """Return a path as people write it: ``("hub_sizes", 1, "memory")`` -> ``hub_sizes[1].memory``."""
    first, rest = "".join(map(str, path[:1])), path[1:]
    return first + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _has(value: Any, step: Any) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
