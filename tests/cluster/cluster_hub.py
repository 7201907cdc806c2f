# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub on the test cluster: rendered from an inventory, installed by the rendered script, used through its proxy."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleet_inventory import PRODUCTION, TOKEN, FleetInventory
from hub_client import Client, Kernel, wait_for
from kubernetes_api import Forward, Kubernetes

#: The image of users' servers; the cluster's nodes have it, and cannot pull others.
IMAGE = "quay.io/jupyterhub/k8s-singleuser-sample:test"
SERVICE = "tests"
#: For hub_home_claim: homes.
CLAIM_OF_HOMES: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "homes"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
}

#: Of every hub, unless a test sets it otherwise. Nothing is pulled, and nothing takes resources that no test looks at.
CLUSTER: dict[str, Any] = {
    "cluster_platform": "kubernetes",
    "cluster_exposure": "none",
    "hub_environment_catalogue": {"python": {"title": "Python", "image": IMAGE}},
    "hub_environments": ["python"],
    "hub_authenticator": "native",
    "hub_allowed_users": ["ada", "ben"],
    "hub_services": [{"name": SERVICE, "api_token": "{{ lookup('env', 'HUBFLEET_TEST_TOKEN') }}"}],
    "hub_roles": [
        {
            "name": SERVICE,
            "scopes": ["admin:users", "admin:servers", "access:servers", "tokens", "read:metrics", "list:services"],
            "services": [SERVICE],
        }
    ],
    "hub_start_timeout": "3m",
    "hub_user_scheduler": False,
    "hub_prepull_on_new_nodes": False,
    "hub_database_storage": "100M",
    "hub_home_capacity": "100M",
    # tags of images on the nodes; the others are those of a checkout of the chart
    "fleet_helm_values": {"proxy": {"chp": {"image": {"tag": "test"}}}},
}


