# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sessions may connect to, and as which service account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cluster_hub import ClusterHub, Session
from hub_client import wait_for
from kubernetes_api import Kubernetes

HELPER = "quay.io/jupyterhub/k8s-hub:test"
#: An address of the Internet (RFC 5737), and that of the metadata server of clouds.
INTERNET, METADATA = "198.51.100.7", "169.254.169.254"
#: Both are given to the node, with a web server each.
SERVE = f"""
trap 'ip address del {INTERNET}/32 dev lo; ip address del {METADATA}/32 dev lo; kill 0' TERM
ip address add {INTERNET}/32 dev lo
ip address add {METADATA}/32 dev lo
cd /srv
python3 -m http.server --bind {INTERNET} 80 &
python3 -m http.server --bind {METADATA} 80 &
wait
"""
SERVERS = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "servers"},
    "spec": {
        "hostNetwork": True,
        "containers": [
            {
                "name": "main",
                "image": HELPER,
                "command": ["bash", "-c", SERVE],
                "securityContext": {"privileged": True, "runAsUser": 0},
            }
        ],
    },
}


def account(name: str, *rules: dict[str, list[str]]) -> dict[str, Any]:
    """Return a service account with a role of its own."""
    group = "rbac.authorization.k8s.io"
    bound = {"roleRef": {"apiGroup": group, "kind": "Role", "name": name}}
    subjects = [{"kind": "ServiceAccount", "name": name}]
    items = [
        {"apiVersion": "v1", "kind": "ServiceAccount"},
        {"apiVersion": f"{group}/v1", "kind": "Role", "rules": list(rules)},
        {"apiVersion": f"{group}/v1", "kind": "RoleBinding", **bound, "subjects": subjects},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": [{**item, "metadata": {"name": name}} for item in items]}


RESEARCH = account("research", {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]})
#: What KubeSpawner needs.
INSTITUTION = account(
    "institution",
    {
        "apiGroups": [""],
        "resources": ["pods", "persistentvolumeclaims", "secrets", "services"],
        "verbs": ["get", "watch", "list", "create", "delete"],
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "watch", "list"]},
)
#: Prints the status of answers, or "none".
ASK = """
import os, pathlib, ssl, urllib.request
def status(address, token=None):
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        return urllib.request.urlopen(request, timeout=3, context=ssl._create_unverified_context()).status
    except OSError:
        return None
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
def pods():
    namespace, token = (account / name for name in ("namespace", "token"))
    path = f"/api/v1/namespaces/{namespace.read_text()}/pods"
    return status(f"https://{os.environ['KUBERNETES_SERVICE_HOST']}{path}", token.read_text())
"""


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub], kubernetes: Kubernetes) -> Iterator[ClusterHub]:
    made = make_hub(
        hub_home_storage="none",
        hub_home_capacity=None,
        hub_user_service_account="research",
        hub_service_account="institution",
        hub_user_egress={"internet": False, "private": True, "metadata": True},
        hub_block_metadata_with_iptables=False,
    )
    kubernetes.kubectl("create", "namespace", made.namespace)
    for given in (RESEARCH, INSTITUTION, SERVERS):
        kubernetes.kubectl("--namespace", made.namespace, "apply", "--filename", "-", given=given)
    made.deploy()
    yield made
    kubernetes.kubectl("--namespace", made.namespace, "delete", "pod", "servers")


@pytest.mark.options("hub_user_egress.internet", "hub_user_egress.private", "hub_user_egress.metadata")
@pytest.mark.options("hub_user_service_account", "hub_service_account", "hub_block_metadata_with_iptables")
def test_egress(hub: ClusterHub) -> None:
    """Rules also change for sessions that run; what iptables block starts with the session."""
    internet, metadata = f"status('http://{INTERNET}')", f"status('http://{METADATA}')"
    assert hub.pods("hub")[0]["spec"]["serviceAccountName"] == "institution"
    with hub.session("ada") as session:
        session.run(ASK)
        assert session.value(f"[{internet}, pods(), {metadata}]") == [None, 200, 200]
        hub.deploy(hub_user_egress={"internet": True, "private": False, "metadata": False})
        changed = [200, None, None]
        session = Session(hub, "ada", "")  # the proxy has started again, and closed the connection to the kernel
        session.run(ASK)
        wait_for("other rules", lambda: session.value(f"[{internet}, pods(), {metadata}]") == changed)
    assert "still blocks the metadata server" in deploy_error(hub)
    del hub.variables["hub_block_metadata_with_iptables"]
    hub.deploy(hub_user_egress={"internet": True, "private": False, "metadata": False})
    with hub.session("ada") as session:
        session.run(ASK)
        assert session.value(f"[{internet}, {metadata}]") == [200, None]
        assert [container["name"] for container in session.pod["spec"]["initContainers"]] == ["block-cloud-metadata"]


def deploy_error(hub: ClusterHub) -> str:
    """Return why a hub is not valid whose sessions may use the metadata server, while iptables block it."""
    allowed = {"internet": True, "private": False, "metadata": True}
    hub.variables.update(hub_user_egress=allowed, hub_block_metadata_with_iptables=True)
    done = hub.playbook("validate")
    assert done.returncode != 0
    return " ".join((done.stdout + done.stderr).split())
