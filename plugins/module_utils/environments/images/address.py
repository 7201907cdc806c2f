# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of images, as Docker and Kubernetes write them.

Source: https://github.com/distribution/reference (grammar), and its rule that a first part without a dot, a colon or
``localhost`` is no host but a repository of Docker Hub.
"""

from __future__ import annotations

from dataclasses import dataclass

_DOCKER_HUB, _ITS_REGISTRY = "docker.io", "registry-1.docker.io"
_PLAIN = "http://"


@dataclass(frozen=True)
class ImageAddress:
    """A repository of images, and one of them.

    host: of the registry, with its port. repository: such as hubs/science. reference: a tag or a digest, or "".
    plain: the registry is reached by HTTP without encryption.
    """

    host: str
    repository: str
    reference: str = ""
    plain: bool = False

    @classmethod
    def parse(cls, text: str) -> ImageAddress:
        """Return the address in a text such as quay.io/jupyter/base-notebook:2026-11-24, or http://HOST:PORT/PATH."""
        plain = text.startswith(_PLAIN)
        name, at, digest = text.removeprefix(_PLAIN).partition("@")
        path, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            path, tag = name, ""
        host, slash, repository = path.partition("/")
        if not slash or not (set(".:") & set(host) or host == "localhost"):
            host, repository = _DOCKER_HUB, path if slash else f"library/{path}"
        return cls(host, repository, digest if at else tag, plain)

    @property
    def name(self) -> str:
        """The repository as Kubernetes writes it: host and path."""
        return f"{self.host}/{self.repository}"

    @property
    def full(self) -> str:
        """The image as Kubernetes writes it: with its tag or digest, if it has one."""
        separator = "@" if self.reference.startswith("sha256:") else ":"
        return f"{self.name}{separator}{self.reference}" if self.reference else self.name

    @property
    def api(self) -> str:
        """The address of the registry's API."""
        host = _ITS_REGISTRY if self.host == _DOCKER_HUB else self.host
        return f"{_PLAIN if self.plain else 'https://'}{host}/v2/{self.repository}"

    @property
    def registry(self) -> str:
        """The host that answers for the registry."""
        return _ITS_REGISTRY if self.host == _DOCKER_HUB else self.host
