# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the library kubernetes without what takes most of the time: each task of a playbook imports it anew."""

from __future__ import annotations

import sys
import threading
from typing import Any

LIBRARY = "kubernetes"
#: Only checks objects against schemas, which nobody asks the library for, but imports jsonschema, which takes a second
#: where packages for all formats of texts are installed.
_UNUSED = "kubernetes_validate"
_lock = threading.Lock()


def load() -> None:
    """Import the library, unless that was done; raises ImportError."""
    modules: dict[str, Any] = sys.modules
    with _lock:
        if LIBRARY in modules or _UNUSED in modules:
            __import__(LIBRARY)
            return
        modules[_UNUSED] = None  # an ImportError, which the library expects
        try:
            __import__(LIBRARY)
        finally:
            del modules[_UNUSED]
