# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other versions of JupyterHub, its proxy and Python under users who work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Deployed
from verbs_fleet import Fleet
from verbs_hub import Browser, Hub, Kernel
from verbs_machine import processes_of, read, start_time

#: Fails whoever starts a server, with the newer JupyterHub only.
FAILS = """
import jupyterhub
def fail(spawner):
    raise RuntimeError("not with this version")
if jupyterhub.version_info[0] > 5:
    c.Spawner.pre_spawn_hook = fail
"""
VERSION = "import jupyterhub; print(jupyterhub.__version__)"


@pytest.fixture(scope="module")
def kernel(deployed: Deployed) -> Iterator[Kernel]:
    """A kernel of ada on the trial hub, with a variable set."""
    hub = deployed.fleet.hub("trial")
    hub.start_server("ada")
    yield hub.kernel("ada").mark()
    hub.stop_server("ada")


def schema(hub: Hub) -> str:
    """The revision of the hub's database, which must be sound."""
    with closing(sqlite3.connect(f"file:{hub.directory}/jupyterhub.sqlite?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def is_logged_in(browser: Browser, hub: Hub) -> bool:
    """Whether the hub still takes the browser's cookies."""
    return browser.open(f"{hub.url}hub/home").startswith(f"{hub.url}hub/home")


@pytest.mark.slow
def test_a_failing_upgrade_is_undone_with_its_database(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    token, before = hub.token("ben"), schema(hub)
    with fleet.changed("trial", hub_jupyterhub_version="6.1", hub_jupyterhub_config=FAILS):
        result = fleet.run("deploy", "--limit", "trial")
    assert result.code, result.output
    assert result.planned()["trial"].startswith("update: JupyterHub 5.5.4 → 6.1.1, "), result.output
    assert result.outcomes()["trial"].startswith("rolled back "), result.output
    assert hub.version() == "5.5.4" and schema(hub) == before
    assert kernel.survives() and hub.knows(token)


@pytest.mark.slow
def test_upgrade_and_back(fleet: Fleet, kernel: Kernel) -> None:
    hub, campus = fleet.hub("trial"), fleet.hub("campus")
    others, proxy, before = campus.pids, hub.pid("proxy"), schema(hub)
    browser, token = Browser(), hub.token("ben")
    browser.log_in(hub, "ben", hub.secret("user_password"))
    with fleet.changed("trial", hub_jupyterhub_version="6.1"):
        planned = fleet.succeed("plan").planned()
        assert list(planned) == ["trial"] and planned["trial"].startswith("update: JupyterHub 5.5.4 → 6.1.1, ")
        result = fleet.succeed("deploy")
        assert result.outcomes()["trial"] == "deployed"
        # Two versions on one machine; who works notices nothing, not even of the proxy.
        assert (hub.version(), campus.version()) == ("6.1.1", "5.5.4") and schema(hub) != before
        assert hub.pid("proxy") == proxy and campus.pids == others
        assert kernel.survives() and kernel.run(VERSION).strip() == "5.5.4"
        assert is_logged_in(browser, hub) and hub.knows(token)
        hub.start_server("ben")
        assert hub.kernel("ben").run(VERSION).strip() == "6.1.1"
        later, server = hub.token("ben"), servers_of(hub, "ben")
        assert "nothing to change" in fleet.succeed("plan").output
    refused = fleet.run("deploy")
    assert refused.code and "hub_jupyterhub_version: '5.5' cannot read the hub's database" in refused.output
    fleet.succeed("rollback", "--limit", "trial")
    assert hub.version() == "5.5.4" and schema(hub) == before
    assert kernel.survives() and is_logged_in(browser, hub) and hub.knows(token)
    # The database of then knows nothing of what came later: that server cannot be reached, so it does not stay.
    assert not hub.knows(later)
    assert server and not any(start_time(pid) for pid in server)
    hub.start_server("ben")
    assert hub.kernel("ben").run(VERSION).strip() == "5.5.4"
    hub.stop_server("ben")


def servers_of(hub: Hub, user: str) -> list[int]:
    """The processes of a user's server."""
    mark = f"JUPYTERHUB_USER={user}\0".encode()
    return [pid for pid in processes_of(hub.directory) if mark in read(f"/proc/{pid}/environ")]


@pytest.fixture(scope="module")
def other_python(deployed: Deployed) -> str:
    """Another Python than that of the machine, which every account may run: a copy of the tests' own."""
    system = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout
    if system.split()[1] == sys.version.split()[0] or os.geteuid() != 0:
        pytest.skip("the tests run on the machine's own Python; there is no other to change to")
    copy = deployed.fleet.directory / "python"
    unneeded = shutil.ignore_patterns("test", "__pycache__", "site-packages", "*.a")
    for part in ("bin", "lib", "include"):
        shutil.copytree(Path(sys.base_prefix, part), copy / part, symlinks=True, ignore=unneeded)
    program = copy / "bin" / "python{}.{}".format(*sys.version_info[:2])
    # Where Python is a library of its own, the program names the place of the original, which others may not read.
    place, own = f"{sys.base_prefix}/lib\0".encode(), b"$ORIGIN/../lib\0"
    program.write_bytes(program.read_bytes().replace(place, own.ljust(len(place), b"\0")))
    return str(program)


@pytest.mark.slow
def test_another_proxy(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    with fleet.changed(cluster_proxy_version="5.2"):
        planned = fleet.succeed("deploy").planned()
        assert set(planned) == {"trial", "campus"}
        assert all(reasons.startswith("update: proxy 5.3.0 → 5.2.0, ") for reasons in planned.values())
        assert proxy_version(hub) == "5.2.0"
        assert kernel.survives()


def proxy_version(hub: Hub) -> str:
    """The version of the proxy that runs."""
    words = processes_of(hub.directory.parents[1])[hub.pid("proxy")].split()
    program = next(word for word in words if word.endswith("/configurable-http-proxy"))
    command = [os.readlink(f"/proc/{hub.pid('proxy')}/exe"), program, "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_another_python(fleet: Fleet, kernel: Kernel, other_python: str) -> None:
    hub = fleet.hub("trial")
    code = "import sys; print(sys.version.split()[0])"
    before = kernel.run(code)
    with fleet.changed(cluster_python=other_python):
        result = fleet.succeed("deploy", "--limit", "trial")
        assert f"Python {os.path.realpath('/usr/bin/python3')} → {other_python}" in result.planned()["trial"]
        assert os.readlink(f"/proc/{hub.pid('hub')}/exe") == other_python
        assert kernel.survives() and kernel.run(code) == before
        hub.start_server("ben")
        assert hub.kernel("ben").run(code).strip() == sys.version.split()[0] != before.strip()
        hub.stop_server("ben")
