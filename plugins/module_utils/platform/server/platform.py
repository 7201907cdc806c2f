# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform ``server``: hubs as processes of one machine."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Callable
from urllib.parse import urlsplit

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    HubTarget,
)

from ...environments.build.model import Build
from ...fleet.changes import HubDiff
from ...fleet.environments import FoundEnvironments
from ...fleet.lock_owner import ALIVE, GONE, UNKNOWN, LockOwner
from ...fleet.revisions import Revision
from ...fleet.snapshot import Snapshot
from ...fleet.users import FoundUsers, UserChange
from ...schema.model import LOCALHOST, Cluster, FleetInput, Hub
from ...schema.problems import Problems
from ...schema.reverse_proxy_checks import read_authority
from ..base import (
    BACKUP,
    DEPLOY,
    ENVIRONMENTS,
    USERS,
    CheckResults,
    ClusterState,
    Notice,
    Platform,
    PlatformError,
    Prerequisite,
)
from .access_changes import kept_sentences
from .blockers import find_blockers
from .check import not_deployed
from .check_choices import check_choices
from .code_checks import check_code
from .desired.copied_files import copied_digests
from .desired.environments import Assets, hub_builds, hub_environment, supervisor_environment
from .desired.hub import DesiredHub, desired_hub
from .desired.services import Service, reverse_proxy_service
from .desired.snapshot import describe_hub
from .diff import diff_hub
from .facts.gather import MachineFacts
from .machine_access import MachineAccess
from .observe.cluster import MachineState
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


class ServerState(ClusterState):
    """What one read of a machine found."""

    facts: MachineFacts

    def __init__(self, facts: MachineFacts, machine: MachineState, **found: Any):
        super().__init__(facts, machine.hubs, **found)
        self.machine = machine


