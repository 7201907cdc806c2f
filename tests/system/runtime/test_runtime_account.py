# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The privileges and files of a service that the launcher starts as an account."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hub_client import wait_for
from runtime_client import free_low_port
from runtime_tools import FILES, PYTHON, needs_root

pytestmark = needs_root

#: Any account that is not root's will do.
ACCOUNT = "nobody"
NET_BIND_SERVICE = f"{1 << 10:016x}"
NOTHING = "0" * 16

#: What the service does: it tells what it is, and what it can open. sys.argv: --key=FILE, the original, a port.
SERVICE = """
import json, os, socket, stat, sys
def attempt(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__
copy, original, port = sys.argv[1].partition("=")[2], sys.argv[2], int(sys.argv[3])
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
found = os.stat(copy)
print(json.dumps({
    "status": {name: value.split() for name, value in status.items()},
    "copy": [open(copy).read(), open(copy).read(), oct(found.st_mode), found.st_uid, found.st_nlink],
    "original": attempt(lambda: open(original).read()),
    "written": attempt(lambda: open(copy, "w")),
    "emptied": attempt(lambda: os.ftruncate(int(copy.rpartition("/")[2]), 0)),
    "port": attempt(lambda: socket.socket().bind(("127.0.0.1", port))),
}))
"""


def command(directory: Path, options: list[str], code: str, *words: str) -> list[str]:
    """Return the launcher's command line for a service as an account."""
    program = str(FILES / "runtime" / "hubfleet_runtime" / "launch.py")
    start = ["--directory", str(directory), "--service", "proxy", "--digest", "x", "--account", ACCOUNT, *options]
    return [PYTHON, program, *start, "--", PYTHON, "-c", code, *words]


def launch(directory: Path, options: list[str], *words: str, prefix: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run the service; return its exit code and the last line of its log."""
    line = [*prefix, *command(directory, options, SERVICE, *words)]
    done = subprocess.run(line, capture_output=True, timeout=60, check=False)
    return done.returncode, (directory / "logs" / "proxy.log").read_text().splitlines()[-1]


def told(directory: Path, *options: str, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run the service with a key that only root can read; return what it prints."""
    key = directory / "a=b.key"
    key.write_text("hush")
    key.chmod(0o600)
    code, line = launch(
        directory, ["--pass-file", str(key), *options], f"--key={key}", str(key), str(free_low_port()), prefix=prefix
    )
    assert code == 0, line
    return dict(json.loads(line))


@pytest.mark.parametrize(("options", "rights"), [([], NOTHING), (["--low-ports"], NET_BIND_SERVICE)])
def test_it_has_exactly_the_rights_that_it_needs(tmp_path: Path, options: list[str], rights: str) -> None:
    found, account = told(tmp_path, *options), pwd.getpwnam(ACCOUNT)
    status = found["status"]
    assert status["Uid"] == [str(account.pw_uid)] * 4 and status["Gid"] == [str(account.pw_gid)] * 4
    assert status["Groups"] == [] and status["NoNewPrivs"] == ["1"]
    assert {name: status[name] for name in status if name.startswith("Cap")} == {
        f"Cap{kind}": [rights] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")
    }
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    assert found["port"] == (None if options or first < 1024 else "PermissionError")


def test_a_root_with_few_rights_is_enough(tmp_path: Path) -> None:
    """As in some containers."""
    few = ("setpriv", "--bounding-set=-all,+setuid,+setgid,+net_bind_service")
    status = told(tmp_path, "--low-ports", prefix=few)["status"]
    assert [status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")] == [[NET_BIND_SERVICE]] * 4
    assert status["NoNewPrivs"] == ["1"] and status["Uid"][0] == str(pwd.getpwnam(ACCOUNT).pw_uid)


def test_it_can_read_a_copy_of_what_only_root_can(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert found["copy"] == ["hush", "hush", "0o100400", pwd.getpwnam(ACCOUNT).pw_uid, 0]
    assert found["original"] == found["written"] == found["emptied"] == "PermissionError"


def test_another_account_cannot(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hush")
    waits = "import sys, time; print(sys.argv[1], flush=True); time.sleep(60)"
    with subprocess.Popen(command(tmp_path, ["--pass-file", str(key)], waits, f"--key={key}")) as service:
        try:
            log = tmp_path / "logs" / "proxy.log"
            wait_for("the service", lambda: log.exists() and log.read_text().endswith("\n"), 20)
            copy = log.read_text().strip().replace("--key=/proc/self/", f"/proc/{service.pid}/")
            found = {
                account: subprocess.run(
                    ["setpriv", f"--reuid={account}", f"--regid={group}", "--clear-groups", "cat", copy],
                    capture_output=True,
                    check=False,
                ).stdout
                for account, group in (("root", "root"), ("daemon", "daemon"))
            }
        finally:
            service.kill()
    assert found == {"root": b"hush", "daemon": b""}


def test_a_missing_file_is_worth_another_try(tmp_path: Path) -> None:
    code, line = launch(tmp_path, ["--pass-file", str(tmp_path / "gone")], "--key=x", "x", "1")
    assert code == 69 and "proxy was not started: " in line and f"No such file or directory: '{tmp_path}/gone'" in line
    assert not os.path.exists(tmp_path / "run" / "proxy.json")
