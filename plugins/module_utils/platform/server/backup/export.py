# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export the data of a hub before it is removed, to an archive beside the state directory.

The archive has the paths of the state directory, so ``tar --extract --directory STATE`` restores everything. Files keep
the numeric owners. System accounts are removed with the hub and new accounts get other numbers, so homes have to be
given to them by hand. Source of the options: the manual of GNU tar.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from ....common import files
from ....common.errors import HubfleetError
from ..layout import Layout
from ..revisions import database
from ..state_directory import require_own


class ExportError(HubfleetError):
    """The data was not exported; one line."""


def exports_directory(layout: Layout) -> str:
    """Return the directory of a cluster's exports."""
    return f"{layout.root}-exports"


def export_hub(layout: Layout, hub: str, own_homes: bool, when: str) -> str:
    """Write ``HUB-WHEN.tar.gz`` with database, configuration, generated secrets and homes; return its path.

    own_homes: the homes are in the state directory; others are not removed with a hub, and not exported. The database
    may be in use. Raises ExportError, without leaving an incomplete archive, and ForeignDirectoryError.
    """
    exports = exports_directory(layout)
    path = os.path.join(exports, f"{hub}-{when}.tar.gz")
    require_own(layout)
    try:
        files.directory(exports, 0o700)
        with tempfile.TemporaryDirectory(dir=exports, prefix=".new-") as work:
            inside = os.path.relpath(layout.hub(hub).directory, layout.root)
            os.makedirs(os.path.join(work, inside))
            copied = database.copy(layout.hub(hub), os.path.join(work, inside, database.DATABASE))
            members = [os.path.join(inside, folder) for folder in ("config", "secrets")]
            if own_homes:
                members.append(os.path.relpath(layout.homes(hub), layout.root))
            # With it, a deploy accepts the directory that the archive is extracted to.
            members.append(os.path.basename(layout.marker))
            members = [member for member in members if os.path.exists(os.path.join(layout.root, member))]
            archive = os.path.join(work, "archive")
            databases = ["--directory", work, os.path.join(inside, database.DATABASE)] if copied else []
            _pack(archive, [*databases, "--directory", layout.root, *members])
            os.replace(archive, path)
    except (OSError, database.DatabaseError) as error:
        raise ExportError(f"the data of hub {hub} cannot be exported to {exports}: {error}") from error
    return path


def _pack(archive: str, members: list[str]) -> None:
    """Run tar. Raises OSError with the reason."""
    options = ["--create", "--gzip", "--acls", "--xattrs", "--numeric-owner"]
    with open(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(
            ["tar", *options, *members], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, check=False
        )
        os.fsync(file.fileno())
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        # the last lines of tar only say that it gives up
        reasons = [line for line in lines if "Exiting with failure" not in line and "exiting now" not in line]
        reason = (reasons or lines or ["no error output"])[0]
        raise OSError(f"tar failed with exit code {done.returncode}: {reason}")
