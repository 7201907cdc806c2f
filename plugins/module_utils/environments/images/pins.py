# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that sessions on Kubernetes start in, and those that they are built on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

#: Address of the image without tag, and its key.
ImageKey = tuple[str, str]


@dataclass(frozen=True)
class ImagePin:
    """An image that was built.

    image: its address without tag. key: its tag, a digest of everything that it is made from. digest: of the image.
    date: when it was pinned, in UTC, such as 2026-11-30T09:15:00Z. jupyterhub, jupyterlab: versions in it.
    """

    image: str
    key: str
    digest: str
    date: str
    jupyterhub: str
    jupyterlab: str

    @property
    def reference(self) -> str:
        """The image as Kubernetes takes it."""
        return f"{self.image}@{self.digest}"


@dataclass(frozen=True)
class ImagePins:
    """What a lock file says of images. bases: address of a base image with its tag -> digest."""

    bases: dict[str, str] = field(default_factory=dict)
    images: dict[ImageKey, ImagePin] = field(default_factory=dict)
