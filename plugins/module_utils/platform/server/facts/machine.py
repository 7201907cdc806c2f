# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine is, and what follows from it for a cluster that says ``auto``."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from ....common.processes import SYSTEM_PATH
from ...base import PlatformError
from ..layout import Layout
from .limits import describe_limits, has_control_groups
from .system import System, read_system

MINIMUM_PYTHON = (3, 10)
MINIMUM_NODE = 20
#: "1" where AppArmor lets ordinary users have user namespaces only by a profile, as Ubuntu does since 24.04.
APPARMOR_RESTRICTS = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
#: The isolation in which users have accounts, which traverse the directories above their homes.
ACCOUNTS = "system-users"
#: The account of proxies where the machine's root deploys: it reads nothing of the hub.
PROXY_ACCOUNT = "hubfleet-proxy"
#: The account of reverse proxys there: it reads nothing of the hubs.
REVERSE_PROXY_ACCOUNT = "hubfleet-reverse-proxy"
#: The account that code of repositories runs as while environments are built there: it owns nothing else.
BUILD_ACCOUNT = "hubfleet-build"


@dataclass(frozen=True)
class Machine:
    """Facts about a machine, as the account that deploys sees it.

    control_groups: whether servers can be limited by control groups without systemd.
    kernel: the release of Linux, such as "6.1.0-18-amd64".
    caddy, caddy_version: where it is and what it says of itself, "" where there is none.
    unprivileged_ports: the first port that every account may listen on.
    """

    root: bool
    home: str
    system: System
    systemd: bool
    user_systemd: bool
    bubblewrap: bool
    control_groups: bool
    kernel: str
    node: str | None
    caddy: str = ""
    caddy_version: str = ""
    unprivileged_ports: int = 1024

    @classmethod
    def read(cls) -> Machine:
        """Read the facts of the machine this runs on; no network, about 0.1 s.

        Raises PlatformError where its system is not supported.
        """
        root = os.geteuid() == 0
        systemd = os.path.isdir("/run/systemd/system")
        runtime = f"/run/user/{os.getuid()}"
        path = SYSTEM_PATH if root else os.environ.get("PATH", SYSTEM_PATH)
        caddy = shutil.which("caddy", path=path) or ""
        return cls(
            root=root,
            home=os.path.expanduser("~"),
            system=read_system(),
            systemd=systemd,
            user_systemd=os.path.exists(os.path.join(runtime, "systemd", "private")),
            bubblewrap=shutil.which("bwrap", path=SYSTEM_PATH) is not None,
            kernel=os.uname().release,
            control_groups=root and not systemd and has_control_groups(),
            node=_find_node(path),
            caddy=caddy,
            caddy_version=_output([caddy, "version"]) if caddy else "",
            unprivileged_ports=_unprivileged_ports(),
        )


@dataclass(frozen=True)
class Setup:
    """A cluster's settings once its machine is known: nothing is ``auto`` any more.

    packages: system packages that are missing. install: the command that installs such.
    python: the interpreter that environments are made from.
    proxy: version of configurable-http-proxy, to the minor.
    node: the machine's own node, or None where one is brought along.
    units: whether users' servers are units of systemd; only root's can limit them on every machine.
    limits: what keeps a server from using up the machine, in words.
    """

    layout: Layout
    isolation: str
    supervisor: str
    python: str
    node: str | None
    runtime_directory: str
    proxy_account: str | None
    proxy: str
    reverse_proxy_account: str | None = None
    build_account: str | None = None
    packages: tuple[str, ...] = ()
    units: bool = False
    limits: str = ""
    install: str = ""

    @property
    def open_homes(self) -> bool:
        """Tell whether accounts of users pass through the directories above their homes."""
        return self.isolation == ACCOUNTS

    def as_dict(self) -> dict[str, Any]:
        """Return what playbooks work with."""
        return {
            "state_directory": self.layout.root,
            "isolation": self.isolation,
            "supervisor": self.supervisor,
            "python": self.python,
            "proxy_account": self.proxy_account or "",
            "reverse_proxy_account": self.reverse_proxy_account or "",
            "build_account": self.build_account or "",
            "packages": list(self.packages),
            "install": self.install,
        }


