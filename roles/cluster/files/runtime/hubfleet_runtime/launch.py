# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a service of a hub: makes its surroundings clean, then becomes the service.

Standard library only. Run by any supervisor, or by hand:

    launch.py --directory D --service NAME --digest HEX [--account NAME [--low-ports]]
              [--secret VARIABLE=FILE ...] [--hand FILE ...] [--wait-port PORT] [--restore-routes PORT]
              -- COMMAND ...

Exit codes before the service runs: 75 the service runs already, 69 a port did not answer in
time or a file to hand over is missing, 78 something is wrong with the directory, the account or
the command.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import fcntl
import json
import os
import pwd
import resource
import signal
import stat
import sys
import time
from pathlib import Path

# as a script, this file's own folder would come first and hide modules of the standard library
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from hubfleet_runtime import account, processes, rotation, routes  # noqa: E402

ALREADY_RUNNING, NOT_THERE, WRONG = 75, 69, 78
WAIT_FOR_PORT = 60.0
FILES = 65536


class LaunchError(Exception):
    """Why a service cannot be started, and the exit code that says so."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments; everything after -- is the command."""
    parser = argparse.ArgumentParser(prog="launch.py", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--directory", type=Path, required=True, help="the hub's directory")
    parser.add_argument("--service", required=True, help="name of the service: hub, proxy, culler, reverse-proxy")
    parser.add_argument("--digest", required=True, help="digest of all the service is made from")
    parser.add_argument("--account", help="system account to run as, without any right")
    parser.add_argument("--low-ports", action="store_true", help="but that to listen on ports below 1024")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="VARIABLE=FILE",
        help="environment variable whose value is in a file under secrets/",
    )
    parser.add_argument(
        "--hand",
        action="append",
        default=[],
        metavar="FILE",
        help="file that the account may not be able to read: the command gets a copy for its words --OPTION=FILE",
    )
    parser.add_argument("--wait-port", type=int, help="port that must answer first")
    parser.add_argument(
        "--restore-routes",
        type=int,
        metavar="PORT",
        help="the hub's port: let it restore the proxy's routes",
    )
    if "--" not in arguments or arguments[-1] == "--":
        parser.error("the command is missing: -- COMMAND ARG...")
    end = arguments.index("--")
    parsed = parser.parse_args(arguments[:end])
    parsed.command = arguments[end + 1 :]
    return parsed


def clean_process() -> None:
    """Undoes what a supervisor or a shell may have left: signals, umask, open files, limits.

    A shell without job control starts background commands with SIGINT ignored, and the service
    would inherit that and not stop on it.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # some are reserved by the C library
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o077)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the one that listed the directory
                os.close(int(name))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def attach_log(path: Path) -> int:
    """Sends output to the log; gives a descriptor of the former standard error.

    Never to a pipe: a service whose reader died would spin on it, or die with the supervisor.
    A pipe as input stays: supervisord 4.3 spins when it has written ends of pipes that nobody reads.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    rotation.rotate(path)
    former = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
    log = processes.open_log(path)
    nothing = os.open(os.devnull, os.O_RDONLY)
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(nothing)
    return former


def take_lock(path: Path, service: str) -> None:
    """Locks the service for as long as this process, and what it becomes, lives.

    A POSIX record lock belongs to the process: it survives exec and no child inherits it.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = processes.lock_holder(path)
        raise LaunchError(ALREADY_RUNNING, f"{service} runs already as process {holder} (it holds {path})") from None


def wait_for_port(port: int, patience: float = WAIT_FOR_PORT) -> None:
    """Returns when the port answers; LaunchError when it does not in time."""
    deadline = time.monotonic() + patience
    while not routes.answers(port):
        if time.monotonic() > deadline:
            raise LaunchError(NOT_THERE, f"nothing answers on 127.0.0.1:{port} after {patience:.0f} s")
        time.sleep(0.1)


def environment_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment of the service: ours, its secrets, its programs first in PATH."""
    environment = dict(os.environ)
    # JupyterHub runs alembic, and a proxy node, by name
    programs = str(Path(arguments.command[0]).parent)
    environment["PATH"] = f"{programs}:{environment.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    environment["HUBFLEET_DIRECTORY"] = str(arguments.directory)
    # the working directory has folders named like modules
    environment["PYTHONSAFEPATH"] = "1"
    for pair in arguments.secret:
        variable, _equals, name = pair.partition("=")
        if not name or Path(name).name != name:
            raise LaunchError(WRONG, f"--secret {pair}: expected VARIABLE=FILE, FILE being a name under secrets/")
        environment[variable] = (arguments.directory / "secrets" / name).read_text(encoding="utf-8").strip()
    return environment


def read_files(paths: list[str]) -> dict[str, bytes]:
    """The content of files to hand over. One that is being replaced is there when the supervisor tries again."""
    try:
        return {path: Path(path).read_bytes() for path in paths}
    except OSError as error:
        raise LaunchError(NOT_THERE, str(error)) from None


def write_record(arguments: argparse.Namespace) -> None:
    """Says what runs: pid, start time and boot, so that the pid cannot be taken for another."""
    itself = processes.stat(os.getpid())
    record = {
        "pid": os.getpid(),
        "start_time": itself.start_time if itself else "",
        "boot_id": processes.boot_id(),
        "digest": arguments.digest,
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    path = arguments.directory / "run" / f"{arguments.service}.json"
    processes.write_private(path, json.dumps(record, indent=1) + "\n")


def become(name: str, low_ports: bool, environment: dict[str, str]) -> None:
    """Drops to a system account, for good."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise LaunchError(WRONG, f"there is no account {name}") from None
    account.become(entry, low_ports)
    environment.update(HOME=entry.pw_dir, USER=name, LOGNAME=name)


def start_service(arguments: argparse.Namespace) -> None:
    """Everything between the log and exec; does not return but by LaunchError or OSError."""
    os.chdir(arguments.directory)
    take_lock(arguments.directory / "run" / f"{arguments.service}.lock", arguments.service)
    if arguments.wait_port:
        wait_for_port(arguments.wait_port)
    environment = environment_of(arguments)
    held = read_files(arguments.hand)
    if arguments.restore_routes:  # read before the account is dropped, as all of the above
        hub = processes.read_json(arguments.directory / "config" / "hub.json")
        token = (arguments.directory / "secrets" / "routes_token").read_text(encoding="ascii").strip()
    write_record(arguments)
    if arguments.account:
        become(arguments.account, arguments.low_ports, environment)
    if arguments.restore_routes:
        url = f"http://127.0.0.1:{arguments.restore_routes}{hub['base_url']}hub/api/proxy"
        routes.restore_in_background([int(hub["ports"]["proxy_api"])], url, token)
    sys.stdout.flush()
    command = account.handed(arguments.command, held)
    os.execve(command[0], command, environment)


def main() -> int:
    """Becomes the service; gives an exit code only when that was not possible."""
    arguments = parse(sys.argv[1:])
    arguments.directory = arguments.directory.resolve()
    clean_process()
    former = 2
    try:
        former = attach_log(arguments.directory / "logs" / f"{arguments.service}.log")
        start_service(arguments)
    except (OSError, ValueError, KeyError, LaunchError) as error:
        text = f"hubfleet: {arguments.service} was not started: {error}\n".encode()
        # into the log, and to whoever started us
        for descriptor in (2, former):
            with contextlib.suppress(OSError):  # its reader may be gone
                os.write(descriptor, text)
        return error.code if isinstance(error, LaunchError) else WRONG
    return 0


if __name__ == "__main__":
    sys.exit(main())
