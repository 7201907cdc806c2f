# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users work through the reverse proxy, while it is changed, killed and in the way of others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from reverse_proxy_fleet import Served
from verbs_fleet import wait_for
from verbs_hub import Kernel

LARGE = 60 * 1024 * 1024


@pytest.fixture(scope="module")
def kernel(served: Served) -> Iterator[Kernel]:
    """A kernel of a user of the hub at campus…/math/, reached through the reverse proxy."""
    hub = served.fleet.hub("math")
    hub.start_server("ada")
    yield hub.kernel("ada").mark()
    hub.stop_server("ada")


def front_pid(served: Served) -> int:
    return int(json.loads((served.fleet.state / "caddy" / "run" / "reverse-proxy.json").read_text())["pid"])


def test_kernels_are_reached_below_a_path(served: Served, kernel: Kernel) -> None:
    assert kernel.url.startswith(f"wss://campus.hubs.test:{served.https}/math/".replace("wss", "https"))
    assert kernel.survives()


def test_large_uploads_pass(served: Served, kernel: Kernel) -> None:
    content = os.urandom(1024 * 1024) * (LARGE // (1024 * 1024))
    hub = served.fleet.hub("math")
    body = {"type": "file", "format": "base64", "content": base64.b64encode(content).decode()}
    status, answer = hub.request("PUT", "user/ada/api/contents/large.bin", kernel.token, body)
    assert status == 201, answer[:300]
    code = "import hashlib; print(hashlib.sha256(open('large.bin', 'rb').read()).hexdigest())"
    assert kernel.run(code).strip() == hashlib.sha256(content).hexdigest()
    request = urllib.request.Request(f"{hub.url}user/ada/files/large.bin")
    request.add_header("Authorization", f"token {kernel.token}")
    with urllib.request.urlopen(request, timeout=60, context=served.visitor.context()) as answered:
        assert hashlib.sha256(answered.read()).digest() == hashlib.sha256(content).digest()


async def _held_during(kernel: Kernel, context: Any, what: Any) -> bool:
    """Tell whether a WebSocket to a kernel is open still after something was done."""
    headers = {"Authorization": f"token {kernel.token}"}
    async with aiohttp.ClientSession() as session:
        held = await session.ws_connect(kernel.url, headers=headers, ssl=context)
        await asyncio.to_thread(what)
        try:
            while True:
                message = await held.receive(timeout=2)
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                    return False
        except aiohttp.ClientConnectionResetError:  # closed so fast that the answer to it found no way back
            return False
        except asyncio.TimeoutError:
            return True


def test_deploys_of_hubs_leave_connections_alone(served: Served, kernel: Kernel) -> None:
    def announce() -> None:
        served.fleet.set("one", hub_announcement="Soon!")
        result = served.fleet.succeed("deploy", "--skip-tags", "check")
        assert "reverse proxy to" not in served.fleet.succeed("plan").output
        assert result.outcomes()["one"] == "deployed"

    pid = front_pid(served)
    assert asyncio.run(_held_during(kernel, served.visitor.context(), announce))
    assert front_pid(served) == pid


def test_another_domain_is_loaded_into_what_runs(served: Served, kernel: Kernel) -> None:
    """Caddy 2.6.2 then ends WebSockets, kernels go on; a newer one that does not end them is welcome here."""

    def move() -> None:
        served.fleet.set("one", hub_url=f"https://moved.hubs.test:{served.https}/")
        planned = served.fleet.succeed("plan").planned()
        assert "reverse proxy to reload" in planned["one"] and "math" not in planned
        assert served.fleet.succeed("deploy").outcomes()["one"] == "deployed"

    pid = front_pid(served)
    asyncio.run(_held_during(kernel, served.visitor.context(), move))
    assert front_pid(served) == pid
    assert kernel.survives()
    assert served.fleet.hub("one").url.startswith("https://moved.")
    assert served.visitor.get(f"https://moved.hubs.test:{served.https}/hub/login").status == 200
    with pytest.raises(OSError):
        served.visitor.get(f"https://one.hubs.test:{served.https}/hub/login")
    assert "3 hubs: nothing to change" in served.fleet.succeed("plan").output


def test_comes_back_when_it_is_killed(served: Served, kernel: Kernel) -> None:
    before = front_pid(served)
    os.kill(before, signal.SIGKILL)
    wait_for("the reverse proxy", lambda: front_pid(served) != before and served.fleet.hub("math").healthy())
    assert kernel.survives()
    assert "3 hubs: nothing to change" in served.fleet.succeed("plan").output


def test_stopping_one_hub_leaves_the_others(served: Served) -> None:
    served.fleet.succeed("stop", "--limit", "physics")
    assert served.fleet.hub("math").healthy()
    assert not served.fleet.hub("physics").healthy()
    planned = served.fleet.succeed("plan").planned()
    assert list(planned) == ["physics"]
    assert "proxy not running" in planned["physics"] and "reverse proxy to reload" in planned["physics"]
    served.fleet.succeed("deploy", "--skip-tags", "check", "--limit", "physics")
    assert served.fleet.hub("physics").healthy()


def test_tells_who_has_its_port(served: Served) -> None:
    served.fleet.succeed("stop")
    assert not (served.fleet.state / "caddy" / "Caddyfile").exists()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", served.https))
        other.listen(1)
        result = served.fleet.run("deploy")
    assert result.code != 0
    said = (
        rf"cluster_https_port: port {served.https} is in use by \S+ \(process {os.getpid()}\); "
        "stop that program, or set another port"
    )
    assert re.search(said, result.output), result.output[-3000:]
    assert result.changed() == 0
    served.fleet.succeed("deploy", "--skip-tags", "check")
    assert served.fleet.hub("one").healthy()