def resolve(cluster: str, options: dict[str, Any], machine: Machine, repositories: bool = False) -> Setup:
    """Return the settings of a cluster on a machine; raises PlatformError where they cannot be.

    repositories: whether hubs offer environments of git repositories, which are built with bubblewrap.
    """
    state = state_directory(cluster, options["cluster_state_directory"], machine.root, machine.home)
    supervisor = _supervisor(options["cluster_supervisor"], machine)
    isolation = _isolation(options["cluster_isolation"], machine, supervisor)
    if (isolation == "bubblewrap" or repositories) and machine.bubblewrap:
        _try_bubblewrap(isolation, machine.root)
    python = _find_python(options["cluster_python"], machine)
    if isolation == "bubblewrap":
        _refuse_shown(state, python)
    if machine.root:
        _refuse_closed(state)
    units = machine.root and supervisor == "systemd"
    return Setup(
        layout=Layout(state),
        isolation=isolation,
        supervisor=supervisor,
        python=python,
        node=machine.node,
        runtime_directory="/run/hubfleet" if machine.root else f"/tmp/hubfleet-{os.getuid()}",
        proxy_account=PROXY_ACCOUNT if machine.root else None,
        proxy=options["cluster_proxy_version"],
        reverse_proxy_account=REVERSE_PROXY_ACCOUNT
        if machine.root and options["cluster_reverse_proxy"] == "caddy"
        else None,
        build_account=BUILD_ACCOUNT if machine.root and repositories else None,
        packages=_missing(isolation, options["cluster_reverse_proxy"], repositories, machine),
        units=units,
        limits=describe_limits(isolation, machine.control_groups, machine.kernel, units),
        install=machine.system.install,
    )


def state_directory(cluster: str, wanted: str | None, root: bool, home: str) -> str:
    """Return the state directory of a cluster, where ``wanted`` or else by who deploys."""
    base = "/var/lib/hubfleet" if root else os.path.join(home, ".local", "share", "hubfleet")
    return os.path.abspath(os.path.expanduser(wanted or os.path.join(base, cluster)))


def _missing(isolation: str, reverse_proxy: str, repositories: bool, machine: Machine) -> tuple[str, ...]:
    missing = []
    if (isolation == "bubblewrap" or repositories) and not machine.bubblewrap:
        missing.append("bubblewrap")
    if reverse_proxy == "caddy" and not machine.caddy:
        missing.append("caddy")
    return tuple(missing)


def _isolation(wanted: str, machine: Machine, supervisor: str) -> str:
    if wanted == "auto":
        return "system-users" if machine.root else "bubblewrap"
    if wanted == "systemd" and not machine.root:
        raise PlatformError("cluster_isolation: systemd needs root; run as root, or use bubblewrap")
    if wanted == "systemd" and supervisor != "systemd":
        why = "cluster_supervisor is supervisord" if machine.systemd else "it is not this machine's first process"
        raise PlatformError(f"cluster_isolation: systemd needs systemd as supervisor, but {why}; use system-users")
    if wanted == "system-users" and not machine.root:
        raise PlatformError("cluster_isolation: system-users needs root; run as root, or use bubblewrap")
    if wanted in ("bubblewrap", "none") and machine.root:
        raise PlatformError(f"cluster_isolation: {wanted} is for deploys without root; as root use system-users")
    return wanted


def _refuse_shown(state: str, python: str) -> None:
    """Sandboxes show the system and the Python of the environments; the state may not lie in there."""
    for shown in ("/usr", "/etc", os.path.dirname(os.path.dirname(python))):
        if os.path.commonpath([state, shown]) == shown:
            raise PlatformError(
                f"the state directory {state} lies in {shown}, which every user's sandbox shows; "
                "set cluster_state_directory or cluster_python"
            )


def _refuse_closed(state: str) -> None:
    """Accounts of users and proxies must be able to pass the directories above the state directory."""
    parent = os.path.dirname(state)
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    if not _everyone_reaches(parent):
        raise PlatformError(
            f"users' accounts cannot pass {parent}, which the state directory {state} lies in; "
            "set cluster_state_directory"
        )


