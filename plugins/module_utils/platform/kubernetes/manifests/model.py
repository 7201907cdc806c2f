# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input and output of the renderer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....common.nested import Path, path_text

PLACEHOLDER = "***"


@dataclass(frozen=True)
class Release:
    """One release to render.

    chart: absolute path of a directory or a .tgz.
    values: override the chart's defaults; JSON types.
    """

    name: str
    namespace: str
    chart: str
    values: dict[str, Any]


@dataclass(frozen=True)
class ManifestProblem:
    """One problem of a rendered release.

    kind, name: of the object in Kubernetes; or ``values`` and "" for a violation of the chart's schema; or
        ``template`` and the template that failed; or ``release`` and the release otherwise.
    path: the place inside it, such as ``spec.replicas`` or ``hub.db.pvc``; "" for the whole.
    message: one line, without any value.
    """

    kind: str
    name: str
    path: Path
    message: str

    def line(self) -> str:
        """Return the problem as one line for a person."""
        subject = f"{self.kind} {self.name}".strip()
        return ": ".join(part for part in (subject, path_text(self.path), self.message) if part)


@dataclass
class Rendered:
    """One rendered release.

    objects: the manifests, Secrets included; empty where rendering failed.
    unchecked: ``apiVersion kind`` -> number of objects without a schema.
    seconds: duration of rendering and validation.
    """

    name: str
    objects: list[dict[str, Any]] = field(default_factory=list)
    problems: list[ManifestProblem] = field(default_factory=list)
    unchecked: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Engine:
    """What renders.

    name: with its version, for messages.
    command: path of the helm command line, or "" for the Python package.
    """

    name: str
    command: str = ""
