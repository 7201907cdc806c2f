# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the history of a hub says of a deploy: only the controller knows who, from what, and with which release."""

from __future__ import annotations

import datetime
import getpass
import hashlib
import os
import socket
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import HubTarget, recorded_target
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import collection_version
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.revision import revision_of


def who() -> str:
    """Return who deploys: the person that AWX says started the job, else the account, and the machine."""
    person = os.environ.get("TOWER_USER_NAME") or os.environ.get("AWX_USER_NAME")
    if not person:
        try:
            person = getpass.getuser()
        except (KeyError, OSError):  # an account without a name, as in some containers
            person = str(os.getuid())
    return f"{person}@{socket.gethostname()}"


def now_for_people() -> str:
    """Return the time as the lock of a cluster has it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def author(directory: str, admin_file: str = "") -> dict[str, str]:
    """Return who deploys, when and with what.

    directory: the inventory's. admin_file: commit and author of what the hub's admins have set, "" if there is nothing.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "when": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": f"{who()}; {admin_file}" if admin_file else who(),
        "collection": collection_version(),
        "revision": revision_of(directory),
    }


def record_of(
    desired: DesiredHub, texts: dict[str, bytes], directory: str, check: HubTarget, admin_file: str = ""
) -> dict[str, Any]:
    """Return the fields of history.Record for a deploy; texts: path below config/ -> content; others: see author."""
    return {
        **author(directory, admin_file),
        "fingerprint": desired.fingerprint,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in texts.items()},
        "services": [service.as_dict() for service in desired.services],
        "builds": [build.directory for build in desired.builds],
        "check": recorded_target(check),
        "reverse_proxy": desired.reverse_proxy.recorded() if desired.reverse_proxy else {},
        **desired.versions,
    }
