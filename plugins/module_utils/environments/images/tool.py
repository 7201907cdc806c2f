# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Python that builds of images need on the controller: rattler, and repo2docker."""

from __future__ import annotations

import fcntl
import glob
import os
import sys

from ...common.digests import digest
from ..build.sandbox import remove_tree
from ..build.steps import Steps

_COMPLETE = ".complete"


def installed_tool(name: str, cache: str, uv: str, lock: str, modules: dict[str, str]) -> str:
    """Return the virtual environment of a tool, which is installed into the cache if need be. Raises BuildError.

    uv: the program. lock: requirements with hashes. modules: path -> text of the collection's program that uses it.
    """
    python = os.path.realpath(sys.executable)
    target = os.path.join(cache, f"{name}-{digest([lock, modules, python])}")
    os.makedirs(cache, mode=0o700, exist_ok=True)
    with open(f"{target}.lock", "a", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(target, _COMPLETE)):
            remove_tree(target)
            steps, environment = Steps(name), {**os.environ, "UV_SYSTEM_CERTS": "true"}
            steps.run("create", [uv, "venv", "--quiet", "--no-project", "--python", python, target], environment)
            path = f"{target}.txt"
            with open(path, "w", encoding="utf-8") as file:
                file.write(lock)
            install = [uv, "pip", "install", "--quiet", "--python", f"{target}/bin/python", "--require-hashes"]
            steps.run("install", [*install, "--requirements", path], environment)
            (packages,) = glob.glob(f"{glob.escape(target)}/lib/python3*/site-packages")
            for module, text in modules.items():
                with open(os.path.join(packages, module), "w", encoding="utf-8") as file:
                    file.write(text)
            with open(os.path.join(target, _COMPLETE), "w", encoding="ascii"):
                pass
    return target
