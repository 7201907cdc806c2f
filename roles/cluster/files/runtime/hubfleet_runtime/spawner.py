# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spawn users' servers as isolated processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import shlex
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyterhub.utils import maybe_future
from tornado import web
from tornado.escape import xhtml_escape
from traitlets import Bool, Dict, Instance, Integer, Unicode, default

from hubfleet_runtime import log_files, names, ports, processes
from hubfleet_runtime.allowed_groups import AllowedGroups
from hubfleet_runtime.isolation import (
    HubContext,
    Isolation,
    IsolationError,
    Limits,
    ServerContext,
    Unit,
    shared_directories,
    systemd,
)
from hubfleet_runtime.isolation import create as create_isolation
from hubfleet_runtime.profile_list_spawner import ProfileListSpawner

_STARTUP_FILE = Path(__file__).with_name("kernel_startup.py")
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
# one backend for all users of the hub
_isolation_backend = functools.cache(create_isolation)


def memory_limit_message(server: str, limit: int) -> str:
    """Return what users read after the memory limit of a server was reached."""
    which = f"Server {server!r}" if server else "Your server"
    return (
        f"{which} reached its memory limit of {limit / (1 << 30):.1f} GiB, and the process that used most of it, "
        "usually the kernel of a notebook, was killed. Load less data at once, shut down kernels that you do not need, "
        "or choose a larger size."
    )


class SpawnError(web.HTTPError):
    """A failed start; JupyterHub shows ``message`` on the spawn page and in its API."""

    def __init__(self, text: str, message: str) -> None:
        super().__init__(500, text)
        self.jupyterhub_message = message
        self.jupyterhub_html_message = f"<pre>{xhtml_escape(message)}</pre>"


