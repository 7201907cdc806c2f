# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of all errors that the engine raises for people to read."""

from __future__ import annotations


class HubfleetError(Exception):
    """Something that an operator can act on; the message is one line, and never holds a secret."""
