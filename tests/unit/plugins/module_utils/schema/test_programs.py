# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that users' servers open with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.user_environment import user_build
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.program import Program
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.programs import read_program

SOCKET = ["serve", "--uds={unix_socket}"]


def read(platform: str = "server", **given: Any) -> tuple[Program | None, list[str]]:
    """Return a program and what is wrong with it."""
    wrong: list[str] = []
    usual = {"path": None, "title": None, "start_timeout": 60, "whole_path": False, "open_port": False}
    entry = {"title": "Map viewer", "interface": {**usual, **given}}
    return read_program("maps", entry, platform, wrong.append), wrong


def test_name_and_title_are_those_of_the_environment() -> None:
    assert read(command=SOCKET) == (Program(tuple(SOCKET), "maps", "Map viewer", 60), [])
    program, _wrong = read(command=SOCKET, path="viewer", title="Viewer", whole_path=True)
    assert program == Program(tuple(SOCKET), "viewer", "Viewer", 60, True)
    assert program and program.uses_socket


@pytest.mark.parametrize("platform", ["server", "kubernetes"])
@pytest.mark.parametrize("open_port", [False, True])
def test_ports_are_for_kubernetes_or_have_to_be_allowed(platform: str, open_port: bool) -> None:
    program, wrong = read(platform, command=["serve", "{port}"], open_port=open_port)
    refused = platform == "server" and not open_port
    assert (program is None) == refused and len(wrong) == refused
    assert not program or not program.uses_socket


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"command": ["serve", "{port}", "{unix_socket}"]}, "has {unix_socket} and {port} in its command; remove one"),
        ({"command": ["serve", "{unix_socket"]}, "has a brace in its command that does not fit"),
        ({"command": ["serve", "{unix_socket!s}"]}, "has {unix_socket} in its command; possible:"),
        ({"command": ["serve", "{port:5}"]}, "has {port} in its command; possible:"),
        ({"command": [*SOCKET, "--db=postgres://ada:hunter2@db/x"]}, "has a secret in its command"),
        ({"command": SOCKET, "path": "view"}, "has the path 'view', which servers have themselves"),
        ({"command": ["serve", "{unix_socket}", "{}"]}, "has {} in its command; possible: {port}, {unix_socket}"),
        ({"command": SOCKET, "path": "lab"}, "has the path 'lab', which servers have themselves; set another one"),
    ],
)
def test_what_cannot_work(given: dict[str, Any], message: str) -> None:
    program, wrong = read("kubernetes", **given)
    assert program is None and len(wrong) == 1 and wrong[0].startswith(message)


def test_only_a_placeholder_is_a_socket() -> None:
    program, wrong = read(command=["serve", "{port}", "{{unix_socket}}"])
    assert program is None and "uses a port" in wrong[0]


def test_braces_of_the_command_itself() -> None:
    assert read(command=[*SOCKET, '{{"a": 1}}'])[1] == []


def test_a_program_makes_another_build() -> None:
    def build(program: Program | None) -> tuple[str, str, str]:
        made = user_build("maps", "", "jupyterlab==4\n", {}, program=program)
        return made.directory, made.added, made.files["etc/jupyter/jupyter_server_config.py"]

    one = Program(("serve", "{port}"), "maps", "It's \\ a map", 60)
    other = Program(("serve", "{unix_socket}"), "maps", "Maps", 60)
    directories = {build(program)[0] for program in (None, one, other)}
    assert len(directories) == 3
    assert build(None)[1] == "" and "jupyter-server-proxy" in build(one)[1]
    settings: dict[str, Any] = {}
    line = next(line for line in build(one)[2].splitlines() if line.startswith("c.ServerProxy.servers.update("))
    settings["servers"] = {"of the operator": {}}
    exec(line.replace("c.ServerProxy.servers", "servers"), settings)
    assert list(settings["servers"]) == ["of the operator", "maps"]
    assert settings["servers"]["maps"]["launcher_entry"] == {"title": "It's \\ a map"}
    assert settings["servers"]["maps"]["command"] == ["serve", "{port}"]
    assert settings["servers"]["maps"]["unix_socket"] is False
