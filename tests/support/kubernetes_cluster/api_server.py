# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server with its etcd and nothing else: objects can be written and read, but nothing acts on them.

Pods stay pending, deployments make none, and namespaces have no account ``default``; one that is deleted never ends.
It needs no root and no network namespace, and starts in seconds.
"""

from __future__ import annotations

import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from prebuilt import cache

from . import configuration, credentials, programs
from .networks import Loopback

#: Seconds that the servers get to start and to end, on a busy machine.
START_TIMEOUT = 120.0
STOP_TIMEOUT = 20.0
#: What differs from the API server of a cluster with nodes.
ALONE = (
    "--bind-address=127.0.0.1",
    # no pod uses the service `kubernetes`, which cannot have a loopback address
    "--endpoint-reconciler-type=none",
    # nobody makes the accounts and tokens that it asks of pods
    "--disable-admission-plugins=ServiceAccount",
)


class ApiServerError(Exception):
    """Why a server does not start: the last line of its log."""


def missing() -> str:
    """Return why no API server can be started; "" if one can. To build the programs takes too long for a test."""
    found = programs.directory(cache() / "kubernetes").exists()
    return "" if found else "Kubernetes is not built on this machine: make kubernetes-build"


class ApiServer:
    """An API server on a port of 127.0.0.1, the same one whenever it is started again.

    As a context it starts both servers and ends them. directory: for state and logs; it is not removed.
    """

    def __init__(self, directory: Path) -> None:
        network = Loopback()
        self.directory = directory
        self.programs = programs.directory(cache() / "kubernetes")
        self.url = f"https://{network.node}:{network.ports.api}"
        self._network = network
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig file of the administrator."""
        return self.directory / "credentials" / "admin.conf"

    def process(self, name: str) -> int:
        """Return the process ID of etcd or apiserver, which was started."""
        return self._running[name].pid

    def __enter__(self) -> ApiServer:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- Start and stop ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start what does not run, with what was stored before; wait until it answers. Raises ApiServerError."""
        if not self.kubeconfig.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            credentials.write(self.kubeconfig.parent, self._network)
        commands = configuration.server_commands(self.directory, self.programs, self._network)
        for name, command in (("etcd", commands["etcd"]), ("apiserver", [*commands["apiserver"], *ALONE])):
            if name not in self._running or self._running[name].poll() is not None:
                self._running[name] = self._started(name, command)
        deadline = time.monotonic() + START_TIMEOUT
        while not self.ready():
            self._require_all()
            if time.monotonic() > deadline:
                raise ApiServerError(f"the API server is not ready after {START_TIMEOUT:.0f} seconds")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the API server, as for an upgrade: nothing listens any more, and etcd keeps what was stored."""
        self._end("apiserver")

    def restart(self) -> None:
        """Stop it, and start it with the same content at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End both servers."""
        self._end("apiserver")
        self._end("etcd")

    def ready(self) -> bool:
        """Return whether the API server answers and is ready for all requests."""
        keys = self.kubeconfig.parent
        context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        context.load_cert_chain(str(keys / "admin.crt"), str(keys / "admin.key"))
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _started(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with open(self._log(name), "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # it writes into its directory where no file is named
                cwd=self.directory,
                start_new_session=True,
            )

    def _end(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _require_all(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self._log(name).read_text(errors="replace").splitlines()
                raise ApiServerError(f"{name} has ended: {lines[-1] if lines else 'no output'}")

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"
