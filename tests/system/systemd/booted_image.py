# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file system of a machine that systemd boots: Debian by debootstrap, kept between runs.

No registry is asked: packages come from where this machine gets its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = (
    "bubblewrap",
    "ca-certificates",
    "dbus",
    "dbus-user-session",
    "libnss-systemd",
    "libpam-systemd",
    "procps",
    "python3-venv",
    "systemd-sysv",
)
#: Where deploys on the machine are run from: a virtual environment with what operators have.
CONTROLLER = "/opt/controller"
#: The machine shares kernel and network with the real one, and must not set those up.
MASKED = (
    "dev-hugepages.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "getty.target",
)
_DEBIAN = ("http://deb.debian.org/debian", "bookworm")


def file_system(checkout: Path) -> Path:
    """The directory that holds it, made where it is not there yet; about a minute."""
    mirror, suite = _source()
    requirements = checkout / "requirements.txt"
    made_from = [mirror, suite, *PACKAGES, *MASKED, requirements.read_text(encoding="utf-8")]
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:16]
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubfleet-tests"
    whole = kept / f"machine-{digest}"
    if not whole.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".machine-", dir=kept))
        try:
            _make(fresh, mirror, suite, checkout)
            fresh.rename(whole)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return whole


def _make(root: Path, mirror: str, suite: str, checkout: Path) -> None:
    root.chmod(0o755)
    packages = f"--include={','.join(PACKAGES)}"
    _run("debootstrap", "--variant=minbase", packages, suite, str(root), mirror)
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    shutil.rmtree(root / "var/cache/apt/archives")
    uv = checkout / ".venv/bin/uv"
    python = root / CONTROLLER.lstrip("/") / "bin/python"
    # By uv of the real machine, which knows where packages come from; only the link to Python is that of the other.
    _run(str(uv), "venv", "--quiet", "--relocatable", "--python", "/usr/bin/python3", str(python.parent.parent))
    requirements = ["--requirement", str(checkout / "requirements.txt")]
    _run(str(uv), "pip", "install", "--quiet", "--link-mode=copy", "--python", str(python), *requirements)


def _source() -> tuple[str, str]:
    """Where this machine gets the packages of its release from; Debian's own place where that is not told."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line
    )
    suite = release.get("VERSION_CODENAME", "").strip('"')
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    mirrors = [line.split()[0] for line in listed.splitlines() if line.split()[1:] == [suite]]
    return (mirrors[0], suite) if suite and mirrors else _DEBIAN


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}"
