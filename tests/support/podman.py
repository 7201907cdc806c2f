# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings with which podman works on machines of every kind."""

from __future__ import annotations

import subprocess
from pathlib import Path

# crun refuses the hybrid control groups of some machines; podman's own limits may be above what this one allows
SETTINGS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


class Podman:
    """A podman with images of its own, which uses the network of this machine.

    directory: for its images. registry: host and port of one without TLS. environment: variables for its command.
    """

    def __init__(self, directory: Path, registry: str) -> None:
        texts = {
            "CONTAINERS_CONF": SETTINGS.replace("[containers]", '[containers]\nnetns = "host"'),
            "CONTAINERS_STORAGE_CONF": (
                f'[storage]\ndriver = "overlay"\ngraphroot = "{directory}/images"\nrunroot = "{directory}/run"\n'
            ),
            "CONTAINERS_REGISTRIES_CONF": f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n',
        }
        self.environment = {}
        for variable, text in texts.items():
            path = directory / f"{variable.lower()}.conf"
            path.write_text(text, encoding="utf-8")
            self.environment[variable] = str(path)

    def run(self, *arguments: str) -> str:
        """Run podman; return what it prints."""
        command = ["env", *(f"{name}={value}" for name, value in self.environment.items()), "podman", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def end(self) -> None:
        """Remove everything."""
        self.run("system", "reset", "--force")
