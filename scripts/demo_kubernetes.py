# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy, stop or remove the demo hubs on the Kubernetes of the tests, with the playbooks that operators use.

The inventory is written into .cache, since that of the checkout is for a machine.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "tests" / "support"))
sys.path.insert(0, str(CHECKOUT / ".ansible" / "collections"))

import demo  # noqa: E402
import kubernetes_cluster.programs  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.shared_password import (  # noqa: E402
    PASSWORDS,
)
from kubernetes_cluster.__main__ import cluster  # noqa: E402
from prebuilt import cache  # noqa: E402

INVENTORY = CHECKOUT / ".cache" / "demo-kubernetes" / "inventory"
#: Hub -> the port of this machine in the printed command.
HUBS = {"demo-staging": 8210, "demo": 8200}
#: The image of sessions that the nodes of the test cluster have.
IMAGE = "quay.io/jupyterhub/k8s-singleuser-sample:test"

ALL = {
    "cluster_platform": "kubernetes",
    "cluster_chart": str(CHECKOUT / "tests" / "support" / "charts" / "jupyterhub"),
    "cluster_storage_class": "standard",
    "hub_authenticator": "shared-password",
    "hub_allowed_users": ["ada", "ben"],
    "hub_admins": ["admin"],
    "hub_environment_catalogue": {
        "python": {"title": "Python", "description": "JupyterLab with plain Python", "image": IMAGE}
    },
    "hub_environments": ["python"],
    "hub_size_catalogue": {
        "small": {"title": "Small", "description": "256 MB of memory", "memory": "256M"},
        "large": {"title": "Large", "description": "1 GB of memory", "memory": "1G"},
    },
    "hub_sizes": ["small", "large"],
    "hub_database_storage": "100M",
    "hub_home_capacity": "100M",
    "hub_user_scheduler": False,
    "hub_prepull_on_new_nodes": False,
    "fleet_helm_values": {"proxy": {"chp": {"image": {"tag": "test"}}}},
}


def write_inventory(kubeconfig: str) -> None:
    """Write the inventory of the demo hubs."""
    hosts = {"clusters": {"children": {"demonstration": {"hosts": dict.fromkeys(HUBS)}}}}
    hosts["staging"], hosts["production"] = {"hosts": {"demo-staging": None}}, {"hosts": {"demo": None}}
    files = {
        "hosts.yml": {"all": {"children": hosts}},
        "group_vars/all.yml": {**ALL, "cluster_kubeconfig": kubeconfig},
        "host_vars/demo.yml": {"hub_title": "Demonstration hub"},
        "host_vars/demo-staging.yml": {
            "hub_title": "Demonstration hub (staging)",
            "hub_announcement": "This is the staging hub. Changes arrive here first.",
        },
    }
    # The cluster may have been made anew since.
    (INVENTORY / ".cluster-identities.json").unlink(missing_ok=True)
    for name, content in files.items():
        path = INVENTORY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def playbook(name: str, *arguments: str) -> int:
    """Run a playbook on the demo hubs; return its exit code."""
    programs = str(kubernetes_cluster.programs.directory(cache() / "kubernetes"))
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    command = ["ansible-playbook", "-i", str(INVENTORY.relative_to(CHECKOUT)), f"playbooks/{name}.yml", *arguments]
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode


def up() -> int:
    """Start the cluster, unless it runs, deploy the hubs and print how to log in."""
    code = subprocess.run([CHECKOUT / "scripts" / "kubernetes-cluster", "up"], cwd=CHECKOUT, check=False).returncode
    if code:
        return code
    kubeconfig = cluster().kubeconfig
    write_inventory(str(kubeconfig))
    code = playbook("deploy")
    if code:
        return code
    programs = kubernetes_cluster.programs.directory(cache() / "kubernetes")
    print(f"\nTwo JupyterHubs run on Kubernetes. export KUBECONFIG={kubeconfig} PATH={programs}:$PATH")
    for hub, port in HUBS.items():
        print(f"\n  {hub}: http://127.0.0.1:{port}/ while this runs:")
        print(f"    kubectl --namespace {hub} port-forward service/proxy-public {port}:http")
        print("    log in as ada, ben or admin, with the passwords that this prints:")
        print(f"    kubectl exec --namespace {hub} deploy/hub -- cat {PASSWORDS}")
    print("\nNext, with PLATFORM=kubernetes: make demo (again: nothing to change), make demo-down, make demo-clean.")
    return 0


def down() -> int:
    """Stop the hubs and their users' servers; keep their data."""
    return demo.stop_hubs(playbook)


def clean() -> int:
    """Remove the hubs with all data, after asking; the cluster stays."""
    code = demo.remove_hubs(playbook, HUBS, "from the test cluster")
    if code == 0:
        print("The cluster goes on; make kubernetes-cluster-down stops it.")
    return code


if __name__ == "__main__":
    sys.exit(demo.main({"up": up, "down": down, "clean": clean}))