class ServerSpawner(ProfileListSpawner):
    """A ProfileListSpawner that isolates servers and writes a log for each."""

    hub_context = Instance(HubContext, help="The hub's name and paths.").tag(config=True)
    isolation = Unicode(help="Isolation backend: system-users, systemd, bubblewrap or none.").tag(config=True)
    processes_limit = Integer(
        2048, help="Processes and threads of a server; 0 for no limit. Not enforced with isolation none."
    ).tag(config=True)
    user_packages = Bool(True, help="Whether users may add packages of their own to environments.").tag(config=True)
    server_settings = Dict(help="Settings of Jupyter Server: class -> trait -> value, in JSON types.").tag(config=True)
    process_identity = Unicode(help="Identity of the server's process, because pids are reused.")
    unit = Unicode(help="systemd unit of the server; empty if it is a child process of the hub.")
    oom_kills = Integer(0, help="Processes of the server that were killed because of its memory limit.")
    _reserved_ports: set[int] = set()  # given to servers of this hub that do not listen yet

    @default("env_keep")
    def _env_keep_default(self) -> list[str]:
        # nothing of the hub's own environment but language, time zone, certificates and proxies
        return [
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TZ",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
            "http_proxy",
            "https_proxy",
            "no_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
        ]

    @property
    def isolation_backend(self) -> Isolation:
        """Return the isolation backend of this hub."""
        return _isolation_backend(self.isolation, self.hub_context)

    @property
    def log_file(self) -> Path:
        """Return the path of this server's log."""
        return names.server_log(self.hub_context.directory, self.user.name, self.name)

    # --- Start ------------------------------------------------------------------------------------------------------

    def environment_directory(self) -> Path:
        """Return the directory of the chosen environment. Raises HTTPError 500 if it does not exist."""
        name = self.image or next(iter(self.environments), "")
        if name not in self.environments:
            raise web.HTTPError(500, f"Environment {name!r} is not built on this machine")
        # without links, so that the server keeps its software when a newer one is built
        path = Path(os.path.realpath(self.environments[name]))
        if not path.is_dir():
            raise web.HTTPError(500, f"Environment {name!r} is missing on this machine: {path}")
        self.image = name
        return path

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Add the variables that depend on the user's account and environment."""
        software, context = str(self._software), self._context
        env["PATH"] = f"{software}/bin:{env.get('PATH') or _SYSTEM_PATH}"
        env.update(
            VIRTUAL_ENV=software,
            JUPYTER_IMAGE=self.image,
            JUPYTER_IMAGE_SPEC=self.image,
            HOME=str(context.home),
            USER=context.account,
            LOGNAME=context.account,
            SHELL="/bin/bash",
            JUPYTER_RUNTIME_DIR=context.runtime_directory,
            # by this variable, the processes of a hub are found when the hub is removed
            HUBFLEET_HUB=str(self.hub_context.directory),
            # read by hubfleet_environment, which is part of every environment
            HUBFLEET_USER_PACKAGES="true" if self.user_packages else "false",
            HUBFLEET_SHARED_DIRECTORIES=json.dumps({grant.path: str(grant.source) for grant in context.shared}),
            HUBFLEET_HOME_FILES=str(self.hub_context.home_files),
        )
        if self.server_settings:
            env["HUBFLEET_SERVER_SETTINGS"] = json.dumps(self.server_settings)
        if self.isolation_backend.kills_over_memory_limit() and self.mem_limit:
            env["HUBFLEET_MEMORY_NOTICE"] = memory_limit_message(self.name, self.mem_limit)
            env.setdefault("PYTHONSTARTUP", str(_STARTUP_FILE))
        return {key: str(value) for key, value in env.items()}

    async def start(self) -> tuple[str, int]:
        """Start the server and wait until it responds; return its address.

        Raises HTTPError 500, with the server's last log lines, if it exits or does not respond.
        """
        self.port = ports.free_port(self._reserved_ports)
        self._reserved_ports.add(self.port)
        try:
            await self._start()
        except IsolationError as error:
            raise web.HTTPError(500, str(error)) from error
        finally:
            self._reserved_ports.discard(self.port)
        return self.ip or "127.0.0.1", self.port

    async def _start(self) -> None:
        self._progress_events: list[dict[str, Any]] = []
        self.oom_kills = 0
        self._report_progress(10, "Preparing home directory")
        self._software = self.environment_directory()
        backend, limits = self.isolation_backend, self.limits()
        groups = await AllowedGroups.groups_of(self.user)
        prepared = await asyncio.to_thread(backend.prepare, self.user.name, self.name)
        granted, missing = await asyncio.to_thread(shared_directories.grants, backend, groups)
        if missing:
            self.log.warning("%s: shared directories are not shown: %s", self._log_name, "; ".join(missing))
        self._context: ServerContext = replace(prepared, shared=granted)
        program = self._software / "bin" / self.cmd[0]
        server = [str(program) if program.exists() else self.cmd[0], *self.cmd[1:], *self.get_args()]
        start = self._software / "start"  # of a git repository that the environment was built from
        if start.exists():
            server.insert(0, str(start))
        command = backend.command(self._context, self._software, server, limits)
        unit = await asyncio.to_thread(backend.unit, self._context, self._software, limits)
        self._report_progress(30, f"Starting server in environment {self.image}")
        self.log.info("Starting %s: %s", self._log_name, shlex.join(command))
        if unit:
            await self._start_unit(unit, command)
        else:
            self._start_process(command, await asyncio.to_thread(backend.popen_arguments, self._context, limits))
        self.process_identity = processes.identity(self.pid)
        self._report_progress(50, "Waiting for server to respond")
        await self._wait_for_response()
        await asyncio.to_thread(backend.after_start, self._context, limits)

    def limits(self) -> Limits:
        """Return the limits of this start."""
        return Limits(
            memory=self.mem_limit or None,
            cpu=self.cpu_limit or None,
            cpu_guarantee=self.cpu_guarantee or None,
            processes=self.processes_limit or None,
        )

    def _open_log(self) -> int:
        self.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_files.rotate(self.log_file)
        log = self._log_line(f"start of {self._log_name}")
        self._log_start = os.fstat(log).st_size
        return log

    def _log_line(self, text: str) -> int:
        """Write a line into the server's log; return its descriptor."""
        log = log_files.open_log(self.log_file)
        os.write(log, f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode())
        return log

    async def _start_unit(self, unit: Unit, command: list[str]) -> None:
        os.close(self._open_log())
        self.unit, self.proc = unit.name, None
        private = self.hub_context.directory / "run"
        self.pid = await asyncio.to_thread(systemd.start, unit, command, self.get_env(), self.log_file, private)
        with contextlib.suppress(FileNotFoundError):  # it ended already
            self._context = replace(self._context, uid=os.stat(f"/proc/{self.pid}").st_uid)

    def _start_process(self, command: list[str], isolated: dict[str, Any]) -> None:
        log = self._open_log()
        try:
            arguments = {
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": subprocess.STDOUT,
                "start_new_session": True,  # not reached by signals to the hub's process group
                **isolated,
                **self.popen_kwargs,
                "env": self.get_env(),
            }
            self.proc = subprocess.Popen(command, **arguments)
        except (OSError, subprocess.SubprocessError) as error:
            raise web.HTTPError(500, f"{command[0]} cannot be run: {error}") from error
        finally:
            os.close(log)
        self.pid = self.proc.pid

    async def _wait_for_response(self) -> None:
        # JupyterHub waits for a response too, but does not notice that the process ends
        started = time.monotonic()
        deadline = started + max(1.0, self.start_timeout - 2.0)
        next_report = started + 10
        while not await asyncio.to_thread(ports.is_listening, self.port):
            status = await asyncio.to_thread(self._exit_status)
            if status is not None:
                raise self._failure(f"Server exited with exit code {status} while starting")
            if time.monotonic() > deadline:
                raise self._failure(f"Server did not respond within {self.start_timeout} seconds")
            if time.monotonic() > next_report:
                next_report += 10
                self._report_progress(60, "Still waiting for server: " + (self.last_lines(1) or [""])[0])
            # longer pauses for slow starts: many servers may start at once
            await asyncio.sleep(min(0.5, max(0.1, (time.monotonic() - started) / 20)))
        # another user may have taken the port first, and could impersonate the server
        owner = ports.listener_uid(self.port)
        if self._context.uid is not None and owner not in (None, self._context.uid):
            raise self._failure(f"Port {self.port} was taken by another account before the server; try again")

    def _exit_status(self) -> int | None:
        """Return the exit status of the server that was just started; None while it runs."""
        if self.proc is not None:
            status: int | None = self.proc.poll()
            return status
        return None if self._process_is_ours() else systemd.exit_status(self.unit)

    def last_lines(self, count: int = 20) -> list[str]:
        """Return the last log lines of the server since it was started."""
        return log_files.last_lines(self.log_file, count, start=getattr(self, "_log_start", 0))

    def _failure(self, text: str) -> SpawnError:
        lines = self.last_lines()
        message = f"{text}. Its last log lines:\n" + "\n".join(lines) if lines else f"{text}. Its log is empty."
        self.log.warning("%s: %s", self._log_name, message)
        self._report_progress(95, message)
        return SpawnError(text, message)

    def _report_progress(self, progress: int, message: str) -> None:
        self._progress_events.append({"progress": progress, "message": message})

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield progress events while the server starts."""
        sent = 0
        while self._spawn_pending:
            events = getattr(self, "_progress_events", [])
            for event in events[sent:]:
                yield event
            sent = len(events)
            await asyncio.sleep(0.2)

    # --- Poll and stop ----------------------------------------------------------------------------------------------

    def memory_limit_notice(self) -> str:
        """Return what to show the user if the memory limit was reached since the start; "" otherwise.

        New kills are written into the server's log.
        """
        kills = self.isolation_backend.oom_kills(self.user.name, self.name)
        message = memory_limit_message(self.name, self.mem_limit or 0)
        if kills > self.oom_kills:
            self.oom_kills = kills
            os.close(self._log_line(message))
            self.log.warning("%s: %s", self._log_name, message)
        return message if self.oom_kills else ""

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore the process after a restart of the hub."""
        super().load_state(state)
        self.process_identity, self.unit = state.get("process_identity", ""), state.get("unit", "")

    def get_state(self) -> dict[str, Any]:
        """Return what load_state() needs."""
        state: dict[str, Any] = super().get_state()
        if self.pid:
            state["process_identity"] = self.process_identity
            if self.unit:
                state["unit"] = self.unit
        return state

    def clear_state(self) -> None:
        """Forget the process."""
        super().clear_state()
        self.process_identity = self.unit = ""

    def _process_is_ours(self) -> bool:
        return bool(self.process_identity) and processes.identity(self.pid) == self.process_identity

    async def poll(self) -> int | None:
        """Return None while the server runs, else its exit code, or 0 if it is unknown."""
        if self.proc is None and self.pid and not self._process_is_ours():
            self.log.info("%s: process %s is not the server any more", self._log_name, self.pid)
            self.clear_state()
            return 0
        self.memory_limit_notice()
        status: int | None = await super().poll()
        return status

    async def _signal(self, sig: int) -> bool:
        if self.proc is None and not self._process_is_ours():
            return False
        alive: bool = await super()._signal(sig)
        return alive

    async def stop(self, now: bool = False) -> None:
        """Stop the server, which shuts down its kernels."""
        if not self.unit:
            await super().stop(now)
            return
        try:
            await asyncio.to_thread(systemd.stop, self.unit)
        except IsolationError as error:
            self.log.error("%s: %s", self._log_name, error)
            return
        self.clear_state()

    async def wait_for_death(self, timeout: int = 10) -> bool:
        """Return whether the server ended within so many seconds.

        JupyterHub doubles the pauses between its polls, and whoever stops a server waits for them.
        """
        deadline = time.monotonic() + timeout
        while await self.poll() is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    def _other_servers_run(self) -> bool:
        spawners = getattr(self.user, "spawners", {})
        return any(other is not self and (other.active or other.pid) for other in list(spawners.values()))

    async def run_post_stop_hook(self) -> None:
        """End what the server left behind, also if it ended by itself; then run the hook."""
        self.memory_limit_notice()  # before its control group is removed
        try:
            await asyncio.to_thread(self.isolation_backend.end_server, self.user.name, self.name)
            if not self._other_servers_run():
                await asyncio.to_thread(self.isolation_backend.end_user_processes, self.user.name)
        except IsolationError as error:
            self.log.error("%s: %s", self._log_name, error)
        hook = super().run_post_stop_hook()
        if hook is not None:
            await maybe_future(hook)

    async def delete_forever(self) -> None:
        """Remove everything of a check user; nothing of a person."""
        if not names.is_check_user(self.user.name):
            return
        for path in [self.log_file, *log_files.rotated(self.log_file)]:
            path.unlink(missing_ok=True)
        if not self._other_servers_run():
            await asyncio.to_thread(self.isolation_backend.remove, self.user.name)
