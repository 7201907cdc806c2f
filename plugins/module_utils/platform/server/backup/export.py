# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a copy of what a hub holds before it is removed, beside the state directory, which may go as well.

The archive has the paths of the state directory, so ``tar --extract --directory STATE`` puts everything in its place.
Files keep the numbers of their owners. Where users had system accounts, those are removed with the hub, and
new accounts get other numbers: homes are to be given to them by hand. Source of the options: the manual
of GNU tar.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from ....common import files
from ....common.errors import HubfleetError
from ..layout import Layout
from ..revisions import database


class ExportError(HubfleetError):
    """The data could not be copied; one sentence."""


def exports_directory(layout: Layout) -> str:
    """Return where the copies of a cluster's hubs are kept."""
    return f"{layout.root}-exports"


def export_hub(layout: Layout, hub: str, own_homes: bool, when: str) -> str:
    """Write ``HUB-WHEN.tar.gz`` with database, configuration, generated secrets and homes; return its path.

    own_homes: the homes lie in the state directory; others are not removed with a hub, so they are not copied.
    The database may be in use, homes should not be. Whole or not at all. Raises ExportError.
    """
    exports = exports_directory(layout)
    path = os.path.join(exports, f"{hub}-{when}.tar.gz")
    try:
        files.directory(exports, 0o700)
        with tempfile.TemporaryDirectory(dir=exports, prefix=".new-") as work:
            inside = os.path.relpath(layout.hub(hub).directory, layout.root)
            os.makedirs(os.path.join(work, inside))
            copied = database.copy(layout.hub(hub), os.path.join(work, inside, database.DATABASE))
            members = [os.path.join(inside, folder) for folder in ("config", "secrets")]
            if own_homes:
                members.append(os.path.relpath(layout.homes(hub), layout.root))
            members = [member for member in members if os.path.isdir(os.path.join(layout.root, member))]
            archive = os.path.join(work, "archive")
            databases = ["--directory", work, os.path.join(inside, database.DATABASE)] if copied else []
            _pack(archive, [*databases, "--directory", layout.root, *members])
            os.replace(archive, path)
    except (OSError, database.DatabaseError) as error:
        raise ExportError(f"the data of hub {hub} could not be copied to {exports}: {error}") from error
    return path


def _pack(archive: str, members: list[str]) -> None:
    """Run tar; raises OSError with the last thing that it said."""
    options = ["--create", "--gzip", "--acls", "--xattrs", "--numeric-owner"]
    with open(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(
            ["tar", *options, *members], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, check=False
        )
        os.fsync(file.fileno())
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(f"tar ended with code {done.returncode}: {_telling(lines)}")


def _telling(lines: list[str]) -> str:
    """Return the line that says why: the last ones of tar only say that it gives up."""
    told = [line for line in lines if "Exiting with failure" not in line and "exiting now" not in line]
    return (told or lines or ["no reason given"])[0]
