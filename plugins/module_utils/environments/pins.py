# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commits that environments are built from."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOCK_FILE = "environments.lock.yml"
#: What builds an environment: uv, rattler, or repo2docker with a container engine, which makes an image of its own.
PYTHON, CONDA, REPO2DOCKER = KINDS = ("python", "conda", "repo2docker")
#: Names that git gives to commits and trees, by SHA-1 or SHA-256.
OBJECT_NAME = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

#: Repository, ref and subdirectory as they stand in the inventory, "" for those that do not.
RepositoryKey = tuple[str, str, str]


@dataclass(frozen=True)
class Pin:
    """What environments say of a repository, and the commit that they are built from.

    repository, ref, subdirectory: as they stand in the inventory, "" for those that do not.
    commit, tree: git's names of the commit, and of what it has in the subdirectory; a build is named by the latter,
    so that commits to other places build nothing.
    date: when the commit was made, in UTC, such as 2026-11-30T09:15:00Z.
    kind: one of KINDS.
    """

    repository: str
    ref: str
    subdirectory: str
    commit: str
    tree: str
    date: str
    kind: str = PYTHON

    @property
    def short_commit(self) -> str:
        """The commit as people read it."""
        return self.commit[:12]

    @property
    def key(self) -> RepositoryKey:
        """What the inventory says of it."""
        return (self.repository, self.ref, self.subdirectory)
