# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm: its command line, or the same as a library (PyPI helm-python-sdk)."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Sequence

from ...common.errors import HubfleetError

LIBRARY = "helm-python-sdk"
NO_HELM = f"needs helm on PATH, or the Python package {LIBRARY}: pip install {LIBRARY}"


class HelmDidNotRun(HubfleetError):
    """Helm could not be started, or did not end in time; the message is the kind of error."""


def run_helm(
    command: list[str], timeout: float, text: str = "", inherited: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command of helm with ``text`` as standard input; timeout in seconds, inherited: file descriptors.

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
            pass_fds=inherited,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HelmDidNotRun(type(error).__name__) from error


def has_library() -> bool:
    """Tell whether Helm is installed as a library, without loading it: it is large, and starts threads of its own."""
    return importlib.util.find_spec("helm_python") is not None
