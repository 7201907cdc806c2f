# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try to reach what belongs to others from a user's kernel. Standard library only.

Runs in a cell of a kernel. Facts say what there is to be reached:

homes, files, other_hub, leftovers   paths, of files
software                             directories of environments
pids                                 processes of other users and of the hub
sockets                              sockets of other users' kernels
asking                               addresses that must not answer without a token
own_token_at                         addresses that must not answer to the user's own token
"""

from __future__ import annotations

import glob
import os
import signal
import socket
import urllib.error
import urllib.request
from typing import Any


def readable(paths: list[str]) -> list[str]:
    """Return the files that can be read."""
    found = []
    for path in paths:
        try:
            with open(path, "rb") as stream:
                stream.read(1)
            found.append(path)
        except OSError:
            pass
    return found


def tokens() -> list[str]:
    """Return names of tokens and passwords in the environments of other users' processes."""
    mine = os.environ["JUPYTERHUB_API_TOKEN"]
    found = []
    for name in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(name, errors="replace") as stream:
                variables = stream.read().split("\0")
        except OSError:
            continue
        found += [each.split("=")[0] for each in variables if "TOKEN" in each and mine not in each]
    return found


def listed(pids: list[int]) -> list[int]:
    """Return the processes that are visible."""
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def signalled(pids: list[int]) -> list[int]:
    """Return the processes that accept a signal, without effect."""
    found = []
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
            found.append(pid)
        except OSError:
            pass
    return found


def connected(paths: list[str]) -> list[str]:
    """Return the sockets that accept a connection."""
    found = []
    for path in paths:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
                found.append(path)
            except OSError:
                pass
    return found


def answering(urls: list[str], token: str = "") -> list[str]:
    """Return the addresses that answer without permission."""
    found = []
    for url in urls:
        request = urllib.request.Request(url, headers={"Authorization": f"token {token}"} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=20):
                found.append(url)
        except urllib.error.HTTPError:
            pass
    return found


def open_ports(urls: list[str]) -> list[str]:
    """Return the addresses that are reachable."""
    found = []
    for url in urls:
        host, _colon, port = url.split("/")[2].partition(":")
        with socket.socket() as client:
            if client.connect_ex((host, int(port))) == 0:
                found.append(url)
    return found


def attempts(facts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return what was reached, by the name of the attempt."""
    return {
        "homes of others": readable(facts["homes"]),
        "files of the hub": readable(facts["files"]),
        "files of other hubs": readable(facts["other_hub"]),
        "tokens of others": tokens(),
        "processes of others": listed(facts["pids"]),
        "signals to others": signalled(facts["pids"]),
        "kernels of others": connected(facts["sockets"]),
        "temporary files of others": readable(facts["leftovers"]),
        "software": [path for path in facts["software"] if os.access(path, os.W_OK)],
        "ports": open_ports(facts["asking"]),
        "ports without a token": answering(facts["asking"]),
        "ports with the user's token": answering(facts["own_token_at"], os.environ["JUPYTERHUB_API_TOKEN"]),
    }
