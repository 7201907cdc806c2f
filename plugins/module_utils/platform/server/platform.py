# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform ``server``: hubs as processes of one machine."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from ...fleet.changes import Change
from ...schema.model import Cluster, Hub
from ...schema.reverse_proxy_checks import read_authority
from ..base import Platform, PlatformError
from . import lock as deploy_lock
from .desired.environments import Assets, Build, hub_environment, supervisor_environment
from .desired.hub import DesiredHub, desired_hub
from .desired.services import Service, reverse_proxy_service
from .facts.gather import Survey, file_digest
from .observe.cluster import State, Wanted
from .observe.hub import ObservedHub, change_of, newer_database
from .queries import Ask
from .reverse_proxy.desired import OPTIONS as REVERSE_PROXY_OPTIONS
from .revisions.history import Record

#: The options of a cluster that its machine has to do with.
_OPTIONS = (
    "cluster_state_directory",
    "cluster_isolation",
    "cluster_supervisor",
    "cluster_python",
    "cluster_proxy_version",
    *REVERSE_PROXY_OPTIONS,
)


class ServerPlatform(Platform):
    """A cluster on one machine, which is asked through ``ask``.

    survey: what the machine is. state: of its hubs, as the last :meth:`live` found it.
    """

    def __init__(self, cluster: Cluster, hubs: list[Hub], ask: Ask, assets: Assets, directory: str):
        """Take the cluster's hubs, the collection's files and the inventory directory; raises PlatformError."""
        self._ask = ask
        self.authority = read_authority(cluster["cluster_certificate_authority"], directory)
        question = {
            "cluster": cluster.name,
            "options": {name: cluster[name] for name in _OPTIONS},
            "authority": self.authority,
            "certificates": {hub.name: _own_certificate(hub) for hub in hubs if hub["hub_tls_certificate"]},
        }
        self.survey = Survey.from_dict(ask("survey", question))
        self.setup, self.reverse_proxy = self.survey.setup, self.survey.reverse_proxy
        self.state = State()
        self.cluster = cluster.name
        self.assets = assets
        self.directory = directory
        self._known: dict[str, DesiredHub] = {}

    def desired(self, hub: Hub) -> DesiredHub:
        if hub.name not in self._known:
            copied = copied_digests(hub, self.directory)
            own = self._certificate(hub)
            self._known[hub.name] = desired_hub(hub, self.setup, self.assets, copied, own, self.reverse_proxy)
        return self._known[hub.name]

    def live(self, hubs: list[Hub]) -> dict[str, ObservedHub]:
        desired = [self.desired(hub) for hub in hubs]
        wanted = Wanted(
            {hub.name: sorted(set(hub.config["ports"].values())) for hub in desired},
            [*(service for hub in desired for service in hub.services), self.reverse_proxy_service()],
            sorted({_place(build) for hub in desired for build in hub.builds}),
            self.supervisor(),
            self.reverse_proxy if any(hub.behind_reverse_proxy for hub in hubs) else None,
        )
        root = self.setup.layout.root
        self.state = State.from_dict(self._ask("state", {"root": root, "wanted": wanted.as_dict()}))
        return self.state.hubs

    def change(self, hub: Hub, desired: DesiredHub, live: ObservedHub) -> Change:
        missing = [build.name for build in desired.builds if not self._is_built(build)]
        return change_of(desired, live, missing, self.state.reverse_proxy)

    def present(self) -> list[str]:
        return self.state.present

    def identity(self) -> str:
        return self.survey.identity

    def lock(self, pid: int, who: str, when: str) -> bool:
        question = {"root": self.setup.layout.root, "owner": deploy_lock.owner(pid, who, when)}
        found = self._ask("lock", question)
        holder = found.get("holder")
        if holder and deploy_lock.is_gone(holder):
            # The machine could not tell, since it was a process of this one.
            found = self._ask("lock", {**question, "gone": holder})
        if "holder" in found:
            raise PlatformError(found["problem"])
        return bool(found["stale"])

    def unlock(self, pid: int) -> bool:
        owner = deploy_lock.owner(pid, "", "")
        return bool(self._ask("unlock", {"root": self.setup.layout.root, "owner": owner})["released"])

    def history(self, hubs: list[str]) -> dict[str, list[Record]]:
        """Return what was deployed of each hub, the newest first."""
        found = self._ask("history", {"root": self.setup.layout.root, "hubs": hubs})
        return {name: [Record(**record) for record in records] for name, records in found.items()}

    def last_backups(self, hubs: list[str]) -> dict[str, str]:
        """Return when each hub was backed up last, in ISO format; "" where one never was."""
        return self._ask("backups", {"root": self.setup.layout.root, "hubs": hubs})

    def newer_database(self, hub: Hub, live: ObservedHub) -> str:
        """Return the version of JupyterHub whose database the hub's own version could not read, or ""."""
        return newer_database(self.desired(hub), live)

    def reverse_proxy_service(self) -> Service:
        """Return the service of the cluster's reverse proxy, whether or not there is one."""
        return reverse_proxy_service(self.cluster, self.reverse_proxy, self.setup, self.assets)

    def hub_python(self, hub: Hub) -> str:
        """Return the Python that a hub runs with."""
        build = hub_environment(hub["hub_jupyterhub_version"], self.setup, self.assets)
        return f"{self.setup.layout.tool(build.directory)}/bin/python"

    def supervisor(self) -> dict[str, str]:
        """Return what the engine's function create_supervisor() takes."""
        layout = self.setup.layout
        programs = layout.tool(supervisor_environment(self.setup, self.assets).directory)
        return {
            "kind": self.setup.supervisor,
            "directory": layout.supervisor,
            "runtime_directory": self.setup.runtime_directory,
            "programs": f"{programs}/bin",
        }

    def machine_changes(self, hubs: list[Hub]) -> list[dict[str, Any]]:
        """Return what is to be built for ``hubs``, each with one hub that needs it, in order."""
        found: dict[str, dict[str, Any]] = {}
        for hub in hubs:
            for build in self.desired(hub).builds:
                if not self._is_built(build):
                    found.setdefault(
                        build.directory,
                        {"name": build.name, "directory": build.directory, "hub": hub.name},
                    )
        return list(found.values())

    def _is_built(self, build: Build) -> bool:
        return _place(build) in self.state.built

    def _certificate(self, hub: Hub) -> str:
        """Return the digest of the hub's own certificate and key, "" without; PlatformError where these are no use."""
        if hub.name in self.survey.unusable:
            raise PlatformError(f"hub {hub.name}: {self.survey.unusable[hub.name]}")
        return self.survey.certificates.get(hub.name, "")


def _place(build: Build) -> str:
    return f"{build.folder}/{build.directory}"


def _own_certificate(hub: Hub) -> dict[str, str]:
    """Return where the hub's own certificate and key are on its machine, and the host that they are for, or ""."""
    host = urlsplit(hub.url).hostname if hub["hub_domain"] or hub["hub_url"] else ""
    return {"certificate": hub["hub_tls_certificate"], "key": hub["hub_tls_key"], "host": host or ""}


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
