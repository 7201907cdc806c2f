# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of platforms.

They are separate from the interface in base.py, so that the process that renders manifests needs nothing else of it.
"""

from __future__ import annotations

from ..common.errors import HubfleetError


class PlatformError(HubfleetError):
    """A cluster cannot hold its hubs; the message is one sentence for the operator."""


class UnreachableError(PlatformError):
    """A cluster does not answer, or denies access; other clusters are not concerned."""
