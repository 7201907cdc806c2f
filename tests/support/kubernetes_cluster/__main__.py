# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build, start and stop test clusters on the command line; see CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from prebuilt import cache, prebuilt

from . import base_image, images, programs
from .cluster import Cluster, ClusterError
from .networks import Network

#: What a cluster needs from the distribution: program -> package of Debian.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "ipset": "ipset",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "debootstrap": "debootstrap",
    "bwrap": "bubblewrap",
    "gcc": "gcc",
    "go": "golang",
}


def cluster(number: int = 0) -> Cluster:
    """Return the cluster with a number, from 0 to 49; build what it needs, unless that was done already.

    Raises ClusterError if this machine cannot run clusters.
    """
    problem = missing_for_clusters()
    if problem:
        raise ClusterError(problem)
    built = cache() / "kubernetes"
    built_images = images.build(built, prebuilt()["proxy"], Path(sys.executable).with_name("uv"))
    return Cluster(Network(number), built / "clusters" / str(number), programs.build(built), built_images)


def missing_for_clusters() -> str:
    """Return why this machine cannot run clusters; "" if it can."""
    if os.geteuid() != 0:
        return "only root can start a cluster; set HUBFLEET_TEST_KUBECONFIG to use one that runs"
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if not Path("/usr/lib/cni/bridge").exists():
        missing.append("containernetworking-plugins")
    if missing:
        return f"system packages are missing (names of Debian): {' '.join(missing)}"
    return missing_for_programs()


def missing_for_programs() -> str:
    """Return why this machine cannot build programs; "" if it can."""
    if shutil.which("go") is None:
        return "Go is missing"
    version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip()
    # newer ones get the version that go.mod names
    found = re.fullmatch(r"go1\.(\d+).*", version)
    return "" if found and int(found[1]) >= 21 else f"Go 1.21 or newer is needed, not {version or 'an older one'}"


def build() -> None:
    """Build what this machine can run: everything, or the programs alone, or nothing; say what will be skipped.

    Ordinary users can run an API server without nodes.
    """
    problem = missing_for_programs()
    if not problem:
        programs.build(cache() / "kubernetes")
        problem = missing_for_clusters()
    if problem:
        print(f"Tests on a cluster will be skipped: {problem}")
    else:
        cluster()
        base_image.build(cache() / "kubernetes")


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/kubernetes-cluster", description=__doc__)
    parser.add_argument("action", choices=("build", "up", "down"))
    parser.add_argument("--number", type=int, choices=range(50), default=0, help="start or stop another cluster")
    parser.add_argument("--keep", action="store_true", help="keep the state, for the next start")
    arguments = parser.parse_args()
    given = os.environ.get("HUBFLEET_TEST_KUBECONFIG")
    if given:
        print(f"# HUBFLEET_TEST_KUBECONFIG is set: tests use that cluster\nexport KUBECONFIG={given}")
        return 0
    try:
        if arguments.action == "build":
            build()
            return 0
        chosen = cluster(arguments.number)
        if arguments.action == "down":
            chosen.stop(keep_state=arguments.keep)
            return 0
        chosen.start()
    except (ClusterError, AssertionError) as error:
        print(f"kubernetes-cluster: {error}", file=sys.stderr)
        return 1
    print(f"export KUBECONFIG={chosen.kubeconfig}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
