# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools and environments of hubs, built once per machine by the collection's own builder and shared by all tests.

Every directory is named by a digest of what it is made from, so the cache is never out of date; processes that build at
the same time wait for each other, since the builder locks. HUBFLEET_TEST_CACHE names another place for the cache.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import Builder
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired import environments
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import (
    Machine,
    Setup,
    resolve,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import claim
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets

#: Version of JupyterHub that hubs of tests have unless they name one; the collection has locks of several.
JUPYTERHUB = os.environ.get("HUBFLEET_TEST_JUPYTERHUB", "5.5")
FOLDERS = ("tools", "environments")


def cache() -> Path:
    """Return the directory that tests keep what they build in; as root it is one that all accounts can read."""
    if named := os.environ.get("HUBFLEET_TEST_CACHE"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/cache/hubfleet-tests")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubfleet-tests"


@functools.cache
def prebuilt(jupyterhub: str = JUPYTERHUB) -> dict[str, Path]:
    """Build what is not in the cache yet; return name -> directory of each tool and of the environment ``python``."""
    setup = cluster_setup()
    python = Environment(name="python", title="Python")
    builds = [*environments.tools(jupyterhub, setup, assets())]
    builds.append(environments.user_environment(python, jupyterhub, setup, assets()))
    mask = os.umask(0o022)
    try:
        return {build.name: _built(build, setup) for build in builds}
    finally:
        os.umask(mask)


def cluster_setup() -> Setup:
    """Return how hubs of tests are set up; with supervisord, so that its environment is built as well."""
    root = os.geteuid() == 0
    options = {
        "cluster_state_directory": str(cache() / "built"),
        "cluster_supervisor": "supervisord",
        "cluster_isolation": "system-users" if root else "bubblewrap",
        "cluster_python": None,
        "cluster_proxy_version": "5.3",
        "cluster_reverse_proxy": "none",
    }
    return resolve("prebuilt", options, Machine.read())


def _built(build: environments.Build, setup: Setup) -> Path:
    npm = [str(Path(setup.node).with_name("npm"))] if setup.node else _own_npm(setup)
    builder = Builder(build, setup.layout, Tools(find_uv(), npm))
    builder.run()
    return Path(builder.target)


def _own_npm(setup: Setup) -> list[str]:
    node = Path(setup.layout.root, "tools", environments.node_environment(setup, assets()).directory)
    return [str(node / "bin" / "node"), str(node / environments.NPM)]


def find_uv() -> str:
    """Return the program uv: the one beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "needs uv: scripts/setup"
    return found


def share_with(state: Path) -> None:
    """Put the tools and environments of the cache into the state directory of a fleet that is not deployed yet.

    Files are hard links where both are in one file system, copies where they are not. A deploy finds them complete.
    """
    for source in prebuilt().values():
        target = state / source.parent.name / source.name
        if not target.exists():
            target.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            copy_build(source, target)
    state.chmod(0o711 if os.geteuid() == 0 else 0o700)
    claim(Layout(str(state)))


def copy_build(source: Path, target: Path) -> None:
    """Copy a tool or an environment; files are hard links if possible."""
    same = source.stat().st_dev == target.parent.stat().st_dev
    subprocess.run(["cp", "--archive", *(["--link"] if same else []), str(source), str(target)], check=True)
    # Own, since tests compare it, and another fleet's link to the same file would change it.
    marker = target / ".complete"
    marker.unlink()
    shutil.copy2(source / marker.name, marker)
    # Programs of a virtual environment name their interpreter, and shells' scripts their directory, by the full path.
    for program in (target / "bin").glob("*"):
        if program.is_symlink():
            continue
        content = program.read_bytes()
        if str(source).encode() in content:
            mode = program.stat().st_mode
            program.unlink()
            program.write_bytes(content.replace(str(source).encode(), str(target).encode()))
            program.chmod(mode)
