# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of a platform: everything that the rest of the collection needs from it to read a cluster.

A platform object stands for one cluster. Making it does no I/O; :meth:`Platform.observe` reads the cluster once, and
what it returns is handed on. Applying a change is the work of roles/hub/tasks/<platform>. tests/contract holds every
platform to this interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget

from ..fleet.changes import HubDiff, Reason
from ..fleet.environments import FoundEnvironments
from ..fleet.lock_owner import LockOwner
from ..fleet.revisions import Revision
from ..fleet.snapshot import Snapshot
from ..fleet.users import FoundUsers, UserChange
from ..schema.model import Hub
from ..schema.problems import Problem, Problems
from .errors import PlatformError, UnreachableError

__all__ = ["PlatformError", "UnreachableError"]

#: Capabilities. Deploying includes everything that needs a cluster: observing, locking, checking and revisions.
DEPLOY, RENDER, BACKUP, USERS, ENVIRONMENTS = "deploy", "render", "backup", "users", "environments"


class ClusterFacts(Protocol):
    """What is known of a cluster before its hubs are: JSON-able, so that one task can hand it to another."""

    @property
    def identity(self) -> str:
        """What distinguishes the cluster from all others, "" where nothing does."""

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-able data without secrets; :meth:`Platform.facts_from_dict` reads it."""

    def playbook_variables(self) -> dict[str, Any]:
        """Return what roles need to know of the cluster."""


class ObservedHub(Protocol):
    """A hub as it is; each platform has its own class."""

    @property
    def fingerprint(self) -> str:
        """Digest of the hub as it is, "" where it does not exist; it changes when anybody deploys or edits the hub."""


@dataclass(frozen=True)
class Blocker:
    """Why nothing can be deployed. breaks_running: hubs that run already suffer from it, too."""

    code: str
    problem: Problem
    breaks_running: bool = False


@dataclass(frozen=True)
class Prerequisite:
    """Something to build before hubs can be deployed. directory: its name. hubs: those that need it."""

    name: str
    directory: str
    hubs: list[str]


@dataclass(frozen=True)
class Notice:
    """A remark on a cluster for the operator."""

    text: str
    warning: bool = False


@dataclass
class ClusterState:
    """What one read of a cluster found.

    hubs: name -> the hub as it is, for every hub that was asked about.
    orphans: names of hubs in the cluster that the inventory does not have.
    blockers: why nothing can be deployed. prerequisites: what has to be built first.
    """

    facts: Any
    hubs: dict[str, Any] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    prerequisites: list[Prerequisite] = field(default_factory=list)


@dataclass(frozen=True)
class CheckResults:
    """How checks went. problems: hub -> why it could not be checked."""

    results: list[HubResult] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, others: CheckResults) -> None:
        """Add the results of other checks."""
        self.results.extend(others.results)
        self.problems.update(others.problems)

    def ordered(self, hubs: Sequence[str]) -> CheckResults:
        """Return the same in the order of ``hubs``."""
        return CheckResults(sorted(self.results, key=lambda result: hubs.index(result.name)), self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Return the results as JSON-able data."""
        return {"results": [result.as_dict() for result in self.results], "problems": self.problems}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CheckResults:
        """Return the results that :meth:`as_dict` returned."""
        return cls([HubResult.from_dict(result) for result in values["results"]], values["problems"])


