# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which systems machines may have: os-release files as the systems' packages bring them."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts import system
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.system import (
    TEXT,
    read_system,
    system_of,
)

DEBIAN_12 = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"""
ALMA_9 = """\
NAME="AlmaLinux"
VERSION="9.4 (Seafoam Ocelot)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PRETTY_NAME="AlmaLinux 9.4 (Seafoam Ocelot)"
"""
ALPINE = """\
NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.1
PRETTY_NAME="Alpine Linux v3.20"
"""


@pytest.mark.parametrize(
    ("text", "name", "install"),
    [
        (DEBIAN_12, "Debian GNU/Linux 12 (bookworm)", "sudo apt-get install"),
        ("ID=debian\nVERSION_ID=11\n", "debian 11", "sudo apt-get install"),
        ("ID=debian\nVERSION_ID='13'\n", "debian 13", "sudo apt-get install"),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n', "ubuntu 22.04", "sudo apt-get install"),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="26.04"\n', "ubuntu 26.04", "sudo apt-get install"),
        (ALMA_9, "AlmaLinux 9.4 (Seafoam Ocelot)", "sudo dnf install"),
        ("ID=fedora\nVERSION_ID=42\n", "fedora 42", "sudo dnf install"),
        ('# comment\n\nID="rhel"\nbroken\nNAME="never ends\n', "rhel", "sudo dnf install"),
    ],
)
def test_supported(text: str, name: str, install: str) -> None:
    found = system_of(text)
    assert (found.name, found.install) == (name, install)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ID=debian\nVERSION_ID=10\n", "debian 10"),
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\n', "Debian GNU/Linux forky/sid"),
        ('ID=ubuntu\nVERSION_ID="20.04"\n', "ubuntu 20.04"),
        ("ID=arch\n", "arch"),
        (ALPINE, "Alpine Linux v3.20"),
        ("", "an unknown system"),
    ],
)
def test_others(text: str, name: str) -> None:
    with pytest.raises(PlatformError) as raised:
        system_of(text)
    assert str(raised.value) == f"this machine has {name}; {TEXT}"


def test_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "PLACES", ("/nowhere/os-release",))
    with pytest.raises(PlatformError, match="the system of this machine is unknown"):
        read_system()
