# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems of Debian and Ubuntu for tests, with packages from where this machine gets its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Files that tell the tools of this machine where packages come from, and whom to trust.
PACKAGE_FILES = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/uv", "/etc/npmrc", "/etc/ssl/certs/ca-certificates.crt")

#: Where packages of Debian come from if a machine that runs another distribution does not say.
DEBIAN = "http://deb.debian.org/debian"


def this_machine() -> tuple[str, str]:
    """Return the name of this machine's release, and where it gets its packages from; "" if that is unknown."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line
    )
    suite = release.get("VERSION_CODENAME", "").strip('"')
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    mirrors = [line.split()[0] for line in listed.splitlines() if line.split()[1:] == [suite]]
    return suite, mirrors[0] if mirrors else ""


def mirror_of_debian() -> str:
    """Return where packages of Debian come from: this machine's mirror if it runs Debian, or HUBFLEET_TEST_MIRROR."""
    named = os.environ.get("HUBFLEET_TEST_MIRROR")
    here = this_machine()[1] if "ID=debian" in Path("/etc/os-release").read_text(encoding="utf-8").split() else ""
    return named or here or DEBIAN


def bootstrap(
    root: Path, suite: str, mirror: str, packages: Iterable[str], *, components: str = "main", script: str = "sid"
) -> None:
    """Fill a directory with a release. Raises AssertionError with the end of debootstrap's output."""
    options = ["--variant=minbase", f"--components={components}", f"--include={','.join(packages)}"]
    run("debootstrap", *options, suite, str(root), mirror, script)


def run_inside(root: Path, binds: Mapping[Path, str], *command: str) -> None:
    """Run a command with the programs of a file system, but with this machine's sources of packages.

    binds: files of this machine -> where they are inside. Raises AssertionError with the end of the output.
    """
    inside = ["bwrap", "--bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    for here, there in [*binds.items(), *((Path(path), path) for path in PACKAGE_FILES)]:
        if os.path.exists(here):
            inside += ["--ro-bind", str(here), there]
    run(*inside, "--setenv", "UV_CACHE_DIR", "/tmp/cache", *command)


def run(*command: str) -> None:
    """Run a command. Raises AssertionError with the end of its output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}"
