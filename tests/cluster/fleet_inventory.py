# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of clusters and hubs in a directory, on which playbooks run as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
#: Of the service in CLUSTER of cluster_hub.py, whose variable looks it up in the environment of playbooks.
TOKEN = "8c6a1f0e4d2b4f7fa1c3d5e7f9081726"
STAGING, PRODUCTION = "staging", "production"


@dataclass
class FleetInventory:
    """Clusters and hubs with their variables, which may be changed between playbooks.

    directory: is made; the inventory is written into its folder ``inventory``. environment: of playbooks. clusters:
    variables of each. hubs: variables of each; one that is None is left out.
    """

    directory: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    hubs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _places: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, hub: str, cluster: str, tier: str, variables: dict[str, Any]) -> None:
        """Add a hub, or move one to another cluster or tier; its variables are kept by reference."""
        self.clusters.setdefault(cluster, {})
        self.hubs[hub] = variables
        self._places[hub] = (cluster, tier)

    def cluster_of(self, hub: str) -> str:
        """Return the name of a hub's cluster."""
        return self._places[hub][0]

    def drop(self, hub: str) -> None:
        """Take a hub out of the inventory; what runs of it goes on."""
        del self.hubs[hub], self._places[hub]
        (self.path / "host_vars" / f"{hub}.yml").unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        """Return the directory of the inventory."""
        return self.directory / "inventory"

    def write(self) -> None:
        """Write the inventory."""
        children: dict[str, Any] = {"clusters": {"children": {}}}
        for index, names in ((0, self.clusters), (1, (STAGING, PRODUCTION))):
            above = children["clusters"]["children"] if index == 0 else children
            for name in names:
                above[name] = {"hosts": {hub: None for hub, place in self._places.items() if place[index] == name}}
        self._dump("hosts.yml", {"all": {"children": children}})
        for folder, variables in (("group_vars", self.clusters), ("host_vars", self.hubs)):
            for name, given in variables.items():
                self._dump(f"{folder}/{name}.yml", {key: value for key, value in given.items() if value is not None})

    def playbook(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Write the inventory and run a playbook on it, standing in its directory."""
        self.write()
        return subprocess.run(
            self._command(name, arguments),
            cwd=self.path,
            env=self.playbook_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Write the inventory and start a playbook in a process group of its own, with all output in one pipe."""
        self.write()
        return subprocess.Popen(
            self._command(name, arguments),
            cwd=self.path,
            env=self.playbook_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _command(self, name: str, arguments: tuple[str, ...]) -> list[str]:
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return [program, "-i", ".", str(PROJECT / "playbooks" / f"{name}.yml"), *arguments]

    def playbook_environment(self) -> dict[str, str]:
        """Return the environment of playbooks, on top of that of the programs that they start."""
        return {
            **self.environment,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.directory / "ansible"),
            "HUBFLEET_TEST_TOKEN": TOKEN,
        }

    def _dump(self, name: str, content: dict[str, Any]) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
