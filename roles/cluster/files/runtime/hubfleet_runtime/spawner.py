# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts users' servers as processes of this machine, chosen from KubeSpawner's profile list."""

from __future__ import annotations

import asyncio
import contextlib
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
from traitlets import Integer, Unicode, default

from hubfleet_runtime import names, processes, rotation, routes
from hubfleet_runtime.choosing import ProfileListSpawner
from hubfleet_runtime.isolation import Isolation, IsolationError, Limits, Place, Unit, Where, create, units

_LOG_LINES = 20
_STARTUP = Path(__file__).with_name("notebook_startup.py")
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def memory_notice(server: str, limit: int) -> str:
    """What a user is told when the memory limit of a server ended one of its processes."""
    which = f"Server {server!r}" if server else "Your server"
    return (
        f"{which} reached its memory limit of {limit / (1 << 30):.1f} GiB, and the process that used most, usually "
        "the kernel of a notebook, was ended. Use less data at once, shut down kernels that you do not need, or "
        "choose a larger size."
    )


class StartError(web.HTTPError):
    """A server that did not start; JupyterHub shows the message to the user and its API."""

    def __init__(self, text: str, message: str) -> None:
        super().__init__(500, text)
        self.jupyterhub_message = message
        self.jupyterhub_html_message = f"<pre>{xhtml_escape(message)}</pre>"


