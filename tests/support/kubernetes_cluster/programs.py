# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the programs of a cluster from Go modules, once per version."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Go modules; `tool` lines of go.mod name what is built. They share compiled packages inside a module; Helm and CoreDNS
#: need newer packages of Kubernetes than the version that the nodes of tests can run.
MODULES = Path(__file__).parent / "programs"
#: A program of ours that is one of these by the name that it is called by: linking each of them would take as long as
#: compiling them.
SERVERS = "servers"
NAMES = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-router", "kube-scheduler", "kubelet"),
    "volumes",
)


def kubernetes_version() -> str:
    """Return the version of Kubernetes, such as 1.34.4."""
    found = re.search(r"k8s\.io/kubernetes v([0-9.]+)", (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8"))
    assert found, "go.mod of kubernetes names no version"
    return found.group(1)


def digest(*parts: str | bytes) -> str:
    """Return a short digest of texts."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else part.encode())
        whole.update(b"\0")
    return whole.hexdigest()[:12]


@contextmanager
def building(target: Path) -> Iterator[Path | None]:
    """Yield a new directory that becomes the target at the end; None if the target exists.

    Processes that build the same at once wait for each other; what an interrupted build left is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{target.name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            yield None
            return
        unfinished = target.with_name(f".{target.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        yield unfinished
        unfinished.rename(target)


def directory(cache: Path) -> Path:
    """Return the directory of all programs; it exists if they were built."""
    return cache / f"programs-{digest(*(str(_target(module, cache)) for module in _modules()), *NAMES)}"


def build(cache: Path) -> Path:
    """Return a directory with all programs; build those that the cache does not have yet.

    Raises subprocess.CalledProcessError if a build fails.
    """
    directories = [_build_module(module, cache) for module in _modules()]
    together = directory(cache)
    with building(together) as new:
        if new:
            for program in (program for built in directories for program in built.iterdir()):
                for name in NAMES if program.name == SERVERS else (program.name,):
                    (new / name).symlink_to(program)
    return together


def _modules() -> list[Path]:
    return [module for module in sorted(MODULES.iterdir()) if (module / "go.mod").exists()]


def _target(module: Path, cache: Path) -> Path:
    key = digest(*(path.read_bytes() for path in sorted(module.rglob("*")) if path.is_file()), _linker_flags(module))
    return cache / f"{module.name}-{key}"


def _build_module(module: Path, cache: Path) -> Path:
    flags, target = _linker_flags(module), _target(module, cache)
    with building(target) as new:
        if new:
            print(f"Building {module.name}", flush=True)
            listed = subprocess.run(["go", "mod", "edit", "-json"], cwd=module, check=True, capture_output=True)
            packages = [tool["Path"] for tool in json.loads(listed.stdout)["Tool"]]
            environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
            command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", f"{new}/", *packages]
            subprocess.run(command, cwd=module, env=environment, check=True)
    return target


def _linker_flags(module: Path) -> str:
    if module.name != "kubernetes":
        return "-s -w"
    # otherwise the server calls itself v0.0.0-master, and charts with a kubeVersion refuse it
    version = kubernetes_version()
    major, minor, _patch = version.split(".")
    values = {
        "k8s.io/component-base/version.gitVersion": f"v{version}",
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "k8s.io/client-go/pkg/version.gitVersion": f"v{version}",
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])
