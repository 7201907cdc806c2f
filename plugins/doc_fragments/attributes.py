# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Author and attributes."""

    DOCUMENTATION = r"""
author:
  - Hubfleet contributors (@hubfleet)
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: none
    details: The plan (M(hubfleet.jupyterhub.fleet_plan)) shows the differences of all hubs at once.
options: {}
"""
