# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the reverse proxy know of their fleet."""

from __future__ import annotations

from dataclasses import dataclass

from reverse_proxy_visitor import Visitor
from verbs_fleet import Fleet, Result

#: The end of the domains of all hubs; no name in it can be resolved (RFC 6761).
ZONE = ".hubs.test"


@dataclass(frozen=True)
class Served:
    """Three hubs behind a reverse proxy: one with a domain of its own, two that share one; and their first deploys."""

    fleet: Fleet
    visitor: Visitor
    http: int
    https: int
    first: Result
    second: Result
