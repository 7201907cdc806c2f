# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of users and their terminals: nothing that a user installs or configures stops their server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_client import wait_for
from prebuilt import copy_build
from runtime_rig import Hub
from user_packages import BREAK_ALL, WRITE_WHEEL

USER = "ada"
RESET = "user-packages reset"


@pytest.fixture(scope="module")
def hub(make_user_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub of an ordinary account with the server of a user."""
    hub = make_user_hub("packages", isolation="none")
    hub.start("proxy", "hub")
    assert hub.start_server(USER).get("ready")
    yield hub
    hub.stop()


def restart(hub: Hub) -> None:
    """Stop the server and start it again."""
    assert hub.api("DELETE", f"users/{USER}/server")[0] in (202, 204)
    wait_for("the server to stop", lambda: not hub.api("GET", f"users/{USER}")[1]["servers"], 30)
    assert hub.start_server(USER).get("ready")


def layer(hub: Hub, environment: Path) -> Path:
    """Return the directory of the user's packages."""
    return hub.homes / USER / ".local" / "share" / "hubfleet" / "user-packages" / environment.name


def test_pip_changes_and_removes_only_what_is_the_users(hub: Hub) -> None:
    kernel = hub.kernel(USER)
    old, new = (kernel.run(f"{WRITE_WHEEL}print(write_wheel('mine', '{each}'))").strip() for each in ("1.0", "2.0"))
    assert "Successfully installed mine-1.0" in kernel.run(f"!pip install --user {old}")
    # also by the environment's own pip, and from the server's Python
    assert "Successfully installed mine-2.0" in kernel.run(f"!{hub.tools.user}/bin/pip install {new}")
    assert kernel.run("import mine; print(mine.VERSION)").strip() == "2.0"
    assert kernel.run("!python -c 'import mine; print(mine.VERSION)'").strip() == "2.0"
    assert kernel.run("import subprocess, sys; print(subprocess.getoutput('user-packages'))").split()[-1] == "mine"
    assert "outside environment" in kernel.run("!pip uninstall --yes jupyterlab")
    assert "Successfully uninstalled mine-2.0" in kernel.run("!pip uninstall --yes mine")


def test_multiprocessing_sees_them(hub: Hub) -> None:
    kernel = hub.kernel(USER)
    wheel = kernel.run(f"{WRITE_WHEEL}print(write_wheel('mine', '1.0'))").strip()
    kernel.run(f"%pip install --quiet {wheel}")
    code = "import multiprocessing, mine\nwith multiprocessing.get_context('spawn').Pool(1) as pool:\n"
    # a function is passed by the name of its module, which the other process imports; what it prints may come too late
    assert "function main" in kernel.run(f"{code}    print(pool.apply(repr, (mine.main,)))")
    kernel.run(f"!{RESET}")


def test_broken_packages_stop_neither_server_nor_kernel(hub: Hub) -> None:
    assert int(hub.kernel(USER).run(BREAK_ALL)) > 60
    restart(hub)
    kernel = hub.kernel(USER)
    printed = kernel.run("try:\n  import yaml\nexcept RuntimeError as error:\n  print(error, 6 * 7)")
    # they are used where the kernel does not depend on them, and the user is told where it does
    assert "zmq" in printed.splitlines()[0] and printed.splitlines()[-1] == "broken 42"
    assert "All your packages" in kernel.run(f"!{RESET}")
    assert hub.kernel(USER).run("import yaml; print(6 * 7)").strip() == "42"


@pytest.mark.parametrize("line", ["import sys; sys.exit(3)", "import os; os._exit(0)", "import time; time.sleep(3600)"])
def test_a_python_that_does_not_start_is_not_used(hub: Hub, line: str) -> None:
    kernel = hub.kernel(USER)
    write = "own, = user_packages.site_packages(user_packages.directory())\n(own / 'a.pth').write_text(LINE)"
    kernel.run(f"from hubfleet_environment import user_packages\nLINE = {line!r}\n{write}")
    restart(hub)
    kernel = hub.kernel(USER)
    printed = kernel.run("import sys; print(6 * 7, sys.prefix)", patience=120)
    assert "Your own packages are not used in this kernel" in printed
    assert printed.splitlines()[-1] == f"42 {hub.tools.user}"
    assert kernel.run("!python -c 'print(1)'").strip() == "1"
    command = f"{layer(hub, hub.tools.user)}/bin/{RESET}"
    assert "All your packages" in hub.terminal(USER, command)[0]
    assert hub.kernel(USER).run("print(6 * 7)").strip() == "42"


def test_a_full_or_foreign_home_stops_no_server(hub: Hub) -> None:
    kernel = hub.kernel(USER)
    kernel.run("!mv ~/.local/share/hubfleet ~/kept; touch ~/.local/share/hubfleet")
    restart(hub)
    printed = hub.kernel(USER).run("import sys; print(sys.prefix)")
    assert "Your own packages are not used" in printed and printed.splitlines()[-1] == str(hub.tools.user)
    hub.kernel(USER).run("!rm ~/.local/share/hubfleet; mv ~/kept ~/.local/share/hubfleet")
    restart(hub)


def test_another_build_begins_without_packages(hub: Hub, state: Path) -> None:
    kernel = hub.kernel(USER)
    wheel = kernel.run(f"{WRITE_WHEEL}print(write_wheel('kept', '1.0'))").strip()
    kernel.run(f"%pip install {wheel}")
    newer = state / f"{hub.tools.user.name.rpartition('-')[0]}-0123456789ab"
    copy_build(hub.tools.user, newer)
    hub.settings["environments"]["python"]["directory"] = str(newer)
    hub.write()
    hub.chown()
    hub.kill("hub")
    hub.start("hub")
    # what runs keeps its software and its packages
    assert kernel.run("import kept, sys; print(sys.prefix)").strip() == str(layer(hub, hub.tools.user))
    restart(hub)
    printed = hub.kernel(USER).run("import sys; print(sys.prefix)")
    assert "user-packages reinstall" in printed and printed.splitlines()[-1] == str(layer(hub, newer))
    with pytest.raises(AssertionError, match="No module named 'kept'"):
        hub.kernel(USER).run("import kept")
    again = hub.terminal(USER, "PIP_NO_INDEX=1 PIP_FIND_LINKS=$HOME user-packages reinstall", "kept-program")
    assert "Successfully installed kept-1.0" in again[0] and again[1] == "program of kept 1.0"


def test_files_of_the_user_come_first(hub: Hub) -> None:
    home = hub.homes / USER
    write = f"import pathlib; pathlib.Path('{home}/NAME').write_text('TEXT')"
    kernel = hub.kernel(USER)
    for name, text in ((".bashrc", "export FROM=bashrc PATH=~/first:$PATH"), (".profile", ". ~/.bashrc; alias x=y")):
        kernel.run(write.replace("NAME", name).replace("TEXT", text))
    for shell in ("", "bash --login", "bash"):
        path, from_, python = hub.terminal(USER, "echo $PATH", "echo $FROM", "command -v python", shell=shell)
        assert path.split(":")[0] == f"{home}/first" and from_ == "bashrc"
        assert "user-packages" in python
    kernel.run(write.replace("NAME", ".bashrc").replace("TEXT", "PATH=/usr/bin:/bin; exit_in_bashrc"))
    assert "user-packages" in hub.terminal(USER, "command -v python")[0]
    kernel.run("!rm ~/.bashrc ~/.profile")


def test_tmux(hub: Hub) -> None:
    """It starts login shells, which reset PATH."""
    if hub.terminal(USER, "command -v tmux; true")[0] == "":
        pytest.skip("needs tmux")
    typed = 'tmux send-keys -t t \\"command -v python > ~/answer\\" Enter'
    answer = (
        "tmux new-session -d -s t; sleep 2; " + typed.replace('\\"', '"') + "; sleep 2; cat ~/answer; tmux kill-server"
    )
    assert "user-packages" in hub.terminal(USER, answer)[0]


def test_output_of_a_terminal_is_activity(hub: Hub) -> None:
    """Although no browser is connected; the idle culler goes by what the server reports of itself."""
    status = f"{hub.url}user/{USER}/api/status"
    hub.terminal(USER, "(for each in 1 2 3 4 5 6 7 8 9; do sleep 1; date; done) & true")

    def last_activity() -> str:
        return str(hub.request("GET", status, hub.token(USER))[1]["last_activity"])

    before = last_activity()
    time.sleep(3)
    assert last_activity() > before


def test_they_follow_a_user_who_is_renamed(hub: Hub) -> None:
    """But for their programs, which contain the path of the home."""
    assert hub.api("DELETE", f"users/{USER}/server")[0] in (202, 204)
    wait_for("the server to stop", lambda: not hub.api("GET", f"users/{USER}")[1]["servers"], 30)
    url = f"{hub.direct}hub/api/hubfleet/users/{USER}/name?new=adele"
    assert hub.request("POST", url, hub.secrets["users_token"]) == (200, {})
    assert hub.start_server("adele").get("ready")
    kernel = hub.kernel("adele")
    assert kernel.run("import kept, os; print(kept.VERSION, os.getcwd())").split() == ["1.0", str(hub.homes / "adele")]
    assert kernel.run("!python -c 'import kept; print(kept.VERSION)'").strip() == "1.0"


def test_packages_can_be_forbidden(make_user_hub: Callable[..., Hub]) -> None:
    hub = make_user_hub("forbidden", isolation="none", user_packages=False)
    hub.start("proxy", "hub")
    assert hub.start_server(USER).get("ready")
    sentence = "On this hub, users cannot add or remove packages"
    kernel = hub.kernel(USER)
    assert sentence in kernel.run("%pip install mine") and sentence in kernel.run("!pip uninstall --yes jupyterlab")
    assert hub.terminal(USER, "pip install mine; echo $?")[0].splitlines()[-1] == "1"
    assert "pip 2" in hub.terminal(USER, "pip --version")[0]
    assert not (hub.homes / USER / ".local" / "share" / "hubfleet").exists()
    hub.stop()