def _try_bubblewrap(isolation: str, root: bool) -> None:
    """Some machines forbid namespaces, to ordinary users or at all; better said now than at the first log-in."""
    command = [
        "bwrap",
        *([] if root else ["--unshare-user"]),
        "--unshare-pid",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        without = "or remove environments with a repository from hub_environments"
        if isolation == "bubblewrap":
            without = "deploy as root, or set cluster_isolation: none"
        raise PlatformError(
            f"bubblewrap does not work on this machine ({done.stderr.strip() or done.returncode}); "
            f"{_allow_namespaces()}, {without}"
        )


def _allow_namespaces() -> str:
    """Return what lets ordinary users have user namespaces, where AppArmor forbids them and where something else does.

    Source: https://discourse.ubuntu.com/t/spec-unprivileged-user-namespace-restrictions-via-apparmor-in-ubuntu-23-10/37626
    """
    try:
        with open(APPARMOR_RESTRICTS, encoding="ascii") as file:
            restricted = file.read().strip() == "1"
    except OSError:
        restricted = False
    if not restricted:
        return "allow user namespaces"
    return "AppArmor forbids user namespaces here: let root give bwrap a profile that allows them (docs/machines.md)"


def _supervisor(wanted: str, machine: Machine) -> str:
    usable = machine.systemd and (machine.root or machine.user_systemd)
    if wanted == "systemd" and not usable:
        what = "this account has no systemd user session" if machine.systemd else "it is not running here"
        raise PlatformError(f"cluster_supervisor: systemd cannot be used: {what}; use supervisord")
    return "systemd" if wanted == "systemd" or (wanted == "auto" and usable) else "supervisord"


def _find_python(wanted: str | None, machine: Machine) -> str:
    """Return an interpreter that is new enough, and that users may read where they have accounts."""
    if wanted:
        wanted = _path_of(wanted)
        if _python_version(wanted) < MINIMUM_PYTHON:
            raise PlatformError(f"cluster_python: {wanted} is not a Python {_dotted(MINIMUM_PYTHON)} or newer")
        if machine.root and not _everyone_reaches(os.path.realpath(wanted)):
            raise PlatformError(
                f"cluster_python: {wanted} cannot be run by other accounts, which users' servers run as"
            )
        return os.path.realpath(wanted)
    candidates = ["/usr/bin/python3"]
    candidates += [
        f"{folder}/python3.{minor}" for minor in range(14, 9, -1) for folder in ("/usr/bin", "/usr/local/bin")
    ]
    if not machine.root:
        # An ordinary user may also have one in the home directory; only that user runs it.
        candidates.append(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and _python_version(candidate) >= MINIMUM_PYTHON:
            # With links resolved, so that environments are built again when the machine's Python is replaced.
            return os.path.realpath(candidate)
    raise PlatformError(
        f"this machine has no Python {_dotted(MINIMUM_PYTHON)} or newer in /usr/bin or /usr/local/bin; "
        "install one, or set cluster_python"
    )


def _path_of(wanted: str) -> str:
    """Return the path of an interpreter that is named by its path, or by its version."""
    if wanted.startswith("/"):
        return wanted
    found = shutil.which(f"python{wanted}", path=SYSTEM_PATH)
    if not found:
        raise PlatformError(f"cluster_python: this machine has no python{wanted} in {SYSTEM_PATH.replace(':', ', ')}")
    return found


def _everyone_reaches(path: str) -> bool:
    """Tell whether every account may run ``path`` and pass all directories above it."""
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


@functools.cache
def _python_version(path: str) -> tuple[int, ...]:
    """Return (major, minor), or () where it cannot be run."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return tuple(map(int, done.stdout.split()))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _find_node(path: str) -> str | None:
    """Return the machine's node if it is new enough and has npm beside it."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return None
    match = re.match(r"v(\d+)\.", _output([node, "--version"]))
    return node if match and int(match.group(1)) >= MINIMUM_NODE else None


def _output(command: list[str]) -> str:
    """Return what a command prints, "" where it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _unprivileged_ports() -> int:
    """Return the first port that every account may listen on (ip(7))."""
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
