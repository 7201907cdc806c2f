# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub should be on its cluster: the release of its chart with its values, and the releases of its add-ons."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ....common import files
from ....common.digests import digest
from ....redaction.redactor import Redactor
from ..chart.content import ChartReference
from ..values.addons import AddonRelease
from ..values.layers import Values
from .records import Place

#: Parts of a hub that differ one by one; those of add-ons begin with the last.
CHART, CONFIGURATION, VALUES, ADDON = "chart", "configuration", "values", "add-on "


@dataclass(frozen=True)
class DesiredRelease:
    """A hub as it should be.

    chart: where its chart comes from. version, jupyterhub: of the chart, and of JupyterHub in it.
    values: what Helm is given, without the secrets that are generated on the cluster.
    ignored_drift: rules of hub_ignored_drift.
    """

    place: Place
    chart: ChartReference
    version: str
    jupyterhub: str
    values: Values
    addons: Sequence[AddonRelease] = ()
    redactor: Redactor = field(default_factory=Redactor)
    ignored_drift: Sequence[str] = ()

    @functools.cached_property
    def parts(self) -> dict[str, str]:
        """What Helm is given, name -> digest; the configuration is the values without secrets."""
        place = self.place
        chart = [self.chart.name, self.version, place.namespace, place.release]
        found = {
            CHART: digest([*chart, content_digest(self.chart.chart) if self.chart.is_path else ""]),
            CONFIGURATION: digest(self.redactor.mask(self.values)),
            VALUES: digest(self.values),
        }
        for addon in self.addons:
            path = addon.chart if os.path.isabs(addon.chart) else ""
            found[f"{ADDON}{addon.addon}"] = digest([vars(addon), content_digest(path) if path else ""])
        return found

    @property
    def fingerprint(self) -> str:
        """Digest of all parts."""
        return digest(self.parts)


@functools.lru_cache(maxsize=32)
def content_digest(path: str) -> str:
    """Return a digest of a chart in a directory or archive; "" where it cannot be read."""
    try:
        if not os.path.isdir(path):
            return files.sha256(path)
        found = hashlib.sha256()
        for name, content in sorted(files.tree(path).items()):
            found.update(f"{name} {len(content)} ".encode() + content)
        return found.hexdigest()
    except OSError:
        return ""


def without(values: Values, generated: Sequence[tuple[str, ...]], wanted: Values) -> Values:
    """Return values without the secrets that were generated, unless the inventory sets them by now.

    generated: their places. wanted: the values of the inventory.
    """
    found: Values = _copied(values)
    for path in generated:
        if not _has(wanted, path):
            _delete(found, path)
    return found


def _copied(value: Any) -> Any:
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value


def _has(values: Values, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def _delete(values: Values, path: tuple[str, ...]) -> None:
    """Delete a value, and the mappings around it that are empty then."""
    inner = values.get(path[0])
    if len(path) == 1:
        values.pop(path[0], None)
    elif isinstance(inner, dict):
        _delete(inner, path[1:])
        if not inner:
            del values[path[0]]
