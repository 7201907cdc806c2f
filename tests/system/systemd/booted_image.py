# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file system of a machine that systemd boots: Debian by debootstrap, kept between runs.

No registry is asked: packages come from where this machine gets its own.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from booted_release import Release
from file_systems import bootstrap, run, run_inside
from prebuilt import cache

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
#: Of releases that are deployed from here.
REACHED_PACKAGES = ("openssh-server",)
#: What a Python of one's own is built with, on releases whose own is too old for hubs.
BUILD_PACKAGES = ("build-essential", "libffi-dev", "libsqlite3-dev", "libssl-dev", "xz-utils", "zlib1g-dev")
#: Where deploys on the machine are run from: a virtual environment with what operators have.
CONTROLLER = "/opt/controller"
#: The Python of one's own, and the release of Debian whose source it is built from.
PYTHON = "/opt/python/bin/python3"
_PYTHON_SOURCE = ("bookworm", "python3.11")
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


def file_system(checkout: Path, release: Release) -> Path:
    """The directory that holds it, made where it is not there yet; about a minute, some more with a Python to build."""
    requirements = checkout / "requirements.txt"
    made_from = [release.mirror, release.suite, release.components, *_packages(release), *MASKED, *_PYTHON_SOURCE]
    if release.controls:
        made_from.append(requirements.read_text(encoding="utf-8"))
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:16]
    kept = cache()
    whole = kept / f"machine-{digest}"
    if not whole.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".machine-", dir=kept))
        try:
            _make(fresh, release, checkout)
            fresh.rename(whole)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return whole


def _packages(release: Release) -> tuple[str, ...]:
    reached = () if release.controls else REACHED_PACKAGES
    return (*PACKAGES, *reached, *(() if release.python else BUILD_PACKAGES))


def _make(root: Path, release: Release, checkout: Path) -> None:
    root.chmod(0o755)
    packages = _packages(release)
    bootstrap(root, release.suite, release.mirror, packages, components=release.components, script=release.script)
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    if not release.python:
        _build_python(root, release)
    shutil.rmtree(root / "var/cache/apt/archives")
    if release.controls:
        _add_controller(root, checkout)


def _add_controller(root: Path, checkout: Path) -> None:
    uv, requirements = "/tmp/uv", "/tmp/requirements.txt"
    binds = {checkout / ".venv/bin/uv": uv, checkout / "requirements.txt": requirements}
    run_inside(root, binds, uv, "venv", "--quiet", "--python", "/usr/bin/python3", CONTROLLER)
    python = f"{CONTROLLER}/bin/python"
    run_inside(root, binds, uv, "pip", "install", "--quiet", "--python", python, "--requirement", requirements)


def _build_python(root: Path, release: Release) -> None:
    """Build a Python of one's own from the source that a later release of Debian has."""
    suite, package = _PYTHON_SOURCE
    source = f"deb-src {release.mirror} {suite} main\n"
    (root / "etc/apt/sources.list.d/source.list").write_text(source, encoding="utf-8")
    script = f"""
set -e
mkdir /tmp/source && cd /tmp/source
apt-get update -qq
apt-get source -qq --download-only {package}/{suite}
tar --extract --strip-components=1 --file {package}_*.orig.tar.*
./configure --quiet --prefix={Path(PYTHON).parents[1]} --without-static-libpython
make -s -j2
make -s install
rm -rf /tmp/source /etc/apt/sources.list.d/source.list
"""
    run("chroot", str(root), "/bin/sh", "-c", script)
