# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform ``server``: hubs as processes of one machine."""

from __future__ import annotations

import os
from typing import Any

from ...fleet.model import Cluster, Hub
from ..base import Change, Platform, PlatformError
from . import files
from .deploy_lock import LockedError, machine_identity, release, take
from .desired import DesiredHub, desired_hub
from .environments import COMPLETE, Assets, Build
from .history import APPLYING, CHECKED, FAILED, finish, newest
from .live import LiveHub, change_of, file_digest, live_hubs, newer_database, taken_ports
from .machine import Machine, Setup, resolve
from .running import running


class ServerPlatform(Platform):
    """A cluster on the machine that this runs on."""

    def __init__(self, cluster: Cluster, machine: Machine, assets: Assets, directory: str):
        """Take the facts of the machine, the collection's files and the inventory directory."""
        self.setup: Setup = resolve(cluster.name, cluster.options, machine)
        self.assets = assets
        self.directory = directory
        self._known: dict[str, DesiredHub] = {}

    def desired(self, hub: Hub) -> DesiredHub:
        if hub.name not in self._known:
            copied = copied_digests(hub, self.directory)
            self._known[hub.name] = desired_hub(hub, self.setup, self.assets, copied, _certificate(hub))
        return self._known[hub.name]

    def live(self, hubs: list[Hub]) -> dict[str, LiveHub]:
        return live_hubs([hub.name for hub in hubs], self.setup.layout)

    def change(self, hub: Hub, desired: DesiredHub, live: LiveHub) -> Change:
        return change_of(desired, live, [build.name for build in desired.builds if not self.is_built(build)])

    def present(self) -> list[str]:
        hubs = self.setup.layout.hubs
        if not os.path.isdir(hubs):
            return []
        return sorted(
            name for name in os.listdir(hubs) if os.path.exists(self.setup.layout.hub(name).config("hub.json"))
        )

    def identity(self) -> str:
        return machine_identity()

    def lock(self, pid: int, who: str, when: str) -> bool:
        try:
            return take(self.setup.layout, pid, who, when)
        except LockedError as error:
            raise PlatformError(str(error)) from None
        except OSError as error:
            raise PlatformError(f"the lock of the cluster cannot be taken: {error}") from None

    def unlock(self, pid: int) -> bool:
        return release(self.setup.layout, pid)

    def taken_ports(self, hub: Hub, live: LiveHub) -> list[int]:
        """Return the ports that the hub needs and another program of the machine has."""
        return taken_ports(self.desired(hub), live)

    def newer_database(self, hub: Hub, live: LiveHub) -> str:
        """Return the version of JupyterHub whose database the hub's own version could not read, or ""."""
        return newer_database(self.desired(hub), live)

    def is_built(self, build: Build) -> bool:
        """Tell whether a directory is there and whole."""
        return os.path.exists(os.path.join(self.setup.layout.root, build.folder, build.directory, COMPLETE))

    def note_check(self, hub: Hub, passed: bool) -> None:
        """Remember on the machine whether what runs now passed its check; the next plan asks."""
        layout = self.setup.layout.hub(hub.name)
        record = newest(layout)
        # A version that passed once stays one to go back to, whatever ails the hub today.
        if record and record.result not in (APPLYING, CHECKED):
            finish(layout, record.number, CHECKED if passed else FAILED)
        if passed:
            files.write(layout.checked, running(layout, "hub").digest.encode())
        elif os.path.exists(layout.checked):
            os.unlink(layout.checked)

    def check_token(self, hub: Hub) -> str:
        """Return the token that the check acts with; raises PlatformError where there is no hub yet."""
        path = self.setup.layout.hub(hub.name).secret("check_token")
        try:
            with open(path, encoding="ascii") as file:
                return file.read().strip()
        except FileNotFoundError:
            raise PlatformError(f"hub {hub.name} is not deployed; run the playbook deploy first") from None
        except OSError as error:
            raise PlatformError(
                f"hub {hub.name}: {path}: {error.strerror}; check as the account that deployed it"
            ) from None

    def machine_changes(self, hubs: list[Hub]) -> list[dict[str, Any]]:
        """Return what is to be built for ``hubs``, each with one hub that needs it, in order."""
        found: dict[str, dict[str, Any]] = {}
        for hub in hubs:
            for build in self.desired(hub).builds:
                if not self.is_built(build):
                    found.setdefault(
                        build.directory,
                        {"name": build.name, "directory": build.directory, "hub": hub.name},
                    )
        return list(found.values())


def _certificate(hub: Hub) -> str:
    """Return the digest of the hub's TLS certificate, "" without TLS; PlatformError where a file is missing."""
    for option in ("hub_tls_key", "hub_tls_certificate"):
        try:
            found = file_digest(hub[option]) if hub[option] else ""
        except OSError as error:
            raise PlatformError(f"hub {hub.name}: {option}: {hub[option]}: {error.strerror}") from None
    return found


def copied_files(hub: Hub, directory: str) -> dict[str, str]:
    """Return templates and logo of a hub: file below config/ -> path on the controller."""
    found = {}
    if hub["hub_templates"]:
        root = os.path.join(directory, os.path.expanduser(hub["hub_templates"]))
        for folder, _folders, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.join("templates", os.path.relpath(path, root))] = path
    if hub["hub_logo"]:
        path = os.path.join(directory, os.path.expanduser(hub["hub_logo"]))
        found[f"logo{os.path.splitext(path)[1]}"] = path
    return found


def copied_digests(hub: Hub, directory: str) -> dict[str, str]:
    """Return templates and logo of a hub: file below config/ -> SHA-256."""
    return {name: file_digest(path) for name, path in copied_files(hub, directory).items()}
