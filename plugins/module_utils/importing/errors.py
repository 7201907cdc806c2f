# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of an import."""

from __future__ import annotations

from ..common.errors import HubfleetError


class ImportProblem(HubfleetError):
    """Why nothing can be imported: one sentence that starts with what it is about; never a value."""
