# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the routes of a restarted proxy back at once. Standard library only.

A proxy that restarts has lost its routes; the hub would notice at its next look, up to a minute
later. POST hub/api/proxy makes it look now (JupyterHub REST API, scope "proxy").
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 30.0
PAUSE = 0.1


def answers(port: int) -> bool:
    """Whether something accepts connections on a port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def ask_hub(url: str, token: str) -> bool:
    """Asks the hub to look at its proxy; says whether there is nothing left to do.

    False means the hub does not answer yet, or could not reach the proxy.
    """
    request = urllib.request.Request(url, data=b"", method="POST")
    request.add_header("Authorization", f"token {token}")
    # no proxy of the environment: this stays on the machine
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 500:
            print(
                f"hubfleet: the hub refused to restore the routes: HTTP {error.code}",
                file=sys.stderr,
            )
            return True
        return False
    except OSError:
        return False


def restore(proxy_ports: list[int], hub_url: str, token: str, patience: float = PATIENCE) -> bool:
    """Waits until proxy and hub answer, then lets the hub restore the routes.

    Gives False when that was not possible in time: then the hub is not up, and will set the
    routes itself when it starts.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if all(answers(port) for port in proxy_ports) and ask_hub(hub_url, token):
            return True
        time.sleep(PAUSE)
    return False


def restore_in_background(proxy_ports: list[int], hub_url: str, token: str) -> None:
    """Runs restore() in a process of its own that nobody has to wait for."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    status = 1
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.alarm(int(PATIENCE) + 15)  # whatever happens, it ends
        restore(proxy_ports, hub_url, token)
        status = 0
    finally:
        os._exit(status)
