# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace whose objects are in memory, and whose pods answer at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import ApiError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.lease import ClusterLock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import Place

Json = dict[str, Any]
#: Returns what the program of a pod prints at its end, given its command and its request; None: nothing.
Program = Callable[[str, Json], Optional[Json]]


class FakeNamespace:
    """Stands for KubernetesApi. objects: path -> object. made: all pods that were ever made."""

    def __init__(self, program: Program = lambda _command, _request: {}) -> None:
        self.objects: dict[str, Json] = {}
        self.made: list[Json] = []
        self.program = program
        self._logs: dict[str, str] = {}

    def add(self, path: str, body: Json) -> None:
        """Add an object to a collection."""
        self.objects[f"{path}/{body['metadata']['name']}"] = copy.deepcopy(body)

    def find(self, path: str) -> Json | None:
        return copy.deepcopy(self.objects.get(path))

    def get(self, path: str, **_query: Any) -> Json:
        found = self.find(path)
        if found is None:
            raise ApiError(f"{path} not found", 404)
        return found

    def list(self, path: str, selector: str = "", metadata: bool = False, **_query: Any) -> list[Json]:
        found = [each for place, each in self.objects.items() if place.rpartition("/")[0] == path]
        return [copy.deepcopy(each) for each in found if _matches(each, selector)]

    def table(self, path: str, selector: str = "") -> list[Any]:
        return []

    def create(self, path: str, body: Json, **_query: Any) -> Json:
        body = copy.deepcopy(body)
        body["metadata"].setdefault("resourceVersion", "1")
        if body["kind"] == "Pod":
            self._run(f"{path}/{body['metadata']['name']}", body)
        self.objects[f"{path}/{body['metadata']['name']}"] = body
        return copy.deepcopy(body)

    def replace(self, path: str, body: Json) -> Json:
        self.objects[path] = copy.deepcopy(body)
        return body

    def patch(self, path: str, body: Json, **_query: Any) -> Json:
        for key, value in body.items():
            self.objects[path].setdefault(key, {}).update(value)
        return self.objects[path]

    def delete(self, path: str, **_options: Any) -> bool:
        return self.objects.pop(path, None) is not None

    def text(self, path: str, **_query: Any) -> str:
        return self._logs[path]

    def _run(self, path: str, body: Json) -> None:
        self.made.append(copy.deepcopy(body))
        command, request = body["spec"]["containers"][0]["command"][-2:]
        answer = self.program(command, json.loads(request))
        if answer is None:
            ended = {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
            body["status"] = {"phase": "Failed", "containerStatuses": [ended]}
            self._logs[f"{path}/log"] = ""
            return
        self._logs[f"{path}/log"] = f"a line before\n{json.dumps(answer)}\n"
        body["status"] = {"phase": "Failed" if "error" in answer else "Succeeded"}


def _matches(item: Json, selector: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    wanted = [part.partition("=") for part in selector.split(",") if "=" in part]
    return all(labels.get(key) == value for key, _equals, value in wanted)


def change_of(api: FakeNamespace, lines: list[str] | None = None) -> Change:
    """Return a change of a hub in the namespace ``lab``; lines: gets what it reports."""
    found: Any = api
    return Change(
        found,
        Place("cloud", "lab", "lab", "lab"),
        ClusterLock(found, [], "cloud"),
        LockOwner.of_process(1, "ada@desk", "now"),
        {"when": "2026-11-24T08:15:00Z", "who": "ada@desk", "collection": "1.0.0", "revision": ""},
        5,
        30.0,
        (lines if lines is not None else []).append,
        lambda text: text.replace("secret", "***"),
    )


def claim(name: str, phase: str = "Bound", **fields: Any) -> Json:
    """Return a claim of a user, as KubeSpawner makes it. fields: of its metadata; modes, node."""
    labels = {"component": "singleuser-storage", "app": "jupyterhub"}
    annotations = {"hub.jupyter.org/username": name.removeprefix("claim-")}
    if fields.get("node"):
        annotations["volume.kubernetes.io/selected-node"] = fields["node"]
    metadata = {"name": name, "labels": fields.get("labels", labels), "annotations": annotations}
    spec = {"accessModes": fields.get("modes", ["ReadWriteOnce"]), "resources": {"requests": {"storage": "1Gi"}}}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def using_pod(name: str, node: str, *claims: str, phase: str = "Running") -> Json:
    """Return a pod that has claims mounted."""
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    return {
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": node, "volumes": [*volumes, {"name": "other", "emptyDir": {}}]},
        "status": {"phase": phase},
    }
