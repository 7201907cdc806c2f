# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run JupyterHub, and record when it has finished its start.

JupyterHub answers requests before it starts its managed services (those with a command), and exits if one of these
cannot be started (jupyterhub/app.py: JupyterHub.start). Only the record, ``run/hub-started.json``, tells a hub that
works from one that its supervisor restarts for ever.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

# it runs as a script, which does not find its own package
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jupyterhub import app

from hubfleet_runtime import files, processes

#: Seconds that a managed service must run: JupyterHub starts one that ends again only at its next poll.
SERVICE_GRACE = 2.0


class JupyterHub(app.JupyterHub):
    """JupyterHub with a record of its start; by the same name, which logs contain."""

    async def start(self) -> None:
        """Start the hub, and record it with the managed services that ended at once."""
        await super().start()
        failed = await self._failed_services()
        for service, reason in failed.items():
            self.log.error("Service %s %s", service, reason)
        itself = processes.stat(os.getpid())
        record = {"pid": os.getpid(), "start_time": itself.start_time if itself else "", "failed_services": failed}
        files.write_private(Path(os.environ["HUBFLEET_DIRECTORY"], "run", "hub-started.json"), json.dumps(record))

    async def _failed_services(self) -> dict[str, str]:
        """Return the managed services that ended with an error within SERVICE_GRACE -> what happened."""
        started = {name: service.proc for name, service in self._service_map.items() if service.managed}
        deadline = time.monotonic() + SERVICE_GRACE
        while any(process.poll() is None for process in started.values()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        codes = {name: process.poll() for name, process in started.items()}
        return {name: f"ended with exit code {code} right after its start" for name, code in codes.items() if code}


if __name__ == "__main__":
    JupyterHub.launch_instance()
