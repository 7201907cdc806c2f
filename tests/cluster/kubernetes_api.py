# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl and helm on the cluster of the tests."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_cluster.programs
from prebuilt import cache

#: Seconds that kubectl may take to forward a port.
FORWARD_TIMEOUT = 30.0


def program(name: str) -> str:
    """Return the path of kubectl or helm: that of this machine, else the one that is built for test clusters."""
    return shutil.which(name) or str(kubernetes_cluster.programs.build(cache() / "kubernetes") / name)


@dataclass
class Kubernetes:
    """A cluster, as its administrator uses it."""

    kubeconfig: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return environment variables in which helm and kubectl are found, and find the cluster."""
        programs = [os.path.dirname(program(name)) for name in ("helm", "kubectl")]
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": ":".join([*programs, os.environ["PATH"]])}

    def kubectl(self, *arguments: str, given: object = None, check: bool = True) -> str:
        """Return what kubectl prints; errors are added unless they are a failure of the test.

        given: for standard input, as JSON.
        """
        command = [program("kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        text = json.dumps(given) if given is not None else None
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout if check else done.stdout + done.stderr

    def answers(self) -> bool:
        """Return whether the API server answers."""
        return self.kubectl("get", "--raw", "/readyz", "--request-timeout=5s", check=False) == "ok"

    @functools.cached_property
    def storage_class(self) -> str:
        """Return the name of the default class of volumes."""
        items = json.loads(self.kubectl("get", "storageclass", "--output", "json"))["items"]
        default = "storageclass.kubernetes.io/is-default-class"
        found = [item["metadata"]["name"] for item in items if default in item["metadata"].get("annotations", {})]
        assert found, "the cluster has no default storage class"
        return str(found[0])

    def objects(self, namespace: str, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects of a kind in a namespace. arguments: such as --selector and its value."""
        listed = self.kubectl("--namespace", namespace, "get", kind, "--output", "json", *arguments)
        items: list[dict[str, Any]] = json.loads(listed)["items"]
        return items

    def remove_namespace(self, namespace: str) -> None:
        """Remove a namespace with everything in it; wait for its end."""
        pods = ("--namespace", namespace, "delete", "pods", "--all", "--grace-period=0", "--force")
        self.kubectl(*pods, check=False)
        self.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s")


class Forward:
    """A port of this machine that leads to a pod of a service, for as long as the pod runs."""

    def __init__(self, kubernetes: Kubernetes, namespace: str, service: str, port: str) -> None:
        self._command = [
            program("kubectl"),
            f"--kubeconfig={kubernetes.kubeconfig}",
            f"--namespace={namespace}",
            "port-forward",
            f"service/{service}",
            f":{port}",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._output = tempfile.NamedTemporaryFile(prefix="hubfleet-forward-")  # noqa: SIM115

    def start(self) -> int:
        """Start or start again; return the number of the port. Raises AssertionError if the service has no pod."""
        self.stop()
        self._output.truncate(0)
        output = open(self._output.name, "ab")  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        output.close()
        deadline = time.monotonic() + FORWARD_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            found = re.search(r"127\.0\.0\.1:(\d+) ->", Path(self._output.name).read_text())
            if found:
                return int(found.group(1))
            time.sleep(0.05)
        raise AssertionError(f"kubectl port-forward: {Path(self._output.name).read_text()}")

    def running(self) -> bool:
        """Return whether the port leads anywhere."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
