# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that packages may not have others than, as lines ``name==version`` of a requirements file."""

from __future__ import annotations

import re


def constraints_of(lock: str) -> str:
    """Return the lines ``name==version ; marker`` of a lock file without hashes.

    Packages of an environment have no hashes, and pip requires hashes for all packages or none.
    """
    lines = [re.sub(r"\s*\\$", "", line) for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    return "".join(f"{line}\n" for line in lines)


def versions_of(listed: str) -> str:
    """Return the lines ``name==version`` of a list of packages; others name files, which are no constraints."""
    return "".join(f"{line}\n" for line in listed.splitlines() if re.match(r"[A-Za-z0-9][^ ]*==", line))


def added(constraints: str, more: str) -> str:
    """Return constraints with those of ``more`` that are about other packages."""
    given = {package(line) for line in constraints.splitlines()}
    lines = [line for line in more.splitlines() if package(line) not in given]
    return constraints + "".join(f"{line}\n" for line in lines)


def versions_by_package(constraints: str) -> dict[str, set[str]]:
    """Return the versions of each package; a lock file has several where they depend on the version of Python."""
    found: dict[str, set[str]] = {}
    for line in versions_of(constraints).splitlines():
        version = line.partition("==")[2].partition(";")[0].strip()
        found.setdefault(package(line), set()).add(version)
    return found


def package(line: str) -> str:
    """Return the normalized name in ``name==version``. Source: PEP 503."""
    return re.sub("[-_.]+", "-", line.partition("==")[0].strip().lower())
