# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many releases on an API server without nodes, stored as Helm stores them.

Source of the format: https://helm.sh/docs/topics/advanced/#storage-backends; the labels are those of a real release.
"""

import base64
import copy
import dataclasses
import gzip
import json
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from measure import CHECKOUT

sys.path[:0] = [str(CHECKOUT / ".ansible/collections"), str(CHECKOUT / "tests/support")]

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import CHECKED  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import (  # noqa: E402
    MERGE_PATCH,
    KubernetesApi,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import (  # noqa: E402
    Credentials,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (  # noqa: E402
    HubSecret,
    Place,
    Record,
)
from kubernetes_cluster.api_server import ApiServer  # noqa: E402

#: Like the helm of real fleets: releases have a history of some revisions, and of zero-to-jupyterhub's chart they have
#: 160 kB each, as they are read from the API server.
REVISIONS = 6
SIZE = 160_000
CHART = CHECKOUT / "tests/support/charts/jupyterhub"
#: Requests at a time; the API server has the other core.
THREADS = 4
#: The first release, which Helm itself installs, and removes again.
_SAMPLE = "default"


class Releases:
    """Makes releases, each in a namespace of its name."""

    def __init__(self, server: ApiServer, values: Path, chart: Path = CHART) -> None:
        """values: file of Helm values of every release."""
        self.server, self.chart = server, chart
        self.api = KubernetesApi(Credentials(str(server.kubeconfig)))
        # waits for nothing: there is nobody who would start its pods
        self.helm("install", _SAMPLE, str(chart), "--namespace", _SAMPLE, "--values", str(values), "--wait=false")
        (secret,) = self.api.list(f"/api/v1/namespaces/{_SAMPLE}/secrets", "owner=helm")
        self._deployments = self.api.list(f"/apis/apps/v1/namespaces/{_SAMPLE}/deployments")
        self._labels = secret["metadata"]["labels"]
        release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
        self.helm("uninstall", _SAMPLE, "--namespace", _SAMPLE)
        self._release = {name: release.pop(name) for name in ("name", "namespace", "version", "info")}
        self._compress(release)

    def helm(self, *arguments: str) -> str:
        """Run helm on the API server; return what it prints."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"helm {arguments[0]} failed:\n{done.stderr[-4000:]}")
        return done.stdout

    def command(self, *arguments: str) -> list[str]:
        """Return a command of helm on the API server."""
        return [str(self.server.programs / "helm"), "--kubeconfig", str(self.server.kubeconfig), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of helm: its own files are not those of the developer."""
        return {**os.environ, "HOME": str(self.server.directory)}

    def create(self, names: Iterable[str], revisions: int = REVISIONS) -> None:
        """Make a release of each name, with its deployments as if their pods ran."""

        def one(name: str) -> None:
            self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
            for revision in range(1, revisions + 1):
                self.api.create(f"/api/v1/namespaces/{name}/secrets", self._secret(name, revision, revisions))
            for deployment in self._deployments:
                self._create_deployment(name, deployment)

        names = list(names)
        one(names.pop())  # the client is made by the first request, and not by two at once
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, names))

    def record(self, cluster: str, parts: Mapping[str, dict[str, str]], revisions: int = REVISIONS) -> None:
        """Record that we deployed every revision. parts: hub -> digests of what Helm was given, as in Record."""
        workloads = {deployment["metadata"]["name"]: 1 for deployment in self._deployments}

        def one(name: str) -> None:
            secret = HubSecret(self.api, Place(cluster, name, name, name))
            for number in range(1, revisions + 1):
                when, who = "2026-11-24T08:15:00Z", "ada@desk"
                record = Record(number, when, who, "1.0.0", "0123456789ab", "5.5.0", "4.4.0-test", parts[name])
                secret.begin(dataclasses.replace(record, workloads=workloads, result=CHECKED))
            secret.write(revisions)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, parts))

    def _compress(self, content: dict[str, Any]) -> None:
        """Compress what all releases have in common, with something added to the chart that makes it as large.

        It is done once: releases copy the state of the compressor and go on.
        """
        words = [word for path in self.chart.rglob("*.*") if path.is_file() for word in path.read_text().split()]
        randomness = random.Random(0)
        text = ""
        while True:
            data = base64.b64encode(text.encode()).decode()
            files = [*(content["chart"]["files"] or []), {"name": "files/more.txt", "data": data}]
            start = json.dumps({**content, "chart": {**content["chart"], "files": files}})[:-1]
            self._compressor = zlib.compressobj(wbits=31)  # 31: in the format of gzip
            self._start = self._compressor.compress(start.encode())
            if len(self._secret("x", 1, 1)["data"]["release"]) > SIZE:
                return
            text += " ".join(randomness.choices(words, k=1000))

    def _secret(self, name: str, revision: int, revisions: int) -> dict[str, Any]:
        status = "deployed" if revision == revisions else "superseded"
        own = {**self._release, "name": name, "namespace": name, "version": revision}
        own["info"] = {**own["info"], "status": status}
        compressor = self._compressor.copy()
        compressed = self._start + compressor.compress(f", {json.dumps(own)[1:]}".encode()) + compressor.flush()
        labels = {**self._labels, "name": name, "status": status, "version": str(revision)}
        return {
            "type": "helm.sh/release.v1",
            "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "labels": labels},
            "data": {"release": base64.b64encode(base64.b64encode(compressed)).decode()},
        }

    def _create_deployment(self, namespace: str, sample: dict[str, Any]) -> None:
        deployment = copy.deepcopy(sample)
        metadata = {key: deployment["metadata"][key] for key in ("name", "labels", "annotations")}
        owner = {"meta.helm.sh/release-name": namespace, "meta.helm.sh/release-namespace": namespace}
        deployment["metadata"] = {**metadata, "annotations": {**metadata["annotations"], **owner}}
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self.api.create(path, {key: deployment[key] for key in ("metadata", "spec")})
        status = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
        self.api.patch(
            f"{path}/{metadata['name']}/status", {"status": {**status, "observedGeneration": 1}}, MERGE_PATCH
        )
