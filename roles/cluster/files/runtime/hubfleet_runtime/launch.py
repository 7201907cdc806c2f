# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a service of a hub in a clean process. Standard library only.

Run by any supervisor, or by hand:

    launch.py --directory D --service NAME --digest HEX [--account NAME [--low-ports]]
              [--secret VARIABLE=FILE ...] [--pass-file FILE ...] [--wait-port PORT] [--restore-routes PORT]
              -- COMMAND ...

Exit codes if the service is not started: 75 it runs already; 69 a port does not answer in time, or a file to pass on is
missing; 78 the directory, the account or the command is wrong.
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

from hubfleet_runtime import files, log_files, ports, privileges, processes, proxy_routes  # noqa: E402

ALREADY_RUNNING, UNAVAILABLE, MISCONFIGURED = 75, 69, 78
PORT_TIMEOUT = 60.0
MAX_OPEN_FILES = 65536


class LaunchError(Exception):
    """Why a service was not started, with the exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the arguments; everything after -- is the command."""
    parser = argparse.ArgumentParser(prog="launch.py", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--directory", type=Path, required=True, help="the hub's directory")
    parser.add_argument("--service", required=True, help="name of the service: hub, proxy, culler, reverse-proxy")
    parser.add_argument("--digest", required=True, help="digest of everything that the service depends on")
    parser.add_argument("--account", help="system account to run as, without capabilities")
    parser.add_argument("--low-ports", action="store_true", help="keep the capability to listen on ports below 1024")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="VARIABLE=FILE",
        help="environment variable whose value is in a file under secrets/",
    )
    parser.add_argument(
        "--pass-file",
        action="append",
        default=[],
        metavar="FILE",
        help="file that the account may not be able to read: options --OPTION=FILE of the command get a copy",
    )
    parser.add_argument("--wait-port", type=int, help="port of 127.0.0.1 to wait for")
    parser.add_argument(
        "--restore-routes",
        type=int,
        metavar="PORT",
        help="port of the hub, which then restores the proxy's routes",
    )
    if "--" not in arguments or arguments[-1] == "--":
        parser.error("missing command: -- COMMAND ARG...")
    end = arguments.index("--")
    parsed = parser.parse_args(arguments[:end])
    parsed.command = arguments[end + 1 :]
    return parsed


def reset_process() -> None:
    """Reset signals, umask, open files and limits, which the service would inherit.

    For example, a shell without job control starts background commands with SIGINT ignored.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # reserved by the C library
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o077)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # that of the listing itself
                os.close(int(name))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def attach_log(path: Path) -> int:
    """Redirect output to the log; return a descriptor of the former standard error.

    Not to a pipe of the supervisor, whose end would end the service. A pipe as standard input stays: supervisord 4.3
    uses a whole processor if it is closed.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    log_files.rotate(path)
    stderr = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
    log = log_files.open_log(path)
    null = os.open(os.devnull, os.O_RDONLY)
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(null)
    return stderr


def take_lock(path: Path, service: str) -> None:
    """Lock the service until this process ends. Raises LaunchError.

    A POSIX record lock belongs to the process: it survives exec, and children do not inherit it.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = processes.lock_holder(path)
        raise LaunchError(
            ALREADY_RUNNING, f"{service} already runs as process {holder}, which has locked {path}"
        ) from None


def wait_for_port(port: int, timeout: float = PORT_TIMEOUT) -> None:
    """Wait until something listens on a port. Raises LaunchError."""
    deadline = time.monotonic() + timeout
    while not ports.is_listening(port):
        if time.monotonic() > deadline:
            raise LaunchError(UNAVAILABLE, f"nothing answers on 127.0.0.1:{port} after {timeout:.0f} s")
        time.sleep(0.1)


def environment_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the environment of the service, with its secrets, and its programs first in PATH. Raises LaunchError."""
    environment = dict(os.environ)
    # JupyterHub runs alembic by name, and the proxy runs node
    programs = str(Path(arguments.command[0]).parent)
    environment["PATH"] = f"{programs}:{environment.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    environment["HUBFLEET_DIRECTORY"] = str(arguments.directory)
    environment["HUBFLEET_LOCKED_BY"] = str(os.getpid())
    # the working directory has directories named like modules
    environment["PYTHONSAFEPATH"] = "1"
    for pair in arguments.secret:
        variable, _equals, name = pair.partition("=")
        if not name or Path(name).name != name:
            raise LaunchError(MISCONFIGURED, f"--secret {pair}: expected VARIABLE=FILE, with a file name in secrets/")
        environment[variable] = (arguments.directory / "secrets" / name).read_text(encoding="utf-8").strip()
    return environment


def read_files(paths: list[str]) -> dict[str, bytes]:
    """Return the content of files to pass on. Raises LaunchError; one that is being replaced exists at the next try."""
    try:
        return {path: Path(path).read_bytes() for path in paths}
    except OSError as error:
        raise LaunchError(UNAVAILABLE, str(error)) from None


def write_record(arguments: argparse.Namespace) -> None:
    """Record what runs: the pid, with start time and boot because pids are reused."""
    itself = processes.stat(os.getpid())
    record = {
        "pid": os.getpid(),
        "start_time": itself.start_time if itself else "",
        "boot_id": processes.boot_id(),
        "digest": arguments.digest,
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    path = arguments.directory / "run" / f"{arguments.service}.json"
    files.write_private(path, json.dumps(record, indent=1) + "\n")


def start_service(arguments: argparse.Namespace) -> None:
    """Execute the service in place of this process. Raises LaunchError or OSError."""
    os.chdir(arguments.directory)
    take_lock(arguments.directory / "run" / f"{arguments.service}.lock", arguments.service)
    if arguments.service == "hub":
        # those of a hub that was killed would keep their ports
        processes.end_services(arguments.directory)
    if arguments.wait_port:
        wait_for_port(arguments.wait_port)
    environment, command, account = environment_of(arguments), arguments.command, None
    if arguments.account:
        try:
            account = pwd.getpwnam(arguments.account)
        except KeyError:
            raise LaunchError(MISCONFIGURED, f"the account {arguments.account} does not exist") from None
        environment.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
        os.chdir("/")  # the account may not be able to enter the hub's directory
    command = privileges.substitute_files(command, read_files(arguments.pass_file), account)
    if account:
        command = privileges.command_as(account, arguments.low_ports, command)
    write_record(arguments)
    if arguments.restore_routes:
        hub = files.read_json(arguments.directory / "config" / "hub.json")
        token = (arguments.directory / "secrets" / "routes_token").read_text(encoding="ascii").strip()
        url = f"http://127.0.0.1:{arguments.restore_routes}{hub['base_url']}hub/api/proxy"
        proxy_routes.restore_in_background(int(hub["ports"]["proxy_api"]), url, token, account)
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def main() -> int:
    """Start the service; return an exit code only if that fails."""
    arguments = parse(sys.argv[1:])
    arguments.directory = arguments.directory.resolve()
    reset_process()
    stderr = 2
    try:
        stderr = attach_log(arguments.directory / "logs" / f"{arguments.service}.log")
        start_service(arguments)
    except (OSError, ValueError, KeyError, LaunchError) as error:
        text = f"hubfleet: {arguments.service} was not started: {error}\n".encode()
        # into the log, and to the caller
        for descriptor in (2, stderr):
            with contextlib.suppress(OSError):  # its reader may be gone
                os.write(descriptor, text)
        return error.code if isinstance(error, LaunchError) else MISCONFIGURED
    return 0


if __name__ == "__main__":
    sys.exit(main())
