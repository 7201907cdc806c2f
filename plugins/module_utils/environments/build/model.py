# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory to build, named by what it is made from, so that it is built once and never changed."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, field

from ...common.digests import digest
from ..pins import REPO2DOCKER

#: Increase this number when the build steps change, so that everything is built again.
BUILDER = 3

#: The same for the steps that only builds of repositories have.
REPOSITORY_BUILDER = 2

#: The same for images on a base image.
IMAGE_BUILDER = 2

#: Written last into every directory that is built; without it the directory is half done.
COMPLETE = ".complete"


#: The same for images of repo2docker, for which only this number counts.
CONTAINER_BUILDER = 1


@dataclass(frozen=True)
class Build:
    """One directory to build.

    kind: ``python`` (a virtual environment, by uv), ``conda`` (one over packages of conda), ``npm``, or ``repo2docker``
    (an image of a container engine).
    folder: where it goes below the state directory: ``environments`` or ``tools``.
    lock: requirements with hashes; installed first, the rest may not contradict it.
    requirements: further requirements, as text of a requirements file.
    added: requirements of the collection's own, beside those and what a repository asks for.
    tree: git's name of the files of a repository to build, "" if there are none.
    base: digest of the image that it is built on, "" for one on a machine.
    files: path -> text written into it; for npm package.json and its lock.
    modules: path -> text written below site-packages.
    imports: modules that must be importable when it is done.
    links: link below the directory -> target below site-packages.
    link: also make a link NAME to the newest.
    """

    name: str
    kind: str
    folder: str
    lock: str = ""
    requirements: str = ""
    files: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    link: bool = False
    python: str = ""
    tree: str = ""
    base: str = ""
    added: str = ""

    @functools.cached_property
    def directory(self) -> str:
        """Name of the directory: the name and a digest of everything it is made from."""
        if self.kind == REPO2DOCKER:
            return f"{self.name}-{digest({'container_builder': CONTAINER_BUILDER, **asdict(self)})}"
        values = {"builder": BUILDER, **asdict(self)}
        if self.tree:
            values["repository_builder"] = REPOSITORY_BUILDER
        if self.base:
            values["image_builder"] = IMAGE_BUILDER
        for later in ("tree", "base", "added"):
            if not values[later]:
                del values[later]  # so that what was built before there was any keeps its name
        return f"{self.name}-{digest(values)}"
