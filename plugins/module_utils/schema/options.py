# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All options of hubs, clusters and the fleet."""

from __future__ import annotations

from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS

#: Variable -> option.
OPTIONS = {option.name: option for option in (*HUB_OPTIONS, *CLUSTER_OPTIONS)}
PREFIXES = ("hub_", "cluster_", "fleet_")
