# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of versions of the zero-to-jupyterhub chart (roles/hub/files/charts).

``scripts/record_chart.py`` writes the records; they are read in the controller.
"""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass
from typing import Any

from ....schema.problems import nearest
from ...config_classes import Traits, traits_of


@dataclass(frozen=True)
class Recorded:
    """The record of one chart version; shared, so never change it.

    schema: JSON schema of the chart's values.
    defaults: the chart's own values.
    traits: of the classes in the hub's image.
    about: versions of the chart, of JupyterHub, KubeSpawner and OAuthenticator, of Kubernetes
    (``kubeVersion``) and Python.
    """

    version: str
    schema: dict[str, Any]
    defaults: dict[str, Any]
    traits: Traits
    about: dict[str, Any]


@functools.cache
def read(directory: str, version: str) -> Recorded:
    """Return the record of a version; raise LookupError if there is none."""
    known = versions(directory)
    if version not in known:
        raise LookupError(f"chart version {version!r} is not recorded{nearest(version, known, 'recorded')}")
    files = {
        name: _read_json(os.path.join(directory, version, f"{name}.json"))
        for name in ("values.schema", "values", "traits", "about")
    }
    return Recorded(
        version=version,
        schema=files["values.schema"],
        defaults=files["values"],
        traits=traits_of(files["traits"]),
        about=files["about"],
    )


def versions(directory: str) -> list[str]:
    """Return the recorded versions, the oldest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    recorded = [name for name in names if os.path.isfile(os.path.join(directory, name, "about.json"))]
    return sorted(recorded, key=_version_key)


def _read_json(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _version_key(version: str) -> tuple[list[int], bool, list[tuple[bool, int | str]]]:
    """Return the sort key of a semantic version: a pre-release comes before its release (semver.org, 11)."""
    release, _dash, before = version.partition("-")
    parts = re.split(r"[.+]", before)
    return (
        [int(number) for number in re.findall(r"\d+", release)],
        not before,
        [(not part.isdigit(), int(part) if part.isdigit() else part) for part in parts],
    )
