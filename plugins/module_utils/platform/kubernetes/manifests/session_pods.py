# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of sessions, for every profile and choice: made by KubeSpawner, checked by schemas or by a cluster.

JupyterHub is not needed otherwise, so without KubeSpawner next to Ansible this is left out.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....common.nested import Path as Place
from ...errors import PlatformError

PACKAGE = "jupyterhub-kubespawner"
_WORKER = "module_utils.platform.kubernetes.manifests.session_worker"
_PLUGINS = Path(__file__).resolve().parents[4]
#: What kubectl says of several pods, and of a single one that is invalid: each reason on a line of its own, or one.
_REFUSED = re.compile(
    r'^(?:Error from server.*?: error when creating.*?: (.*)|The (Pod "session-\d+" is invalid: .*(?:\n\* .*)*))$',
    re.MULTILINE,
)
_NAME = "session-{}"


@dataclass(frozen=True)
class SessionPod:
    """A pod of a session. place: of its profile in the chart's values. options: what the user chose."""

    place: Place
    options: str
    manifest: dict[str, Any]


@dataclass(frozen=True)
class SessionProblem:
    """Why a session could not start.

    place: of its profile in the chart's values. manifest, field: the object that has the problem, and where.
    """

    place: Place
    message: str
    field: Place = ()
    manifest: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class SessionPods:
    """The pods of a hub's sessions, and what is wrong with them."""

    pods: list[SessionPod]
    problems: list[SessionProblem]


def has_kubespawner() -> bool:
    """Tell whether KubeSpawner is installed next to Ansible."""
    return importlib.util.find_spec("kubespawner") is not None


def session_pods(traits: list[dict[str, Any]], kube_version: str | None) -> list[SessionPods]:
    """Return the pods of hubs; traits: of KubeSpawner, by name, of each hub. Raises PlatformError."""
    if not traits:
        return []
    lines = [json.dumps(each) for each in (kube_version, *traits)]
    done = subprocess.run(
        [sys.executable, "-m", _WORKER],
        cwd=_PLUGINS,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(answers) != len(traits):
        # the kind of error alone, since its message may repeat values
        error = "".join(done.stderr.strip().splitlines()[-1:]).partition(":")[0]
        raise PlatformError(f"the process that makes the pods of sessions ended with status {done.returncode}: {error}")
    return [
        SessionPods(
            [SessionPod(tuple(pod["place"]), pod["options"], pod["manifest"]) for pod in answer["pods"]],
            [_problem(problem) for problem in answer["problems"]],
        )
        for answer in answers
    ]


def _problem(found: dict[str, Any]) -> SessionProblem:
    return SessionProblem(**{**found, "place": tuple(found["place"]), "field": tuple(found.get("field", ()))})


def refused_pods(pods: list[SessionPod], namespace: str) -> list[SessionProblem]:
    """Return why the API server would not create pods; nothing is created.

    The cluster is that of kubectl's current context. Raises PlatformError where it cannot be asked.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise PlatformError("trying pods on a cluster needs kubectl on PATH")
    items = []
    for index, pod in enumerate(pods):
        metadata = {**pod.manifest["metadata"], "name": _NAME.format(index)}
        items.append({**pod.manifest, "metadata": metadata})
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    command = [program, "create", "--dry-run=server", "--namespace", namespace, "--filename", "-", "--output", "name"]
    done = subprocess.run(command, input=given, capture_output=True, encoding="utf-8", check=False)
    found: dict[tuple[Place, str], str] = {}
    reasons = [one or other for one, other in _REFUSED.findall(done.stderr)]
    if done.returncode and not reasons:
        raise PlatformError(f"kubectl create --dry-run=server: {done.stderr.strip().splitlines()[-1][:300]}")
    for reason in reasons:
        named = re.search(r'"session-(\d+)"', reason)
        pod = pods[int(named[1])] if named else pods[0]
        text = reason.replace(named[0], "", 1) if named else reason
        found.setdefault((pod.place, f"the cluster refuses the pod: {' '.join(text.split())}"), pod.options)
    return [
        SessionProblem(place, f"{text} ({options})" if options else text) for (place, text), options in found.items()
    ]
