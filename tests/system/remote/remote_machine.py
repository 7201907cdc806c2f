# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another machine, as far as one can be had on this one: an sshd of the test's own, and an account without rights."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from verbs_machine import end_all, read

SSHD = "/usr/sbin/sshd"
#: OpenSSH insists on it, and only the package's unit makes it.
PRIVILEGE_SEPARATION = Path("/run/sshd")


class Machine:
    """An account ``login`` of this machine that is reached by ssh only, with a password for sudo.

    Its home is closed to others, and so are the checkout and the fleets to it.
    """

    def __init__(self) -> None:
        self.login = f"hubfleet-r{os.getpid()}"
        self.home = Path(f"/var/lib/{self.login}")
        self.password = secrets.token_hex(8)
        # The private key of who deploys, and what sshd needs.
        self.directory = Path(tempfile.mkdtemp(prefix="hubfleet-sshd-", dir="/tmp"))
        self.key = self.directory / "key"
        self.port = 0
        self.sshd: subprocess.Popen[bytes] | None = None
        self.sudoers = Path(f"/etc/sudoers.d/{self.login}")

    def start(self) -> None:
        """Make the account and start sshd."""
        command = ["useradd", "--create-home", "--home-dir", str(self.home), "--shell", "/bin/bash", self.login]
        subprocess.run(command, check=True)
        subprocess.run(["chpasswd"], input=f"{self.login}:{self.password}", text=True, check=True)
        self.home.chmod(0o700)
        for name in ("key", "host"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / name)]
            subprocess.run(command, check=True)
        allowed = self.home / ".ssh" / "authorized_keys"
        allowed.parent.mkdir(mode=0o700)
        shutil.copy(self.directory / "key.pub", allowed)
        entry = pwd.getpwnam(self.login)
        for path in (allowed, allowed.parent):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        self._start_sshd()

    def _start_sshd(self) -> None:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = self.directory / "sshd_config"
        config.write_text(
            f"""\
ListenAddress 127.0.0.1
Port {self.port}
HostKey {self.directory}/host
PidFile none
StrictModes yes
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers {self.login}
Subsystem sftp internal-sftp
MaxStartups 100
MaxSessions 100
""",
            encoding="utf-8",
        )
        log = self.directory / "sshd.log"
        self.sshd = subprocess.Popen([SSHD, "-D", "-f", str(config), "-E", str(log)])
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            assert self.sshd.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        scanned = (self.directory / "host.pub").read_text(encoding="utf-8").split()[:2]
        (self.directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {' '.join(scanned)}\n", encoding="utf-8")

    def allow_sudo(self) -> None:
        """Let the account become root with its password."""
        self.sudoers.write_text(f"{self.login} ALL=(ALL) ALL\n", encoding="utf-8")
        self.sudoers.chmod(0o440)

    def variables(self) -> dict[str, Any]:
        """What an inventory says of it; the address is one that Ansible does not take for this machine."""
        common = f"-o UserKnownHostsFile={self.directory}/known_hosts -o StrictHostKeyChecking=yes"
        return {
            "cluster_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": self.login,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"{common} -o ControlPath={self.directory}/%C",
        }

    def end(self) -> None:
        """Remove everything."""
        self.sudoers.unlink(missing_ok=True)
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait(20)
        end_all(self._processes)
        subprocess.run(["userdel", "--remove", self.login], check=False, capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _processes(self) -> dict[int, str]:
        """What the account runs, and connections to it that ssh keeps open for a while."""
        uid, found = pwd.getpwnam(self.login).pw_uid, {}
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            command = read(f"/proc/{pid}/cmdline")
            try:
                owner = os.stat(f"/proc/{pid}").st_uid
            except FileNotFoundError:
                continue
            if command and (owner == uid or f"{self.directory}/".encode() in command):
                found[pid] = command.replace(b"\0", b" ").decode(errors="replace")
        return found
