# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The space that environments take up, and what a file system has left."""

from __future__ import annotations

import glob
import os
import shutil

from .steps import BuildError

#: Bytes of an environment that has nothing but JupyterLab and JupyterHub, at least.
_LEAST = 250_000_000


def size_of(top: str) -> int:
    """Return the bytes on the disk of all files below a directory; files with several names count once."""
    seen, total = set(), 0
    for folder, _folders, names in os.walk(top):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total


def require_space(name: str, folder: str) -> None:
    """Check that a file system has the space of another build of an environment, before anything is built.

    name: of the environment. folder: of its builds, the largest of which tells how much the next one needs.
    Raises BuildError.
    """
    needed = max([_LEAST, *map(size_of, glob.glob(os.path.join(glob.escape(folder), f"{name}-{'[0-9a-f]' * 12}")))])
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BuildError(
            f"building {name}: a build needs about {needed // 1_000_000} MB in {folder}, and {free // 1_000_000} MB are"
            " free there; make room, and deploy again"
        )