class Platform(ABC):
    """One cluster on its platform. Methods that read the cluster raise PlatformError, or UnreachableError."""

    #: What the platform can do: DEPLOY, RENDER, BACKUP, USERS, ENVIRONMENTS (it tells which were built).
    capabilities: ClassVar[frozenset[str]] = frozenset()
    #: Whether it can be read in a thread, at the same time as other clusters.
    threads: ClassVar[bool] = False

    @abstractmethod
    def complete(self, hubs: list[Hub], problems: Problems) -> None:
        """Fill in what of hubs only the platform knows, before they are validated; add what is missing for it."""

    @abstractmethod
    def validate(self, hubs: list[Hub], problems: Problems) -> None:
        """Add to ``problems`` what is wrong with hubs beyond the schema; the cluster is not read."""

    @abstractmethod
    def facts(self, hubs: list[Hub]) -> Any:
        """Read the :class:`ClusterFacts` alone, where nothing else is needed; :meth:`observe` returns them as well."""

    @abstractmethod
    def facts_from_dict(self, values: dict[str, Any]) -> Any:
        """Return the facts that another task read, from their ``as_dict()``."""

    @abstractmethod
    def observe(self, hubs: list[Hub]) -> ClusterState:
        """Read the cluster once."""

    def fingerprints(self, hubs: list[Hub]) -> dict[str, str]:
        """Return the fingerprint of each hub as it is; reads no more than this needs."""
        return {name: observed.fingerprint for name, observed in self.observe(hubs).hubs.items()}

    @abstractmethod
    def desired(self, hub: Hub, facts: Any) -> Any:
        """Return what the hub should be: a pure function of the inventory and the cluster's facts."""

    @abstractmethod
    def diff(self, hub: Hub, desired: Any, state: Any) -> HubDiff:
        """Compare what the hub should be with what it is; secrets are masked in the result."""

    def deep_drift(self, hubs: list[Hub], state: Any) -> dict[str, list[Reason]]:
        """Return what others changed of hubs, found by comparing everything; a plan looks less closely.

        state: as :meth:`observe` returned it. Takes longer than that.
        """
        return {}

    @abstractmethod
    def describe(self, hub: Hub) -> Snapshot:
        """Return what the inventory alone says of the hub, to compare revisions; nothing is read from the cluster."""

    @abstractmethod
    def notices(self, state: Any) -> list[Notice]:
        """Return remarks on the cluster that an operator should see with a plan."""

    @abstractmethod
    def revisions(self, hubs: list[str]) -> dict[str, list[Revision]]:
        """Return what was deployed of each hub, the newest first."""

    def last_backups(self, hubs: list[str]) -> dict[str, str]:
        """Return when each hub was backed up last, in ISO format; "" where it never was."""
        return dict.fromkeys(hubs, "")

    def passwords_notice(self, hub: Hub, facts: Any, new: bool) -> str:
        """Return where passwords are that the hub itself generates, to be told after a deploy; "" if there are none.

        new: whether the deploy creates the hub.
        """
        return ""

    def metrics_notice(self, hub: Hub, facts: Any) -> str:
        """Return where the token for a hub's metrics is, to be told after a deploy; "" if there is none."""
        return ""

    @abstractmethod
    def check_targets(
        self, hubs: list[Hub], facts: Any, every: bool = False, as_deployed: bool = False
    ) -> list[HubTarget]:
        """Return what a check tries on hubs, without tokens.

        every: all choices of a hub, else its default. as_deployed: without an address: :meth:`check` then tries what
        was recorded when the hub was deployed, since the inventory may say something else by now.
        """

    @abstractmethod
    def check(
        self,
        hubs: list[Hub],
        targets: list[HubTarget],
        facts: Any,
        options: CheckOptions,
        report: Callable[[str], None] | None = None,
        stop: Stop | None = None,
    ) -> CheckResults:
        """Act like a user on hubs, from where they can be reached; RuntimeError without aiohttp.

        targets: as :meth:`check_targets` returned them. report: prints a line of progress. stop: ends it from another
        thread, where the platform may be used in ``threads``.
        """

    def require_permissions(self, hubs: list[Hub]) -> None:
        """Raise PlatformError where this account may not change hubs; nothing is changed."""
        return None

    @abstractmethod
    def lock(self, owner: LockOwner, force: bool = False) -> bool:
        """Let ``owner`` alone change the cluster; return whether the lock of another owner was replaced.

        An owner that is known to be gone is replaced; force: also one of which nobody can tell. Raises PlatformError
        while another one holds the lock. The same owner may lock again.
        """

    @abstractmethod
    def unlock(self, owner: LockOwner) -> bool:
        """Release the lock if ``owner`` holds it; return whether it did."""

    def environments(self, hubs: list[Hub]) -> FoundEnvironments:
        """Return the environments that were built on the cluster, and what hubs know of their use."""
        raise PlatformError("environments are not built on this cluster")

    def users(self, hubs: list[str]) -> FoundUsers:
        """Return the users of hubs, without the temporary ones of checks."""
        raise PlatformError("the users of this cluster cannot be read")

    def rename_problem(self, hub: str, user: str, new_name: str) -> str:
        """Return why the hub cannot rename a user; "" if it can."""
        raise PlatformError("the users of this cluster cannot be read")

    def change_users(self, hub: str, changes: list[UserChange]) -> list[str]:
        """Change users of a hub; return for each change why it failed, "" if it did not."""
        raise PlatformError("the users of this cluster cannot be changed")
