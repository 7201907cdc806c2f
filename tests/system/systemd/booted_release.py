# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release of Debian or Ubuntu the booted machine has: this machine's own, or another one.

HUBFLEET_TEST_RELEASE names one of RELEASES. HUBFLEET_TEST_MIRROR is where its packages come from, for releases
of another distribution than this machine's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from file_systems import DEBIAN, this_machine


@dataclass(frozen=True)
class Release:
    """A release as debootstrap makes it.

    script: debootstrap's, by a name that old versions of it know as well. components: of its archive.
    controls: whether Ansible runs on its Python, so that the machine can deploy its own hubs. If not, they are deployed
    from here, by ssh. python: whether its Python is new enough for hubs. unified: whether its systemd knows control
    groups of version 2 only. mirror: where its packages come from.
    """

    suite: str
    script: str = "sid"
    components: str = "main"
    controls: bool = True
    python: bool = True
    unified: bool = False
    mirror: str = ""


_UBUNTU = {"script": "gutsy", "components": "main,universe"}
RELEASES = (
    Release("bullseye", controls=False, python=False),
    Release("bookworm"),
    Release("trixie"),
    Release("jammy", controls=False, **_UBUNTU),
    Release("noble", **_UBUNTU),
    Release("resolute", unified=True, **_UBUNTU),
)


def wanted_release() -> Release:
    """The release that tests are to run on; AssertionError where it is not known, or nobody says where it is."""
    here, mirror = this_machine()
    known = {release.suite: release for release in RELEASES}
    suite = os.environ.get("HUBFLEET_TEST_RELEASE") or (here if here in known else "bookworm")
    assert suite in known, f"HUBFLEET_TEST_RELEASE: {suite} is none of {', '.join(known)}"
    found = known[suite]
    same = here in known and known[here].script == found.script
    place = os.environ.get("HUBFLEET_TEST_MIRROR") or (mirror if same else "")
    if not place and found.script == "sid":
        place = DEBIAN
    assert place, f"HUBFLEET_TEST_MIRROR: this machine does not know where packages of {suite} come from"
    return Release(**{**vars(found), "mirror": place})


def this_release() -> str:
    """The name of this machine's release."""
    return this_machine()[0]
