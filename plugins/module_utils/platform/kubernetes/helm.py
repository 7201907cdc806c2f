# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the helm command line."""

from __future__ import annotations

import subprocess


class HelmDidNotRun(Exception):
    """Helm could not be started, or did not end in time; the message is the kind of error."""


def run_helm(command: list[str], timeout: float, text: str = "") -> subprocess.CompletedProcess[str]:
    """Return what a command of helm, given ``text``, said and ended with; timeout in seconds.

    Raises HelmDidNotRun.
    """
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HelmDidNotRun(type(error).__name__) from error
