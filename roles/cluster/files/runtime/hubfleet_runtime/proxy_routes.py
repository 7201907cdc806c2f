# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore the routes of a restarted proxy at once. Standard library only.

A restarted proxy has no routes, and the hub checks them once in a minute. POST hub/api/proxy makes it check now
(JupyterHub REST API, scope "proxy").
"""

from __future__ import annotations

import os
import pwd
import signal
import sys
import time
import urllib.error
import urllib.request

from hubfleet_runtime import ports

TIMEOUT = 30.0


def request_check(url: str, token: str) -> bool:
    """Ask the hub to check its proxy; return False if the hub or its proxy do not answer yet."""
    request = urllib.request.Request(url, data=b"", method="POST")
    request.add_header("Authorization", f"token {token}")
    # without proxies of the environment: the hub is on this machine
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 500:
            print(f"hubfleet: the hub refused to restore the routes: HTTP {error.code}", file=sys.stderr)
        return error.code < 500
    except OSError:
        return False


def restore(proxy_port: int, hub_url: str, token: str) -> None:
    """Wait until proxy and hub answer, then let the hub restore the routes.

    A hub that is not up in time sets the routes itself when it starts.
    """
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if ports.is_listening(proxy_port) and request_check(hub_url, token):
            return
        time.sleep(0.1)


def restore_in_background(proxy_port: int, hub_url: str, token: str, account: pwd.struct_passwd | None) -> None:
    """Call restore() in a detached process, of the account if there is one."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    status = 1
    try:
        os.setsid()
        if account:
            os.setgroups([])
            os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
            os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
        if os.fork():
            os._exit(0)
        signal.alarm(int(TIMEOUT) + 15)  # ends the process in any case
        restore(proxy_port, hub_url, token)
        status = 0
    finally:
        os._exit(status)
