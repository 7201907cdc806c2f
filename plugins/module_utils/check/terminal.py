# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands in a terminal of a user's server, as JupyterLab does.

Source: Jupyter Server's REST API (POST api/terminals) and the messages of terminado as JSON: a list with their kind
(setup, stdin, stdout, disconnect) and text.
"""

from __future__ import annotations

import json
import re
import uuid

from .client import HubClient
from .messages import CheckFailure, quoted
from .waiting import Deadline

try:
    from aiohttp import WSMsgType
except ImportError:  # see client.HAS_AIOHTTP
    WSMsgType = None  # type: ignore[assignment, misc]

LARGEST_OUTPUT = 1024 * 1024
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_=>])|\r")
#: Paths that mean the same between double quotes in a shell.
_PLAIN_PATH = re.compile(r"[-\w./ @+,=:]+")
#: Writes a file into the home directory, reads and removes it. No single quotes, see Command.
WRITE_AND_READ = (
    "file=$(mktemp ~/.hubfleet-check-XXXXXX) && echo written > $file && read word < $file && rm $file"
    " && test $word = written"
)


async def open_terminal(client: HubClient, server_url: str, token: str, deadline: Deadline) -> str:
    """Open a terminal and return its name, "" if the server has no terminals. server_url: ends in a slash."""
    url, what = server_url + "api/terminals", "opening a terminal"
    reply = await client.call("POST", url, what, deadline, ok=(200, 201, 404), body={}, token=token)
    if reply.status == 404:
        return ""
    name = reply.data.get("name") if isinstance(reply.data, dict) else None
    if not name:
        raise CheckFailure("opening a terminal: the answer contains no name")
    return str(name)


class Command:
    """A command in a terminal: feed() it what the terminal prints until it is finished.

    text: of sh, without single quotes, so that every shell of a user can run it. status: its exit code.
    """

    def __init__(self, text: str) -> None:
        self._marks = [uuid.uuid4().hex for _each in range(2)]
        self._text, self._received = text, ""
        self.status: int | None = None
        self.output = ""

    def line(self) -> str:
        """Return what to type. The terminal repeats it; so it does not contain the marks, but what prints them."""
        first, last = (f"{mark[:16]} {mark[16:]}" for mark in self._marks)
        return f'sh -c \'printf "%s%s\\n" {first}; {self._text}; printf "%s%s:%s\\n" {last} $?\'\r'

    def feed(self, text: str) -> None:
        """Process what the terminal printed."""
        self._received += text
        first, last = self._marks
        found = re.search(rf"{first}\r?\n(.*?){last}:(\d+)", self._received, re.DOTALL)
        if found:
            self.output = _CONTROL.sub("", found[1]).strip()
            self.status = int(found[2])
        elif len(self._received) > LARGEST_OUTPUT:
            raise CheckFailure("the output of the terminal is larger than 1 MB")

    def last_line(self) -> str:
        """Return the last line of the output, to explain a failure."""
        return (self.output.splitlines() or ["it printed nothing"])[-1]


async def run_commands(client: HubClient, server_url: str, token: str, name: str, commands: list[Command]) -> None:
    """Run the commands in a terminal, one after the other. The caller limits the time."""
    async with client.websocket(f"{server_url}terminals/websocket/{name}", token) as socket:
        await socket.send_json(["set_size", 50, 1000, 0, 0])
        for command in commands:
            await socket.send_json(["stdin", command.line()])
            while command.status is None:
                message = await socket.receive()
                if message.type == WSMsgType.TEXT:
                    _feed(command, message.data)
                elif message.type != WSMsgType.BINARY:
                    raise CheckFailure("the terminal was closed before its command had finished")


def _feed(command: Command, text: str) -> None:
    try:
        kind, *content = json.loads(text)
    except (ValueError, TypeError):
        raise CheckFailure("a message of the terminal is not a JSON list") from None
    if kind == "disconnect":
        raise CheckFailure("the shell of the terminal ended before its command had finished")
    if kind == "stdout" and content:
        command.feed(str(content[0]))


async def use_terminal(
    client: HubClient, server_url: str, token: str, name: str, program: str, directories: dict[str, bool]
) -> None:
    """Write and read a file in the home directory, run a program, and look for shared directories.

    program: a command such as ``pip --version``; "" for none. directories: path in the home -> whether it must be
    writable; paths that a shell would read differently are not tried. Raises CheckFailure with what did not work.
    """
    home, ran = Command(WRITE_AND_READ), Command(program)
    found = {path: Command(f'test -d ~/"{path}"') for path in directories if _PLAIN_PATH.fullmatch(path)}
    written = {path: Command(f'test -w ~/"{path}"') for path in found if directories[path]}
    commands = [home, *([ran] if program else []), *found.values(), *written.values()]
    await run_commands(client, server_url, token, name, commands)
    if home.status:
        raise CheckFailure(f"a file could not be written into the home directory: {home.last_line()}")
    if ran.status:
        raise CheckFailure(f"{quoted(program)} failed in a terminal with exit code {ran.status}: {ran.last_line()}")
    for tried, problem in ((found, "is not there"), (written, "cannot be written")):
        for path, command in tried.items():
            if command.status:
                raise CheckFailure(f"the shared directory ~/{path} {problem}")
