# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that save and restore volumes of a hub.

The program in them is Python of this collection and needs what the hub's image has; restic is copied into the pod from
an image of its own. So neither image has to be made for this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ....common.nested import value_at
from ..api.client import Json
from ..values.layers import Values
from .volumes import Volume

#: Where the program in roles/hub/files/backup finds what it needs.
_ROOT = "/hubfleet"
PROGRAM, TREE = f"{_ROOT}/program/cluster_backup.py", f"{_ROOT}/tree"
CONTAINER = "backup"
#: Nodes of user pods may be kept free from others, in the two ways that the chart knows.
_TOLERATIONS = [{"key": f"hub.jupyter.org{mark}dedicated", "operator": "Exists"} for mark in ("/", "_")]
#: Seconds after which a pod is ended whose controller is gone.
_LONGEST = 24 * 3600
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Account:
    """Whom the program of a pod runs as: numbers of a user, and of the group that volumes are given to."""

    user: int
    group: int | None = None


def hub_account(values: Values) -> Account:
    """Return the account of the hub; values: over the defaults of its chart."""
    context = value_at(values, ("hub", "containerSecurityContext")) or {}
    pod = value_at(values, ("hub", "podSecurityContext")) or {}
    return Account(int(context.get("runAsUser", 1000)), _number(pod.get("fsGroup", 1000)))


def session_account(values: Values) -> Account:
    """Return the account of users' servers."""
    spawner = value_at(values, ("hub", "config", "KubeSpawner")) or {}
    user = spawner.get("uid", value_at(values, ("singleuser", "uid"), 1000))
    group = spawner.get("fs_gid", value_at(values, ("singleuser", "fsGid"), 100))
    return Account(user if isinstance(user, int) else 1000, _number(group))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def hub_image(values: Values) -> Json:
    """Return the image of the hub, and how it is pulled, as parts of a container and of a pod."""
    image = value_at(values, ("hub", "image")) or {}
    secrets = [each if isinstance(each, dict) else {"name": each} for each in image.get("pullSecrets") or ()]
    return {"image": f"{image['name']}:{image['tag']}", "secrets": secrets}


@dataclass(frozen=True)
class Task:
    """What one pod does.

    name: ends the name of the pod. command, request: of the program. account: see there. database: mount of the claim
    of the database, None without it. homes: volumes; restoring: whether they are written. node: where it has to run.
    """

    name: str
    command: str
    request: str
    account: Account
    database: Json | None = None
    homes: Sequence[Volume] = field(default_factory=list)
    restoring: bool = False
    node: str = ""


def pod(
    task: Task, name: str, labels: dict[str, str], images: Json, store: str, program: dict[str, str], claim: str
) -> Json:
    """Return the manifest of a pod.

    images: hub (see hub_image) and restic, which may be "". store: name of the Secret and the ConfigMap that it reads.
    program: key in the ConfigMap -> path. claim: of the database.
    """
    mounts = [_mount("given", "given"), _mount("program", "program"), _mount("work", "work"), _mount("tools", "tools")]
    items = [{"key": key, "path": path} for key, path in sorted(program.items())]
    volumes: list[Json] = [
        {"name": "given", "secret": {"secretName": store}},
        {"name": "program", "configMap": {"name": store, "items": items}},
        {"name": "work", "emptyDir": {}},
        {"name": "tools", "emptyDir": {}},
        {"name": "tree", "emptyDir": {}},
    ]
    if task.restoring:
        mounts.append(_mount("tree", "tree"))
    if task.database is not None:
        mounts.append({**_mount("database", "database"), **task.database})
        volumes.append({"name": "database", "persistentVolumeClaim": {"claimName": claim}})
    for number, home in enumerate(task.homes):
        path = f"{TREE if task.restoring else ''}/homes/{home.name}"
        mounts.append({"name": f"home-{number}", "mountPath": path, "readOnly": not task.restoring})
        volumes.append({"name": f"home-{number}", **home.source})
    context = {**_RESTRICTED, "runAsUser": task.account.user, "runAsNonRoot": task.account.user != 0}
    resources = {"requests": {"cpu": "10m", "memory": "128Mi"}}
    main = {
        "name": CONTAINER,
        "image": images["hub"]["image"],
        "command": ["python3", "-I", PROGRAM, task.command, task.request],
        "env": [
            {"name": "PATH", "value": f"{_ROOT}/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            {"name": "HOME", "value": f"{_ROOT}/work"},
            {"name": "TMPDIR", "value": f"{_ROOT}/work"},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "volumeMounts": mounts,
        "securityContext": context,
        "resources": resources,
    }
    tool = {
        "name": "restic",
        "image": images["restic"],
        "command": ["sh", "-c", f'cp "$(command -v restic)" {_ROOT}/tools/restic'],
        "volumeMounts": [_mount("tools", "tools")],
        "securityContext": context,
        "resources": resources,
    }
    spec: Json = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _LONGEST,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "imagePullSecrets": images["hub"]["secrets"],
        "securityContext": {} if task.account.group is None else _group(task.account.group),
        "tolerations": list(_TOLERATIONS),
        "initContainers": [tool] if images["restic"] else [],
        "containers": [main],
        "volumes": volumes,
    }
    if task.node:
        spec["affinity"] = {"nodeAffinity": _on(task.node)}
        spec["tolerations"] = [{"operator": "Exists", "effect": "NoSchedule"}]
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _mount(volume: str, folder: str) -> Json:
    return {"name": volume, "mountPath": f"{_ROOT}/{folder}"}


def _group(group: int) -> Json:
    return {"fsGroup": group, "fsGroupChangePolicy": "OnRootMismatch"}


def _on(node: str) -> Json:
    """Return the affinity to a node by its name, which is not always in a label."""
    field_of_name = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = [{"matchFields": [field_of_name]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
