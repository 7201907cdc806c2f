# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisord, for machines without systemd.

Services write their logs themselves (a pipe to a dead supervisord makes node spin), locks prevent a second copy of a
service, and processes that outlived a killed supervisord are killed before their successors start.
Source: http://supervisord.org/api.html and /configuration.html.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import time
import xmlrpc.client
from typing import Any

from ....common import files
from ..desired.services import Service
from .base import Supervisor, SupervisorError

PATIENCE = 30.0
_FAULT_BAD_NAME, _FAULT_NOT_RUNNING, _FAULT_ALREADY_ADDED = 10, 70, 90
_PRIORITY = {"proxy": 100, "hub": 200, "culler": 300, "reverse-proxy": 400}


class Supervisord(Supervisor):
    """One supervisord per cluster, in ``directory``; its socket is in ``runtime_directory``."""

    def __init__(self, directory: str, runtime_directory: str, programs: str):
        """programs: the bin directory of the environment with supervisord."""
        self.directory = directory
        self.programs = programs
        self.runtime_directory = runtime_directory
        # Paths of sockets are limited to 107 characters, which a state directory may exceed.
        name = hashlib.sha256(directory.encode()).hexdigest()[:12]
        self.socket = os.path.join(runtime_directory, f"supervisor-{name}.sock")

    def prepare(self) -> bool:
        files.directory(self.directory, 0o700)
        files.directory(os.path.join(self.directory, "services"), 0o700)
        files.directory(self.runtime_directory, 0o711 if os.geteuid() == 0 else 0o700)
        # Keeps another cluster of this account that is shutting down from removing the directory as empty.
        files.write(self._claim, b"")
        files.write(self._path("supervisord.conf"), self._configuration().encode())
        if self.alive():
            return False
        command = [
            os.path.join(self.programs, "supervisord"),
            "--configuration",
            self._path("supervisord.conf"),
        ]
        subprocess.run(
            command,
            check=True,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_default_signals,
        )
        deadline = time.monotonic() + PATIENCE
        while not self.alive():
            if time.monotonic() > deadline:
                raise SupervisorError(f"supervisord did not start; see {self._path('supervisord.log')}")
            time.sleep(0.05)
        return True

    def alive(self) -> bool:
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, http.client.HTTPException):
            return False

    def shut_down(self) -> bool:
        """Stop supervisord and all services; return whether it ran."""
        ran = self.alive()
        if ran:
            self._call("shutdown")
            deadline = time.monotonic() + PATIENCE
            while os.path.exists(self.socket) and time.monotonic() < deadline:
                time.sleep(0.05)
        if os.path.exists(self._claim):
            os.unlink(self._claim)
        try:
            os.rmdir(self.runtime_directory)
        except OSError:
            pass  # other clusters of this account use it, or it does not exist
        return ran

    def is_installed(self, service: Service) -> bool:
        return not files.differs(self._definition(service), _program(service).encode())

    def is_defined(self, service: Service) -> bool:
        return os.path.exists(self._definition(service))

    def install(self, service: Service) -> None:
        files.write(self._definition(service), _program(service).encode())

    def start(self, service: Service) -> None:
        # Adding a group reads its definition again, and starts it.
        self._call("reloadConfig")
        self._call_for_group("removeProcessGroup", _FAULT_BAD_NAME, service.name)
        self._call_for_group("addProcessGroup", _FAULT_ALREADY_ADDED, service.name)

    def stop(self, service: Service) -> None:
        if self.alive():
            try:
                self._call("stopProcess", service.name, True)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode not in (_FAULT_BAD_NAME, _FAULT_NOT_RUNNING):
                    raise
            self._call_for_group("removeProcessGroup", _FAULT_BAD_NAME, service.name)

    def forget(self, service: Service) -> None:
        if self.is_defined(service):
            os.unlink(self._definition(service))
            if self.alive():
                self._call("reloadConfig")

    def pid(self, service: Service) -> int:
        try:
            return int(self._call("getProcessInfo", service.name)["pid"])
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault):
            return 0

    def services(self) -> list[str]:
        """Return the names of all services that are defined."""
        folder = os.path.join(self.directory, "services")
        return (
            sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".conf")) if os.path.isdir(folder) else []
        )

    @property
    def _claim(self) -> str:
        return f"{self.socket}.claim"

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def _definition(self, service: Service) -> str:
        return os.path.join(self.directory, "services", f"{service.name}.conf")

    def _configuration(self) -> str:
        return f"""\
[unix_http_server]
file={self.socket}
chmod=0700
[supervisord]
logfile={self._path("supervisord.log")}
logfile_maxbytes=5MB
logfile_backups=2
pidfile={self._path("supervisord.pid")}
childlogdir={self.directory}
umask=077
minfds=1024
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{self.socket}
[include]
files={self._path("services")}/*.conf
"""

    def _call(self, method: str, *arguments: Any) -> Any:
        with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_UnixTransport(self.socket)) as server:
            return getattr(server.supervisor, method)(*arguments)

    def _call_for_group(self, method: str, fault_code: int, name: str) -> None:
        """Call a method for a group; ignore the fault that says that there is nothing to do."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._call(method, name)
                return
            except xmlrpc.client.Fault as fault:
                if fault.faultCode == fault_code:
                    return
                # STILL_RUNNING: the group's process has ended, but is not reaped yet.
                if fault.faultCode != 91 or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket, as in supervisorctl."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        return connection


def _program(service: Service) -> str:
    """Return the definition of a service; percent signs are doubled, since supervisord expands them."""
    command = shlex.join(service.command).replace("%", "%%")
    return f"""\
[program:{service.name}]
command={command}
directory={service.directory}
priority={_PRIORITY[service.role]}
autostart=true
autorestart=true
startsecs=5
startretries=20
stopsignal=TERM
stopwaitsecs=30
stopasgroup=false
killasgroup=false
redirect_stderr=true
stdout_logfile=NONE
umask=077
"""


def _environment() -> dict[str, str]:
    """Return the environment of services, independent of the shell that deploys."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **kept}


def _default_signals() -> None:
    """Reset ignored signals: a shell without job control starts commands with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
