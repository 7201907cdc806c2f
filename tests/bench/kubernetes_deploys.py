# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy of one hub on Kubernetes costs among a hundred, against helm alone and a check.

The hub that changes is on a cluster with pods; the others are releases on an API server without nodes, as in
kubernetes_reads.py.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from helm_releases import CHART, Releases
from kubernetes_reads import STORAGE_CLASS, parts_of
from measure import ANSIBLE, CHECKOUT, Table, Taken, timed

sys.path[:0] = [str(CHECKOUT / "tests/support"), str(CHECKOUT / "tests/cluster")]

from kubernetes_api import Kubernetes  # noqa: E402
from kubernetes_cluster.__main__ import cluster, missing_for_clusters  # noqa: E402
from kubernetes_cluster.api_server import ApiServer, missing  # noqa: E402
from kubernetes_fleet import KubernetesFleet  # noqa: E402

#: Names the kubeconfig of a cluster to use.
GIVEN = "HUBFLEET_TEST_KUBECONFIG"
#: Not the number of a cluster of tests, or of a developer.
NUMBER = 47
#: The hub that changes, and how many others there are.
HUB, OTHERS = "changing", 99
REAL, MANY = "real", "many"
TITLES = "First title", "Second title", "Third title"
#: How many times as long as helm and a check a deploy may take.
LONGER = 1.2


def deploys(table: Table, scratch: str) -> None:
    """Deploy one new hub of a hundred, change it, and do the same with helm and a check."""
    if why := missing() if GIVEN in os.environ else missing_for_clusters():
        print(f"left out: {why}", file=sys.stderr)
        return
    with ExitStack() as stack:
        kubernetes = stack.enter_context(running_cluster())
        fleet = KubernetesFleet(Path(scratch, "deploys"), {REAL: kubernetes.kubeconfig}, CHART)
        stack.callback(fleet.remove)  # after the API server without nodes has ended, where no namespace can be removed
        server = stack.enter_context(ApiServer(Path(scratch, "others")))
        fleet.add_cluster(MANY, server.kubeconfig, cluster_storage_class="standard")
        fleet.add_hub(HUB, REAL, hub_check_through="cluster", hub_title=TITLES[0])
        make_others(fleet, server)
        new = deploy(fleet)
        table.add(f"empty namespace to checked hub, among {OTHERS + 1}", new, None, None)
        table.add("  again, nothing to change", deploy(fleet), None, new)
        fleet.hubs[HUB]["hub_title"] = TITLES[1]
        changed = deploy(fleet)
        by_helm = upgrade(fleet, kubernetes) + run(fleet, "check", "--limit", HUB)
        table.add("one change by helm upgrade --wait, and a check", by_helm, None, None)
        table.add("the same by deploy", changed, LONGER * by_helm.wall, by_helm)


@contextmanager
def running_cluster() -> Iterator[Kubernetes]:
    """Start a cluster, unless there is one."""
    if GIVEN in os.environ:
        yield Kubernetes(Path(os.environ[GIVEN]))
        return
    own = cluster(NUMBER)
    try:
        own.start()
        yield Kubernetes(own.kubeconfig)
    finally:
        own.stop()


def make_others(fleet: KubernetesFleet, server: ApiServer) -> None:
    """Add the other hubs to the inventory, and what a deploy of them would have left."""
    names = [f"hub-{number:04}" for number in range(OTHERS)]
    for name in names:
        fleet.add_hub(name, MANY, hub_namespace=name)
    fleet.write()
    rendered = Path(f"{fleet.directory}-rendered")
    run(fleet, "render", "--limit", MANY, "-e", f"render_directory={rendered}")
    made = Releases(server, rendered / names[0] / "values.yaml")
    made.api.create("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
    made.create(names)
    made.record(MANY, {name: parts_of(rendered, name) for name in names})


def deploy(fleet: KubernetesFleet) -> Taken:
    """Deploy the fleet; only one hub differs."""
    return run(fleet, "deploy")


def run(fleet: KubernetesFleet, name: str, *arguments: str) -> Taken:
    """Run a playbook on the fleet."""
    fleet.write()
    command = [ANSIBLE, "-i", str(fleet.path), f"{CHECKOUT}/playbooks/{name}.yml", *arguments]
    return timed(command, fleet.playbook_environment())


def upgrade(fleet: KubernetesFleet, kubernetes: Kubernetes) -> Taken:
    """Change the hub as people do who only have helm: with its values, and one other title."""
    namespace = ("--namespace", fleet.namespace(HUB))
    asked = ["helm", "get", "values", HUB, *namespace, "--output", "yaml"]
    text = subprocess.run(asked, env=kubernetes.environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert TITLES[1] in text
    values = fleet.directory / "values.yaml"
    values.write_text(text.replace(TITLES[1], TITLES[2]))
    command = ["helm", "upgrade", HUB, str(CHART), *namespace, "--values", str(values), "--wait"]
    return timed(command, kubernetes.environment)