class ServerSpawner(ProfileListSpawner):
    """A ProfileListSpawner with isolated users, a log per server, and pids that are never mistaken."""

    directory = Unicode(help="The hub's directory.").tag(config=True)
    hub_name = Unicode(help="The hub's name in the fleet.").tag(config=True)
    isolation = Unicode(help="How users are kept apart: system-users, systemd, bubblewrap or none.").tag(config=True)
    homes = Unicode(help="Folder of the users' homes.").tag(config=True)
    runtime_directory = Unicode(help="Folder of private runtime directories; its path must be short.").tag(config=True)
    processes_limit = Integer(
        2048, help="Processes and threads of a server; 0 is no limit. Not enforced without isolation."
    ).tag(config=True)
    slice = Unicode(help="Slice of systemd for servers that it runs; empty when the hub runs them.").tag(config=True)
    born = Unicode(help="Identity of the server's process: a pid alone is reused.")
    memory_kills = Integer(0, help="How many of the server's processes its memory limit ended, as far as told.")
    memory_notice = Unicode(help="What the user was told about the last of them.")
    unit = Unicode(help="Unit of systemd that the server runs in; empty when it is a process of the hub.")
    _isolations: dict[tuple[str, ...], Isolation] = {}
    _promised: set[int] = set()  # ports that servers of this hub were told and do not listen on yet

    @default("env_keep")
    def _env_keep_default(self) -> list[str]:
        # nothing of the hub's own environment but language, time zone and certificates
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
    def apart(self) -> Isolation:
        """The isolation of this hub; one object for all its users."""
        key = (self.isolation, self.directory, self.hub_name, self.homes, self.runtime_directory, self.slice)
        if key not in self._isolations:
            where = Where(
                Path(self.directory), self.hub_name, Path(self.homes), Path(self.runtime_directory), self.slice
            )
            self._isolations[key] = create(self.isolation, where)
        return self._isolations[key]

    @property
    def log_file(self) -> Path:
        """Where this server's output goes."""
        return names.server_log(Path(self.directory), self.user.name, self.name)

    # --- starting -------------------------------------------------------------------------------

    def environment_directory(self) -> Path:
        """The directory of the chosen environment; HTTP 500 when it is not there."""
        name = self.image or next(iter(self.environments), "")
        if name not in self.environments:
            raise web.HTTPError(500, f"Environment {name!r} is not built on this machine")
        # the real one, so that a server keeps its software when a newer one is built
        path = Path(os.path.realpath(self.environments[name]))
        if not path.is_dir():
            raise web.HTTPError(500, f"Environment {name!r} is missing on this machine: {path}")
        self.image = name
        return path

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Adds what depends on the user's place and environment."""
        software, place = str(self._software), self._place
        env["PATH"] = f"{software}/bin:{env.get('PATH') or _SYSTEM_PATH}"
        env.update(
            place.environment,
            VIRTUAL_ENV=software,
            JUPYTER_IMAGE=self.image,
            JUPYTER_IMAGE_SPEC=self.image,
            HOME=str(place.home),
            USER=place.account,
            LOGNAME=place.account,
            SHELL="/bin/bash",
            # short: the paths of the kernels' sockets have at most 107 characters
            JUPYTER_RUNTIME_DIR=place.runtime_directory,
            # by this, what is left of a hub's servers is found when the hub is removed
            HUBFLEET_HUB=str(self.directory),
        )
        if self.apart.ends_over_memory() and self.mem_limit:
            env["HUBFLEET_MEMORY_NOTICE"] = memory_notice(self.name, self.mem_limit)
            env.setdefault("PYTHONSTARTUP", str(_STARTUP))
        return {key: str(value) for key, value in env.items()}

    async def start(self) -> tuple[str, int]:
        """Starts the server and waits until it answers.

        Gives its address. HTTP 500 with the server's last log lines when it ends or stays silent.
        """
        # not one that another server was told a moment ago and does not listen on yet
        self.port = processes.free_port(self._promised)
        self._promised.add(self.port)
        try:
            return await self._start()
        finally:
            self._promised.discard(self.port)

    async def _start(self) -> tuple[str, int]:
        self._said: list[dict[str, Any]] = []
        self.memory_kills, self.memory_notice = 0, ""
        self._say(10, "Preparing your home directory")
        self._software = self.environment_directory()
        try:
            self._place: Place = await asyncio.to_thread(self.apart.prepare, self.user.name, self.name)
            command = self._command()
            unit = await asyncio.to_thread(self.apart.unit, self._place, self._software, self.limits())
            isolated = {} if unit else await asyncio.to_thread(self.apart.popen, self._place, self.limits())
        except IsolationError as error:
            raise web.HTTPError(500, str(error)) from error
        self._say(30, f"Starting {self.image}")
        self.log.info("Starting %s: %s", self._log_name, shlex.join(command))
        if unit:
            await self._run_unit(unit, command)
        else:
            self._run(command, isolated)
        self.born = processes.identity(self.pid)
        self._say(50, "Waiting for your server to answer")
        await self._wait_until_it_answers()
        try:
            await asyncio.to_thread(self.apart.answered, self._place, self.limits())
        except IsolationError as error:
            raise web.HTTPError(500, str(error)) from error
        return self.ip or "127.0.0.1", self.port

    def _command(self) -> list[str]:
        """The command line of the server, isolated."""
        program = self._software / "bin" / self.cmd[0]
        server = [str(program) if program.exists() else self.cmd[0], *self.cmd[1:], *self.get_args()]
        return self.apart.command(self._place, self._software, server, self.limits())

    def limits(self) -> Limits:
        """What this start of the server may use."""
        return Limits(
            memory=self.mem_limit or None,
            cpu=self.cpu_limit or None,
            cpu_guarantee=self.cpu_guarantee or None,
            processes=self.processes_limit or None,
        )

    def _begin_log(self) -> int:
        self.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        rotation.rotate(self.log_file)
        log = processes.open_log(self.log_file)
        os.write(log, f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} start of {self._log_name}\n".encode())
        self._log_start = os.fstat(log).st_size
        return log

    async def _run_unit(self, unit: Unit, command: list[str]) -> None:
        os.close(self._begin_log())
        self.unit, self.proc = unit.name, None
        private = Path(self.directory) / "run"
        try:
            self.pid = await asyncio.to_thread(units.start, unit, command, self.get_env(), self.log_file, private)
        except IsolationError as error:
            raise web.HTTPError(500, str(error)) from error
        with contextlib.suppress(FileNotFoundError):  # it ended already
            self._place = replace(self._place, uid=os.stat(f"/proc/{self.pid}").st_uid)

    def _run(self, command: list[str], isolated: dict[str, Any]) -> None:
        log = self._begin_log()
        try:
            arguments = {
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": subprocess.STDOUT,
                "start_new_session": True,  # signals to the hub are not for it
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

    async def _wait_until_it_answers(self) -> None:
        # JupyterHub waits for an answer too, but does not notice when the process ends
        begun = time.monotonic()
        deadline = begun + max(1.0, self.start_timeout - 2.0)
        next_word = begun + 10
        while not await asyncio.to_thread(routes.answers, self.port):
            status = await asyncio.to_thread(self._exit_status)
            if status is not None:
                raise self._failure(f"Your server ended with exit code {status} while it started")
            if time.monotonic() > deadline:
                raise self._failure(f"Your server did not answer within {self.start_timeout} seconds")
            if time.monotonic() > next_word:
                next_word += 10
                self._say(60, "Still waiting: " + (self.last_lines(1) or [""])[0])
            # seldom where it takes long: fifty servers that start at once are asked about by the same hub
            await asyncio.sleep(min(0.5, max(0.1, (time.monotonic() - begun) / 20)))
        # another user may have taken the port before the server did; its pages would pass for theirs
        owner = processes.listener_uid(self.port)
        if self._place.uid is not None and owner not in (None, self._place.uid):
            raise self._failure(f"Port {self.port} was taken by another account before your server; start it again")

    def _exit_status(self) -> int | None:
        """With what the server that was just started ended; None while it runs."""
        if self.proc is not None:
            status: int | None = self.proc.poll()
            return status
        return None if self._is_ours() else units.exit_status(self.unit)

    def last_lines(self, count: int = _LOG_LINES) -> list[str]:
        """The last lines this server wrote since it was started."""
        return rotation.last_lines(self.log_file, count, start=getattr(self, "_log_start", 0))

    def _failure(self, text: str) -> StartError:
        lines = self.last_lines()
        message = f"{text}. Its last words:\n" + "\n".join(lines) if lines else f"{text}, without a word."
        self.log.warning("%s: %s", self._log_name, message)
        self._say(95, message)
        return StartError(text, message)

    def _say(self, progress: int, message: str) -> None:
        self._said.append({"progress": progress, "message": message})

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Says what happens while the server starts, until JupyterHub stops asking."""
        told = 0
        while self._spawn_pending:
            said = getattr(self, "_said", [])
            for event in said[told:]:
                yield event
            told = len(said)
            await asyncio.sleep(0.2)

    # --- watching and stopping ------------------------------------------------------------------

    def told_about_memory(self) -> str:
        """What to tell the user since the memory limit ended one of the server's processes; or nothing.

        Each time it happened is written into the server's log once.
        """
        kills = self.apart.memory_kills(self.user.name, self.name)
        if kills > self.memory_kills:
            self.memory_kills = kills
            self.memory_notice = memory_notice(self.name, self.mem_limit or 0)
            log = processes.open_log(self.log_file)
            os.write(log, f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {self.memory_notice}\n".encode())
            os.close(log)
            self.log.warning("%s: %s", self._log_name, self.memory_notice)
        return self.memory_notice

    def load_state(self, state: dict[str, Any]) -> None:
        """Restores pid and identity after a restart of the hub."""
        super().load_state(state)
        self.born, self.unit = state.get("born", ""), state.get("unit", "")

    def get_state(self) -> dict[str, Any]:
        """What load_state() needs."""
        state: dict[str, Any] = super().get_state()
        if self.pid:
            state["born"] = self.born
            if self.unit:
                state["unit"] = self.unit
        return state

    def clear_state(self) -> None:
        """Forgets the process."""
        super().clear_state()
        self.born = self.unit = ""

    def _is_ours(self) -> bool:
        """Whether the pid is still that of the server: after a reboot it may be a stranger's."""
        return bool(self.born) and processes.identity(self.pid) == self.born

    async def poll(self) -> int | None:
        """None while the server runs, else its exit code, or 0 when nobody knows it."""
        if self.proc is None and self.pid and not self._is_ours():
            self.log.info("%s: process %s is not the server any more", self._log_name, self.pid)
            self.clear_state()
            return 0
        self.told_about_memory()
        status: int | None = await super().poll()
        return status

    async def _signal(self, sig: int) -> bool:
        if self.proc is None and not self._is_ours():
            return False
        alive: bool = await super()._signal(sig)
        return alive

    async def stop(self, now: bool = False) -> None:
        """Stops the server; systemd lets it shut down its kernels, and ends what is left."""
        if not self.unit:
            await super().stop(now)
            return
        try:
            await asyncio.to_thread(units.stop, self.unit)
        except IsolationError as error:
            self.log.error("%s: %s", self._log_name, error)
            return
        self.clear_state()

    async def wait_for_death(self, timeout: int = 10) -> bool:
        """Whether the server ended within so many seconds.

        JupyterHub doubles the pauses between its looks, and whoever stops a server waits for them.
        """
        deadline = time.monotonic() + timeout
        while await self.poll() is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    def _others_run(self) -> bool:
        """Whether another server of the user runs or starts."""
        spawners = getattr(self.user, "spawners", {})
        return any(other is not self and (other.active or other.pid) for other in list(spawners.values()))

    async def run_post_stop_hook(self) -> None:
        """Ends what the server left behind, also when it ended by itself; then runs the hook."""
        self.told_about_memory()  # while the count of it is still there
        try:
            await asyncio.to_thread(self.apart.end_server, self.user.name, self.name)
            if not self._others_run():
                await asyncio.to_thread(self.apart.end_processes, self.user.name)
        except IsolationError as error:
            self.log.error("%s: %s", self._log_name, error)
        hook = super().run_post_stop_hook()
        if hook is not None:
            await maybe_future(hook)

    async def delete_forever(self) -> None:
        """Removes all that a temporary user had; of a person, nothing."""
        if not names.is_check_user(self.user.name):
            return
        for path in [self.log_file, *rotation.rotated(self.log_file)]:
            path.unlink(missing_ok=True)
        if not self._others_run():
            await asyncio.to_thread(self.apart.remove, self.user.name)
