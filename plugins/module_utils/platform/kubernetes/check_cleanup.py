# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what KubeSpawner leaves of users of checks: claims of homes, and pods of checks that were killed.

KubeSpawner keeps the claim of a user who is removed from the hub (delete_pvc is false), so that homes of people outlive
their accounts; a check's user never comes back. Only the name of the user tells that a claim is such a one.

A directory on a volume of all homes (``hub_home_storage`` claim or nfs) stays: nothing but the user's own server mounts
it, and it cannot remove its own home; emptying it from inside could empty what is mounted there for everybody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import hub_api
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.client import (
    HAS_AIOHTTP,
    NETWORK_ERRORS,
    HubClient,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import CheckFailure
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.users import (
    MINIMUM_AGE,
    PREFIX,
    creation_time,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import Deadline, within

from ..base import PlatformError
from .api.client import KubernetesApi
from .labels import SESSIONS, USER

#: (kind in the API, name, user)
LeftOver = tuple[str, str, str]
_CLAIMS, _PODS = "persistentvolumeclaims", "pods"
#: Seconds for asking all hubs which users they have.
_SECONDS = 10.0


def remove_left_overs(
    api: KubernetesApi, targets: Sequence[tuple[HubTarget, str]], options: CheckOptions
) -> dict[str, list[str]]:
    """Remove claims and pods of users of checks that do not exist any more; return what could not be, by hub.

    targets: each with its namespace. What cannot be read or removed is no error.
    """
    problems: dict[str, list[str]] = {}
    found: dict[str, list[LeftOver]] = {}
    for target, namespace in targets:
        # Before users are listed: whoever has a claim by now and is no user by then, has been removed.
        try:
            found[target.name] = list(_left_overs(api, namespace))
        except PlatformError as error:
            problems[target.name] = [f"cannot look for claims of users of checks: {error}"]
    users = asyncio.run(_existing_users([target for target, _namespace in targets if found.get(target.name)]))
    stale = max(MINIMUM_AGE, 2 * options.longest_choice)
    for target, namespace in targets:
        for kind, name, user in found.get(target.name, ()):
            if not _is_left(kind, user, users, target.name, stale):
                continue
            try:
                api.delete(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
            except PlatformError as error:
                problems.setdefault(target.name, []).append(f"{user}: {error}")
    return problems


def _left_overs(api: KubernetesApi, namespace: str) -> Iterable[LeftOver]:
    """Yield what belongs to users of checks, be they there or not."""
    for kind, selector in ((_CLAIMS, ""), (_PODS, SESSIONS)):
        for metadata in api.list(f"/api/v1/namespaces/{namespace}/{kind}", selector, metadata=True):
            given = metadata["metadata"]
            user = (given.get("annotations") or {}).get(USER, "")
            if creation_time(user) is None or given.get("deletionTimestamp"):
                continue
            # A claim that several users have is annotated with the first one, and is not only that one's.
            if kind == _CLAIMS and user.rpartition("-")[2] not in given["name"]:
                continue
            yield kind, given["name"], user


def _is_left(kind: str, user: str, users: Mapping[str, set[str]], hub: str, stale: float) -> bool:
    """Tell whether nobody has use for an object. users: those that exist, where the hub could be asked."""
    age = time.time() - (creation_time(user) or time.time())
    if hub not in users:
        return age > stale
    return user not in users[hub] and (kind == _CLAIMS or age > MINIMUM_AGE)


async def _existing_users(targets: Iterable[HubTarget]) -> dict[str, set[str]]:
    """Return which users of checks hubs have; without the hubs that do not answer."""
    found: dict[str, set[str]] = {}
    if not HAS_AIOHTTP:
        return found

    async def ask(target: HubTarget) -> None:
        deadline = Deadline(_SECONDS)
        try:
            async with HubClient(target) as client, within(deadline):
                found[target.name] = set(await hub_api.user_names(client, PREFIX, deadline))
        except (CheckFailure, asyncio.TimeoutError):
            return
        except NETWORK_ERRORS:
            return

    await asyncio.gather(*map(ask, targets))
    return found