class DeployedHub(Client):
    """A hub in a namespace, used through a port of this machine that leads to its proxy.

    variables: of the host, as hub_url.
    """

    api_token = TOKEN

    def __init__(self, kubernetes: Kubernetes, namespace: str, variables: dict[str, Any]) -> None:
        self.kubernetes, self.namespace, self.variables = kubernetes, namespace, variables
        self._forward = Forward(kubernetes, namespace, "proxy-public", "http")
        self._proxy = ""

    def connect(self) -> None:
        """Lead a port of this machine to the proxy, unless it leads there."""
        pods = self.pods("proxy")
        proxy = ",".join(pod["metadata"]["uid"] for pod in pods)
        if proxy != self._proxy or not self._forward.running():
            base = (self.variables.get("hub_url") or "").partition("://")[2].partition("/")[2]
            port = self._forward.start()
            self.url = self.direct = f"http://127.0.0.1:{port}/" + (f"{base.rstrip('/')}/" if base else "")
            self._proxy = proxy

    def disconnect(self) -> None:
        """Let the port lead nowhere."""
        self._forward.stop()

    # --- Look -------------------------------------------------------------------------------------------------------

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return the pods of a component of the chart: hub, proxy or singleuser-server."""
        found = self.kubernetes.objects(self.namespace, "pods", "--selector", f"component={component}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def state(self) -> str:
        """Return what explains why something does not start: pods, events, and the ends of the hub's log."""
        parts = [
            ("get", "pods", "--output", "wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "deployment/hub", "--tail=40"),
        ]
        return "\n".join(self.kubernetes.kubectl("--namespace", self.namespace, *part, check=False) for part in parts)

    # --- Use --------------------------------------------------------------------------------------------------------

    @contextmanager
    def session(self, user: str, server: str = "", **options: Any) -> Iterator[Session]:
        """Start a user's server, and stop it at the end. options: what the form of the start page sends."""
        event = self.start_server(user, options, server)
        try:
            assert event.get("ready"), f"{event}\n{self.state()}"
            yield Session(self, user, server)
        finally:
            self.stop_server(user, server)

    def start_error(self, user: str, server: str = "", **options: Any) -> str:
        """Return why a user's server does not start."""
        self.api("POST", f"users/{user}")
        path = f"users/{user}/servers/{server}" if server else f"users/{user}/server"
        status, answer = self.api("POST", path, options)
        if status in (201, 202):
            event = self.progress(user, server)[-1]
            if event.get("ready"):
                self.stop_server(user, server)
                raise AssertionError(f"the server of {user} started")
            return str(event["message"])
        return str(answer["message"] if isinstance(answer, dict) else answer)

    def stop_server(self, user: str, server: str = "") -> None:
        """Stop a user's server and wait until it is gone."""
        path = f"users/{user}/servers/{server}" if server else f"users/{user}/server"
        self.api("DELETE", path)
        wait_for(f"the end of the server of {user}", lambda: server not in self._servers(user), patience=120)

    def _servers(self, user: str) -> dict[str, Any]:
        status, answer = self.api("GET", f"users/{user}?include_stopped_servers=false")
        servers: dict[str, Any] = answer["servers"] if status == 200 else {"": "unknown"}
        return {name: server for name, server in servers.items() if not server.get("stopped")}


class ClusterHub(DeployedHub):
    """A hub in a namespace of its own, that is rendered from an inventory and installed by the rendered script.

    directory: where the inventory and the rendered files are written. variables: of the host, such as hub_title; they
    replace those in CLUSTER, and ``None`` removes one.
    """

    def __init__(
        self, kubernetes: Kubernetes, chart: Path, directory: Path, name: str, variables: dict[str, Any]
    ) -> None:
        namespace = str(variables.get("hub_namespace") or f"{name}-{secrets.token_hex(2)}")
        super().__init__(kubernetes, namespace, {**CLUSTER, **variables})
        self.chart, self.directory, self.name = chart, directory, name
        self._inventory = FleetInventory(directory, kubernetes.environment)

    @property
    def files(self) -> Path:
        """Return the directory of the files that are rendered for this hub."""
        return self.directory / "out" / self.name

    def deploy(self, **variables: Any) -> str:
        """Render and install or upgrade the hub with more variables of the host; return what the script printed."""
        self.render(**variables)
        return self.install()

    def render(self, **variables: Any) -> str:
        """Render the hub with more variables of the host; return what the playbook printed."""
        self.variables.update(variables)
        done = self.playbook("render", "-e", f"render_directory={self.directory / 'out'}")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def playbook(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Write the inventory and run a playbook on it, as an operator does."""
        found = {"cluster_chart": str(self.chart), "cluster_storage_class": self.kubernetes.storage_class}
        given = {"hub_namespace": self.namespace, **found, **self.variables}
        self._inventory.add(self.name, "cloud", PRODUCTION, given)
        return self._inventory.playbook(name, *arguments)

    def install(self, *arguments: str) -> str:
        """Run the rendered script and wait until the hub answers; return what the script printed."""
        create = ("create", "namespace", self.namespace)
        self.kubernetes.kubectl(*create, check=False)
        done = self.try_install("--wait", "--timeout=180s", *arguments)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.state()}"
        self.connect()
        wait_for("the hub to answer", lambda: self.api("GET", "")[0] == 200, patience=120)
        return done.stdout

    def try_install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the rendered script."""
        command = [str(self.files / "install.sh"), *arguments]
        environment = {**self.kubernetes.environment, "HOME": str(self.directory)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def remove(self) -> None:
        """Remove the hub, its homes and its namespace."""
        self.disconnect()
        self.kubernetes.remove_namespace(self.namespace)


class Session:
    """A user's server that runs."""

    def __init__(self, hub: DeployedHub, user: str, server: str) -> None:
        self.hub, self.user, self.server = hub, user, server
        self._kernel: Kernel | None = None

    @property
    def pod(self) -> dict[str, Any]:
        """Return the manifest of its pod, as the API server has it."""
        for pod in self.hub.pods("singleuser-server"):
            annotations = pod["metadata"]["annotations"]
            names = [annotations.get(f"hub.jupyter.org/{what}", "") for what in ("username", "servername")]
            if names == [self.user, self.server]:
                return pod
        raise AssertionError(f"no pod of {self.user}/{self.server}\n{self.hub.state()}")

    @property
    def container(self) -> dict[str, Any]:
        """Return its container in the pod's manifest."""
        found: dict[str, Any] = self.pod["spec"]["containers"][0]
        return found

    def run(self, code: str) -> str:
        """Return what Python code prints in a kernel; the kernel is the same for all code of the session."""
        if self._kernel is None:
            self._kernel = self.hub.kernel(self.user, self.server)
        return self._kernel.run(code)

    def value(self, expression: str) -> Any:
        """Return the value of an expression in a kernel, which JSON can hold; os and pathlib are imported."""
        return json.loads(self.run(f"import json, os, pathlib\nprint(json.dumps({expression}))"))
