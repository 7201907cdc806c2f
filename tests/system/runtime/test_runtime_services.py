# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed services of a real hub: when its start is finished, and what stays of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_client import wait_for
from runtime_rig import Hub, free_ports
from runtime_tools import needs_root

pytestmark = needs_root

LASTING = {"name": "lasting", "command": ["sh", "-c", "sleep 7301 & exec sleep 7302"]}


def started(hub: Hub) -> dict[str, Any]:
    """Return the record of a finished start of the process that runs, {} if there is none."""
    path = hub.directory / "run" / "hub-started.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    return record if record.get("pid") == hub.running["hub"].pid else {}


def marked(hub: Hub) -> dict[int, bytes]:
    """Return the processes of the hub's managed services -> their environment."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
        except OSError:
            continue
        if f"HUBFLEET_SERVICE_OF={hub.directory}\0".encode() in environment:
            found[int(path.parent.name)] = environment
    return found


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Hub:
    """A hub with a service of each kind: one that runs, one that ends well, one that fails, one somewhere else."""
    hub = make_root_hub("serving", services=[LASTING, {"name": "outside", "url": "http://127.0.0.1:9"}])
    code = "c.JupyterHub.services += [{'name': name, 'command': command} for name, command in %s]"
    hub.write(extra=code % [("done", ["true"]), ("broken", ["sh", "-c", "exit 3"])])
    secrets = {"service_environments": {"lasting": {"OWN": "1"}}}
    (hub.directory / "config" / "secrets.json").write_text(json.dumps(secrets))
    hub.start("proxy", "hub")
    return hub


def test_a_finished_start_is_recorded(hub: Hub) -> None:
    record = wait_for("the end of the start", lambda: started(hub), 20)
    assert record["failed_services"] == {"broken": "ended with exit code 3 right after its start"}
    assert "Service broken ended with exit code 3 right after its start" in hub.log("hub")
    assert len(marked(hub)) == 2 and all(b"OWN=1\0" in environment for environment in marked(hub).values())


def test_services_of_a_killed_hub_do_not_stay(hub: Hub) -> None:
    before = set(marked(hub))
    hub.kill("hub")
    assert set(marked(hub)) == before
    hub.start("hub")
    wait_for("the end of the start", lambda: started(hub), 20)
    assert len(marked(hub)) == 2 and not before & set(marked(hub))


def test_services_end_with_their_hub(hub: Hub) -> None:
    process = hub.running.pop("hub")
    process.terminate()
    process.communicate(timeout=30)
    # The process that a service left is ended when the hub starts, or by the playbooks stop and remove.
    assert b"sleep\x007302\0" not in {Path(f"/proc/{pid}/cmdline").read_bytes() for pid in marked(hub)}


def test_a_hub_whose_service_cannot_start_ends(make_root_hub: Callable[..., Hub]) -> None:
    """JupyterHub answers before, so only the record tells."""
    hub = make_root_hub("failing", services=[{**LASTING, "url": f"http://127.0.0.1:{free_ports(1)[0]}"}])
    hub.write(extra="c.JupyterHub.services[-1]['command'] = ['/no/such/program']")
    hub.start("proxy")
    process = subprocess.Popen(hub.command("hub"), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    hub.running["hub"] = process
    assert process.wait(timeout=60) == 1
    assert not started(hub) and not marked(hub)
    assert "No such file or directory: '/no/such/program'" in hub.log("hub")
    assert os.path.exists(hub.directory / "jupyterhub.sqlite")
