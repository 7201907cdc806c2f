# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of systemd's units. Sources: systemd.service(5), systemd.exec(5), systemd.syntax(7)."""

from __future__ import annotations

import os

from ..desired.services import Service

# Not the hub, which creates accounts and starts users' servers: its restrictions would apply to them, too.
_HARDENED = ("proxy", "culler")

# Settings that the systemd of an ordinary account supports, too.
_HARDENING = """\
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
"""
# The launcher needs these capabilities. It keeps none of them for the service, except CAP_NET_BIND_SERVICE for a port
# below 1024; AmbientCapabilities= would be lost when it switches to the account hubfleet-proxy.
# CAP_SETUID, CAP_SETGID, CAP_SETPCAP: to switch. CAP_DAC_READ_SEARCH: to read a key of another account.
_SYSTEM_HARDENING = """\
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_DAC_READ_SEARCH
ProtectSystem=strict
ReadWritePaths={directory}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
"""


def target_unit(service: Service, system: bool) -> str:
    """Return the target of a hub, which starts with the machine, or with the account's systemd."""
    return f"""\
[Unit]
Description=JupyterHub {service.name.rpartition("-")[0]} (hubfleet)
[Install]
WantedBy={"multi-user.target" if system else "default.target"}
"""


def service_unit(service: Service, target: str, system: bool) -> str:
    """Return the unit of a service.

    PartOf= names the target only, not the proxy: the proxy's launcher tells the hub to restore the routes within a
    second, while a restart of the hub would take longer.

    143: exit code of node after SIGTERM. 78: the hub's configuration is invalid, and a restart would not help.
    KillMode and OOMPolicy: users' servers that are children of the hub survive its restart; they count as tasks of the
    unit, and one of them that runs out of memory must not stop the hub.
    """
    command = " ".join(_quoted(word) for word in service.command)
    hardening = _hardening(service, system) if service.role in _HARDENED else ""
    return f"""\
[Unit]
Description=JupyterHub {service.name} (hubfleet)
After=network.target
PartOf={target}
StartLimitIntervalSec=0
[Service]
ExecStart={command}
WorkingDirectory={_specifiers_escaped(service.directory)}
{f"Slice={service.slice}" if service.slice else "# without a slice of its own"}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=30
SuccessExitStatus=143
RestartPreventExitStatus=78
UMask=0077
OOMPolicy=continue
MemoryAccounting=yes
CPUAccounting=yes
TasksAccounting=yes
TasksMax=infinity
{hardening}[Install]
WantedBy={target}
"""


def _hardening(service: Service, system: bool) -> str:
    if not system:
        return _HARDENING
    text = _HARDENING + _SYSTEM_HARDENING.format(directory=_quoted_path(service.directory))
    if not _uses(service, "/home", "/root", "/run/user"):
        text += "ProtectHome=yes\n"
    if not _uses(service, "/tmp", "/var/tmp"):
        text += "PrivateTmp=yes\n"
    return text


def _uses(service: Service, *folders: str) -> bool:
    """Return whether the service uses a path in one of the folders: its directory, programs, or a certificate."""
    paths = [service.directory, *(word.rpartition("=")[2] for word in service.command)]
    return any(os.path.commonpath([path, folder]) == folder for path in paths if path[:1] == "/" for folder in folders)


def _quoted(word: str) -> str:
    """Return a word of a command line for ExecStart (systemd.syntax(7))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _quoted_path(path: str) -> str:
    """Return a path for a setting that takes several paths."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specifiers_escaped(escaped)}"'


def _specifiers_escaped(text: str) -> str:
    return text.replace("%", "%%")
