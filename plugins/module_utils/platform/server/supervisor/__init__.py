# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create the supervisor of a cluster."""

from __future__ import annotations

import os

from .base import Supervisor
from .supervisord import Supervisord
from .systemd import Systemd


def create_supervisor(kind: str, directory: str, runtime_directory: str, programs: str) -> Supervisor:
    """Return the supervisor ``systemd`` or ``supervisord``.

    directory, runtime_directory and programs are for supervisord; see its class.
    """
    if kind == "systemd":
        return Systemd(system=os.geteuid() == 0)
    return Supervisord(directory, runtime_directory, programs)