class ServerPlatform(Platform):
    """A cluster on one machine."""

    capabilities = frozenset({DEPLOY, BACKUP, USERS, ENVIRONMENTS})

    def __init__(self, cluster: Cluster, inventory: FleetInput, assets: Assets, reach: Callable[[], MachineAccess]):
        """Take a cluster, its inventory, the collection's files for machines, and what returns the machine."""
        self.cluster = cluster
        self.inventory = inventory
        self.assets = assets
        self._reach = reach

    @functools.cached_property
    def machine(self) -> MachineAccess:
        """The machine of the cluster."""
        return self._reach()

    def complete(self, hubs: list[Hub], problems: Problems) -> None:
        """Do nothing: the inventory says everything of hubs on a machine."""

    def validate(self, hubs: list[Hub], problems: Problems) -> None:
        for hub in hubs:
            check_code(hub, self.inventory.hosts[hub.name], self.assets.jupyterhub_records, problems)

    def facts(self, hubs: list[Hub]) -> MachineFacts:
        found: MachineFacts = self.machine.query("facts", self._about(hubs))
        return found

    def facts_from_dict(self, values: dict[str, Any]) -> MachineFacts:
        return MachineFacts.from_dict(values)

    def observe(self, hubs: list[Hub]) -> ServerState:
        about = {
            **self._about(hubs),
            "hubs": {hub.name: sorted({hub["hub_port"], *hub.inner_ports}) for hub in hubs},
            "reverse_proxy": any(hub.behind_reverse_proxy for hub in hubs),
        }
        facts, machine = self.machine.query("observe", about)
        return ServerState(
            facts,
            machine,
            orphans=sorted(set(machine.deployed) - set(self.inventory.hosts)),
            blockers=find_blockers(hubs, facts.setup, machine, self.inventory, self.assets),
            prerequisites=self._prerequisites(hubs, facts, machine),
        )

    def desired(self, hub: Hub, facts: MachineFacts) -> DesiredHub:
        if hub.name in facts.unusable:
            raise PlatformError(f"hub {hub.name}: {facts.unusable[hub.name]}")
        copied = copied_digests(hub, self.inventory.directory)
        certificate = facts.certificates.get(hub.name, "")
        return desired_hub(hub, facts.setup, self.assets, copied, certificate, facts.reverse_proxy)

    def diff(self, hub: Hub, desired: DesiredHub, state: ServerState) -> HubDiff:
        commits = {each.name: each.pin.short_commit for each in hub.environments if each.pin}
        missing = [
            f"{build.name} of commit {commits[build.name]}" if build.name in commits and build.tree else build.name
            for build in desired.builds
            if not _is_built(build, state.machine)
        ]
        return diff_hub(desired, state.machine, missing)

    def describe(self, hub: Hub) -> Snapshot:
        return describe_hub(hub, self.inventory.directory, self.assets)

    def notices(self, state: ServerState) -> list[Notice]:
        setup, proxy = state.facts.setup, state.facts.reverse_proxy
        found = [
            Notice(
                f"{self.cluster.name}: isolation {setup.isolation} ({setup.limits}), supervisor {setup.supervisor}, "
                f"state in {setup.layout.root}"
            )
        ]
        if proxy.wanted:
            ports = f"ports {proxy.http_port} and {proxy.https_port}"
            found.append(Notice(f"{self.cluster.name}: reverse proxy on {ports}, Caddy {proxy.version}"))
        if setup.isolation == "none":
            text = (
                f"cluster {self.cluster.name}: cluster_isolation is none: "
                "every user of its hubs can read the files and tokens of all others"
            )
            found.append(Notice(text, warning=True))
        found += [Notice(f"hub {hub}: {when}", warning=True) for hub, when in sorted(state.facts.expiring.items())]
        for name, hub in sorted(state.machine.hubs.items()):
            found += [Notice(f"hub {name}: {text}") for text in kept_sentences(hub.panel)]
        return found

    def revisions(self, hubs: list[str]) -> dict[str, list[Revision]]:
        found = self.machine.query("history", {**self._place(), "hubs": hubs})
        return {name: [_revision(record) for record in records] for name, records in found.items()}

    def last_backups(self, hubs: list[str]) -> dict[str, str]:
        found: dict[str, str] = self.machine.query("backups", {**self._place(), "hubs": hubs})
        return found

    def environments(self, hubs: list[Hub]) -> FoundEnvironments:
        about = {**self._place(), "hubs": [hub.name for hub in hubs]}
        found: FoundEnvironments = self.machine.query("environments", about)
        return found

    def users(self, hubs: list[str]) -> FoundUsers:
        found: FoundUsers = self.machine.query("users", {**self._place(), "hubs": hubs})
        return found

    def rename_problem(self, hub: str, user: str, new_name: str) -> str:
        about = {**self._place(), "hub": hub, "user": user, "new_name": new_name}
        return str(self.machine.query("rename_problem", about))

    def change_users(self, hub: str, changes: list[UserChange]) -> list[str]:
        about = {**self._place(), "hub": hub, "changes": [change.as_dict() for change in changes]}
        return list(self.machine.query("change_users", about))

    def passwords_notice(self, hub: Hub, facts: MachineFacts, new: bool) -> str:
        layout = facts.setup.layout.hub(hub.name)
        if hub["hub_authenticator"] == "native":
            return f"first passwords that people have not changed yet are in {self._remote(layout.first_passwords)}"
        if hub["hub_authenticator"] == "shared-password" and new:
            return f"passwords are in {self._remote(layout.path('secrets'))}: user_password, admin_password"
        return ""

    def metrics_notice(self, hub: Hub, facts: MachineFacts) -> str:
        path = self._remote(facts.setup.layout.hub(hub.name).secret("metrics_token"))
        return f"the token for {hub.url}hub/metrics is in {path}" if hub["hub_metrics"] else ""

    def _remote(self, path: str) -> str:
        """Return a path on the machine as scp takes it."""
        host = str(self.cluster["cluster_host"])
        return path if host == LOCALHOST else f"{host}:{path}"

    def check_targets(
        self, hubs: list[Hub], facts: MachineFacts, every: bool = False, as_deployed: bool = False
    ) -> list[HubTarget]:
        if as_deployed:
            # The machine knows what was deployed; see check.py.
            return [HubTarget(hub.name, self.cluster.name, "", "") for hub in hubs]
        return [self._check_target(hub, facts, every) for hub in hubs]

    def check(
        self,
        hubs: list[Hub],
        targets: list[HubTarget],
        facts: MachineFacts,
        options: CheckOptions,
        report: Callable[[str], None] | None = None,
        stop: Stop | None = None,
    ) -> CheckResults:
        """Check hubs from their machine, since only there it is certain that they can be reached."""
        deployed = self.machine.query("deployed", self._place())
        found = CheckResults(problems={hub.name: not_deployed(hub.name) for hub in hubs if hub.name not in deployed})
        by_python: dict[str, list[tuple[HubTarget, str]]] = {}
        for hub, target in zip(hubs, targets):
            if hub.name in deployed:
                directory = facts.setup.layout.hub(hub.name).directory
                python = deployed[hub.name] or self.hub_python(hub, facts)
                by_python.setdefault(python, []).append((target, directory))
        for python, some in by_python.items():
            found.add(self.machine.check(some, options, python, report))
        return found

    def lock(self, owner: LockOwner, force: bool = False) -> bool:
        about = {**self._place(), "owner": owner.to_text()}
        found = self.machine.query("lock", about)
        holder = LockOwner.from_text(found.get("holder", ""))
        if holder and found["state"] == UNKNOWN:
            # The machine cannot judge a process of the controller; the controller can judge its own.
            found["state"] = holder.state()
            if found["state"] == GONE or force and found["state"] == UNKNOWN:
                found = self.machine.query("lock", {**about, "replacing": holder.to_text()})
        if "holder" in found:
            raise PlatformError(self._held(LockOwner.from_text(found["holder"]) or owner, found["state"] == ALIVE))
        return bool(found["replaced"])

    def unlock(self, owner: LockOwner) -> bool:
        return bool(self.machine.query("unlock", {**self._place(), "owner": owner.to_text()}))

    def supervisor(self, facts: MachineFacts) -> dict[str, str]:
        """Return what the engine's function create_supervisor() takes."""
        layout = facts.setup.layout
        programs = layout.tool(supervisor_environment(facts.setup, self.assets).directory)
        return {
            "kind": facts.setup.supervisor,
            "directory": layout.supervisor,
            "runtime_directory": facts.setup.runtime_directory,
            "programs": f"{programs}/bin",
        }

    def reverse_proxy_service(self, facts: MachineFacts) -> Service:
        """Return the service of the cluster's reverse proxy, whether or not there is one."""
        return reverse_proxy_service(self.cluster.name, facts.reverse_proxy, facts.setup, self.assets)

    def hub_python(self, hub: Hub, facts: MachineFacts) -> str:
        """Return the Python that a hub runs with."""
        build = hub_environment(hub["hub_jupyterhub_version"], facts.setup, self.assets)
        return f"{facts.setup.layout.tool(build.directory)}/bin/python"

    def _about(self, hubs: list[Hub]) -> dict[str, Any]:
        """Return what the machine has to know to gather its facts."""
        return {
            "cluster": self.cluster.name,
            "options": {name: self.cluster[name] for name in _OPTIONS},
            "repositories": any(environment.repository for hub in hubs for environment in hub.environments),
            "authority": self._authority(),
            "certificates": {hub.name: _own_certificate(hub) for hub in hubs if hub["hub_tls_certificate"]},
        }

    def _place(self) -> dict[str, Any]:
        """Return what the machine has to know to find the state directory."""
        return {"cluster": self.cluster.name, "directory": self.cluster["cluster_state_directory"]}

    def _authority(self) -> str:
        return read_authority(self.cluster["cluster_certificate_authority"], self.inventory.directory)

    def _prerequisites(self, hubs: list[Hub], facts: MachineFacts, machine: MachineState) -> list[Prerequisite]:
        """Return what is to be built, each with the hubs that need it, in the order of building."""
        found: dict[str, Prerequisite] = {}
        for hub in hubs:
            for build in hub_builds(hub, facts.setup, self.assets):
                if not _is_built(build, machine):
                    needed = found.setdefault(build.directory, Prerequisite(build.name, build.directory, []))
                    needed.hubs.append(hub.name)
        return list(found.values())

    def _check_target(self, hub: Hub, facts: MachineFacts, every: bool) -> HubTarget:
        choices, warnings = check_choices(hub, every)
        proxy = facts.reverse_proxy
        internal = hub.behind_reverse_proxy and self.cluster["cluster_certificate_source"] == "internal"
        return HubTarget(
            hub.name,
            self.cluster.name,
            hub.url,
            "",
            choices,
            authorities=self._authority(),
            authority_file=proxy.root_certificate if internal else "",
            machine=(proxy.local_address, proxy.https_port) if hub.behind_reverse_proxy else None,
            renews=hub.behind_reverse_proxy and not hub["hub_tls_certificate"],
            warnings=warnings,
        )

    def _held(self, holder: LockOwner, alive: bool) -> str:
        """Return why the lock cannot be taken, and what to do."""
        text = f"a deploy by {holder.describe()}; wait for its end"
        if alive:
            return text
        return (
            f"{text}. Whether it still runs cannot be seen from here; if it ended without releasing the lock, "
            f"free the lock with -e deploy_break_lock={self.cluster.name}"
        )


def _is_built(build: Build, machine: MachineState) -> bool:
    return f"{build.folder}/{build.directory}" in machine.built


def _own_certificate(hub: Hub) -> dict[str, str]:
    """Return where the hub's own certificate and key are on its machine, and the host that they are for, or ""."""
    host = urlsplit(hub.url).hostname if hub["hub_domain"] or hub["hub_url"] else ""
    return {"certificate": hub["hub_tls_certificate"], "key": hub["hub_tls_key"], "host": host or ""}


def _revision(record: Record) -> Revision:
    return Revision(**{each.name: getattr(record, each.name) for each in dataclasses.fields(Revision)})
