# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect the operating system of a machine, and whether it is supported. Source: os-release(5)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ...base import PlatformError

#: Paths of the file, in order of precedence.
PLACES = ("/etc/os-release", "/usr/lib/os-release")
#: Distribution -> first and last major version.
_SUPPORTED = {"debian": (11, 13), "ubuntu": (22, 26)}
_RED_HAT = {"rhel", "fedora", "centos"}
TEXT = "supported are Debian 11 to 13, Ubuntu 22.04 to 26.04, and Red Hat Enterprise Linux and derivatives"


@dataclass(frozen=True)
class System:
    """The operating system of a machine. install: the command that installs packages."""

    name: str
    install: str


def read_system() -> System:
    """Return the system of this machine; raise PlatformError if it is not supported."""
    for path in PLACES:
        try:
            with open(path, encoding="utf-8") as file:
                return system_of(file.read())
        except OSError:
            continue
    raise PlatformError(f"the system of this machine is unknown, since it has no {PLACES[0]}; {TEXT}")


def system_of(text: str) -> System:
    """Return the system of an os-release file; raise PlatformError if it is not supported."""
    values = _values(text)
    distribution, version = values.get("ID", ""), values.get("VERSION_ID", "")
    name = values.get("PRETTY_NAME") or f"{distribution} {version}".strip() or "an unknown system"
    if distribution in _SUPPORTED:
        first, last = _SUPPORTED[distribution]
        major = version.partition(".")[0]
        if major.isdigit() and first <= int(major) <= last:
            return System(name, "sudo apt-get install")
    elif _RED_HAT & {distribution, *values.get("ID_LIKE", "").split()}:
        return System(name, "sudo dnf install")
    raise PlatformError(f"this machine has {name}; {TEXT}")


def _values(text: str) -> dict[str, str]:
    """Return the assignments of an os-release file, whose values are quoted as in a shell."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            try:
                found[key] = "".join(shlex.split(value))
            except ValueError:
                continue
    return found
