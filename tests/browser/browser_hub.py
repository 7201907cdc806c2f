# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub in a directory of its own, deployed and removed by the playbooks."""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prebuilt import share_with

ROOT = Path(__file__).parents[2]
PORTS = 4  # the hub's own and three inner ones behind it
LONGEST_DEPLOY = 900
PYTHON = {"title": "Python", "description": "JupyterLab with plain Python"}
SCIENCE = {
    "title": "Scientific Python",
    "description": "NumPy and Matplotlib",
    "packages": ["numpy==2.2.6", "matplotlib==3.10.7"],
    "check_code": "import matplotlib; print(matplotlib.__version__)",
    "check_output": "3.10.7",
}
SIZES = {
    "small": {"title": "Small", "description": "1 GB of memory", "memory": "1G"},
    "large": {"title": "Large", "description": "4 GB of memory", "memory": "4G"},
}


class DeployedHub:
    """A hub of a fleet of its own, below ``directory``."""

    name = "classroom"
    cluster = "browsertest"
    user = "ada"
    title = "Course hub"
    announcement = "Machines are serviced on Sunday."

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        port = free_ports(PORTS)
        self.url = f"http://127.0.0.1:{port}/{self.name}/"
        self.inventory = directory / "inventory.json"
        settings: dict[str, Any] = {
            "cluster_host": "localhost",
            "cluster_state_directory": str(self.state),
            "hub_port": port,
            "hub_title": self.title,
            "hub_announcement": self.announcement,
            "hub_authenticator": "shared-password",
            "hub_allowed_users": [self.user],
            "hub_environment_catalogue": {"python": PYTHON, "science": SCIENCE},
            "hub_environments": ["python", "science"],
            "hub_size_catalogue": SIZES,
            "hub_sizes": ["small", "large"],
        }
        hosts: dict[str, Any] = {"hosts": {self.name: {}}}
        clusters = {"children": {self.cluster: {**hosts, "vars": settings}}}
        groups = {"all": {"children": {"clusters": clusters, "staging": hosts}}}
        self.inventory.write_text(json.dumps(groups, indent=2))
        share_with(self.state)

    def play(self, playbook: str, *variables: str) -> None:
        """Run a playbook of the collection on this fleet; fail with its last lines."""
        program = Path(sys.executable).with_name("ansible-playbook")
        if not program.exists():
            pytest.skip("needs ansible-core beside pytest")
        command = [program, f"hubfleet.jupyterhub.{playbook}", "--inventory", self.inventory]
        for variable in variables:
            command += ["--extra-vars", variable]
        done = subprocess.run(
            command,
            cwd=ROOT,  # where ansible.cfg names this checkout's collection
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_DEPLOY,
        )
        print(done.stdout)
        if done.returncode:
            pytest.fail(f"{playbook} failed:\n{done.stdout[-4000:]}", pytrace=False)

    def password(self) -> str:
        """The generated password of users."""
        return (self.state / "hubs" / self.name / "secrets" / "user_password").read_text().strip()

    def remove(self) -> None:
        """Remove the hub with its data; nothing of it may be left but accounts of persons."""
        self.play(
            "remove", f"remove_hubs={self.name}", "remove_data=true", "remove_export=false", "remove_end_sessions=true"
        )
        wait_until(lambda: not self.processes(), 30, f"processes of the removed hub end: {self.processes()}")
        assert not self.state.exists(), sorted(self.state.iterdir())

    def processes(self) -> list[str]:
        """Command lines of all processes that run from the state directory."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it ended
            if any(word.startswith(f"{self.state}/") for word in words):
                found.append(f"{entry.name}: {' '.join(words)}")
        return found

    def delete_accounts(self) -> None:
        """Delete the system accounts made for the hub's users, which the hub itself keeps."""
        for entry in pwd.getpwall():
            if entry.pw_dir.startswith(f"{self.state}/"):
                subprocess.run(["userdel", entry.pw_name], check=True)


def free_ports(number: int) -> int:
    """Return the first of so many neighbouring TCP ports that nothing listens on, above those of tests/system."""
    for first in range(28000 + os.getpid() % 3000, 32000, number):
        sockets = [socket.socket() for _each in range(number)]
        try:
            for offset, each in enumerate(sockets):
                each.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
    pytest.fail("no free ports")


def wait_until(predicate: Any, seconds: float, what: str) -> Any:
    """Return what the predicate gives as soon as it is true; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
