# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of an import."""

from __future__ import annotations

from ..common.errors import HubfleetError


class FleetImportError(HubfleetError):
    """The import failed; the message is one sentence that starts with its subject and contains no value."""
