# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that was lost is noticed, also where nobody holds it any more."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import ApiError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.lease import ClusterLock

Json = dict[str, Any]
OWNER = LockOwner.of_process(os.getpid(), "ada@desk", "today")
#: Of another machine, so that nobody here can tell whether it lives.
OTHER = dataclasses.replace(OWNER, machine="elsewhere", who="ben@laptop")


class Api:
    """Has namespaces, and the Leases in them."""

    def __init__(self, *namespaces: str) -> None:
        self.objects: dict[str, Json] = {f"/api/v1/namespaces/{name}": {} for name in namespaces}

    def find(self, path: str) -> Json | None:
        return self.objects.get(path)

    def create(self, path: str, body: Json) -> Json:
        if f"/api/v1/namespaces/{path.split('/')[-2]}" not in self.objects:
            raise ApiError("no such namespace", 404)
        body["metadata"]["resourceVersion"] = "1"
        self.objects[f"{path}/{body['metadata']['name']}"] = body
        return body

    def replace(self, path: str, body: Json) -> Json:
        self.objects[path] = body
        return body

    def delete(self, path: str, **_options: Any) -> bool:
        return self.objects.pop(path, None) is not None

    @property
    def durations(self) -> list[int]:
        return [each["spec"]["leaseDurationSeconds"] for each in self.objects.values() if "spec" in each]


def lock(api: Any, *namespaces: str, duration: int = 1800) -> ClusterLock:
    return ClusterLock(api, namespaces, "cloud", duration)


def test_a_lock_that_another_one_took_and_released() -> None:
    api = Api("default")
    ours, theirs = lock(api, "default", duration=-1), lock(api, "default")
    ours.take(OTHER)
    assert theirs.take(OWNER) is True, "it has expired"
    theirs.release(OWNER)
    with pytest.raises(PlatformError, match="the lock of cluster cloud was lost; nothing more is changed"):
        ours.renew(OTHER)


def test_a_namespace_that_does_not_exist_yet() -> None:
    api = Api()
    ours = lock(api, "research")
    assert ours.take(OWNER) is False
    ours.renew(OWNER)
    api.objects["/api/v1/namespaces/research"] = {}
    ours.take(OWNER)
    ours.renew(OWNER)


def test_a_lock_lasts_as_long_as_its_steps_may_take() -> None:
    api = Api("default")
    lock(api, "default").take(OWNER)
    lock(api, "default", duration=7800).renew(OWNER)
    assert api.durations == [7800]
    with pytest.raises(PlatformError, match=r"was taken over by ada@desk is under way"):
        lock(api, "default").renew(OTHER)


class Contended(Api):
    """Another task changes the Lease between reading and writing, several times. by: who holds it from then on."""

    def __init__(self, times: int, by: LockOwner = OWNER) -> None:
        super().__init__("default")
        self.times, self.by = times, by

    def replace(self, path: str, body: Json) -> Json:
        if self.times:
            self.times -= 1
            self.objects[path]["metadata"]["annotations"]["hubfleet.jupyterhub/owner"] = self.by.to_text()
            raise ApiError("the object has been modified", 409)
        return super().replace(path, body)


def test_tasks_for_several_hubs_renew_the_lock_at_the_same_time() -> None:
    api = Contended(times=0)
    lock(api, "default").take(OWNER)
    api.times = 5
    lock(api, "default", duration=7800).renew(OWNER)
    assert (api.times, api.durations) == (0, [7800])


def test_a_lock_that_is_taken_over_while_it_is_renewed() -> None:
    api = Contended(times=0, by=OTHER)
    lock(api, "default").take(OWNER)
    api.times = 1
    with pytest.raises(PlatformError, match="was taken over by ben@laptop"):
        lock(api, "default").renew(OWNER)
