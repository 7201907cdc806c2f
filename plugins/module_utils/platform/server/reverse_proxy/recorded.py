# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reverse proxy as deploys of hubs recorded it, so that a rollback restores its settings as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ....common.persisted import from_persisted
from ..desired.services import Service
from ..layout import Layout
from ..revisions.history import GOOD, Record, newest
from .apply import observed_reverse_proxy
from .desired import ReverseProxy


@dataclass(frozen=True)
class RecordedProxy:
    """Settings and service of a reverse proxy."""

    reverse_proxy: ReverseProxy
    service: Service

    @classmethod
    def of(cls, record: Record | None) -> RecordedProxy | None:
        """Return what a record says, None where the hub was not behind a reverse proxy."""
        if record is None or not record.reverse_proxy:
            return None
        settings = from_persisted(ReverseProxy, record.reverse_proxy["settings"])
        return cls(settings, Service.from_dict(record.reverse_proxy["service"]))


def restored_proxy(layout: Layout, hub: str, given: RecordedProxy) -> RecordedProxy:
    """Return the reverse proxy that the last deploy of a hub was made with, or the one that it went back to.

    All hubs of a cluster share one reverse proxy: if another hub works with the settings that are loaded, they stay.
    given: as the inventory has it; also returned where the settings are the same, so that Caddy is not restarted with
    the launcher of an earlier release.
    """
    loaded = observed_reverse_proxy(layout).settings
    others = (proxy for proxy in _working(layout, hub) if proxy.reverse_proxy.settings == loaded)
    found = next(others, None) or RecordedProxy.of(newest(layout.hub(hub))) or given
    return given if found.reverse_proxy.settings == given.reverse_proxy.settings else found


def _working(layout: Layout, but: str) -> Iterator[RecordedProxy]:
    """Yield what the last deploys of the other hubs were made with, if these hubs work."""
    for name in observed_reverse_proxy(layout).sites:
        record = newest(layout.hub(name)) if name != but else None
        proxy = RecordedProxy.of(record) if record and record.result in GOOD else None
        if proxy:
            yield proxy
