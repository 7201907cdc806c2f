# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find uv, which builds environments: for this machine, and for others."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys

from ansible.errors import AnsibleActionFail

#: Processors that uv has wheels for on every supported system; the names as uname has them.
ARCHITECTURES = ("x86_64", "aarch64")
TIMEOUT = 600


def find_uv() -> str:
    """Return uv: the one beside Ansible (Python package uv), else that of the machine."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if not found:
        raise AnsibleActionFail("uv, which builds environments, is not installed; install it with: pip install uv")
    return found


def uv_directory(architecture: str) -> str:
    """Return what the directory of uv is called on a machine with a processor: the same version as here."""
    return f"uv-{_version()}-{architecture}"


def uv_for(architecture: str) -> str:
    """Return a uv that runs on Linux with a processor; where this machine differs, the wheel for it is downloaded."""
    if sys.platform == "linux" and platform.machine() == architecture:
        return find_uv()
    if architecture not in ARCHITECTURES:
        raise AnsibleActionFail(f"there is no uv for {architecture}; machines of hubs are {' or '.join(ARCHITECTURES)}")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    target = os.path.join(base, "hubfleet", uv_directory(architecture))
    program = os.path.join(target, "bin", "uv")
    if not os.path.exists(program):
        _download(architecture, target)
    return program


def _version() -> str:
    done = subprocess.run([find_uv(), "--version"], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else "unknown"


def _download(architecture: str, target: str) -> None:
    temporary = f"{target}.{os.getpid()}"
    command = [find_uv(), "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", temporary]
    command += ["--python", sys.executable, "--python-platform", f"{architecture}-unknown-linux-gnu"]
    environment = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    done = subprocess.run(
        [*command, f"uv=={_version()}"], capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False
    )
    if done.returncode:
        shutil.rmtree(temporary, ignore_errors=True)
        raise AnsibleActionFail(f"uv for {architecture} could not be downloaded: {done.stderr.strip()[-300:]}")
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
