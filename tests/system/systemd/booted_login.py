# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a booted machine that cannot run Ansible itself is deployed from here: by ssh, as any of its accounts."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any


class Login:
    """The machine's own sshd, on a port of 127.0.0.1, which takes one key."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def prepare(self, root: Path, variables: dict[str, str]) -> None:
        """Set up sshd on a file system that is not booted yet; variables: what all who log in have."""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / "key")],
            check=True,
        )
        key = (self.directory / "key.pub").read_text(encoding="utf-8")
        (root / "etc/ssh/allowed_keys").write_text(key, encoding="utf-8")
        settings = f"""\
ListenAddress 127.0.0.1
Port {self.port}
AuthorizedKeysFile /etc/ssh/allowed_keys
PasswordAuthentication no
MaxStartups 100
MaxSessions 100
"""
        (root / "etc/ssh/sshd_config.d/test.conf").write_text(settings, encoding="utf-8")
        lines = "".join(f'{name}="{value}"\n' for name, value in variables.items())
        (root / "etc/environment").write_text(lines, encoding="utf-8")
        host = " ".join((root / "etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="utf-8").split()[:2])
        known = f"[127.0.0.1]:{self.port} {host}\n"
        (self.directory / "known_hosts").write_text(known, encoding="utf-8")

    def variables(self, account: str) -> dict[str, Any]:
        """What an inventory says of it."""
        common = f"-o UserKnownHostsFile={self.directory}/known_hosts -o StrictHostKeyChecking=yes"
        return {
            "cluster_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": account,
            "ansible_ssh_private_key_file": str(self.directory / "key"),
            "ansible_ssh_common_args": f"{common} -o ControlPath={self.directory}/%C",
        }
