# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reading many releases of one cluster costs, against what operators do with helm.

python tests/bench/kubernetes_reads.py --releases 1000   not both 172 and 1,000
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import yaml
from helm_releases import CHART, REVISIONS, KubernetesApi, Releases
from kubernetes_fleets import kubernetes_inventory
from measure import CHECKOUT, Table, Taken, measured, playbook, timed

sys.path[:0] = [str(CHECKOUT / ".ansible/collections"), str(CHECKOUT / "tests/support")]

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart import (  # noqa: E402
    content,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import (  # noqa: E402
    with_deploy_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.desired import (  # noqa: E402
    DesiredRelease,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import Place  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.secrets import redactor  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import chart_code  # noqa: E402
from kubernetes_cluster.api_server import ApiServer, missing  # noqa: E402

#: A fleet that exists, of 171 hubs, with one release that is no hub; and a large one.
RELEASES = (172, 1000)
OTHER = "support"
#: The name of the cluster in its inventory, and the class of its volumes.
CLUSTER = "cluster-000"
STORAGE_CLASS = {"metadata": {"name": "standard"}, "provisioner": "example.org/none"}
#: `helm get values` is started for so many releases, and counted for all of them: nothing in it depends on the others.
ASKED = 172
#: How many times as fast as helm a plan has to be, and seconds for another number of releases.
FASTER = 20
GOALS = {1000: 8.0}


def reads(table: Table, scratch: str) -> None:
    """Read 172 and 1,000 releases of one cluster by helm and by us, and plan their hubs."""
    if why := missing():
        print(f"left out: {why}", file=sys.stderr)
        return
    for count in RELEASES:
        read(table, scratch, count)


def read(table: Table, scratch: str, releases: int) -> None:
    """Start an API server with releases, and measure on it."""
    with ApiServer(Path(scratch, f"api-server-{releases}")) as server:
        hubs = releases - 1
        inventory = kubernetes_inventory(
            os.path.join(scratch, f"reads-{releases}"),
            hubs,
            str(CHART),
            per_cluster=hubs,
            cluster_kubeconfig=str(server.kubeconfig),
        )
        names = [*(f"hub-{number:04}" for number in range(hubs)), OTHER]
        rendered = render(inventory)
        made = Releases(server, rendered / names[1] / "values.yaml")
        made.api.create("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
        made.create(names)
        made.record(CLUSTER, {name: parts_of(rendered, name) for name in names[:-1]})
        by_helm = helm(table, made, names)
        ours(table, made, by_helm)
        plan(table, inventory, f"plan of {hubs} hubs, nothing to change", by_helm, hubs)
        differing = ("-e", "hub_title=Another")
        plan(table, inventory, f"plan of {hubs} hubs, all differ", by_helm, hubs, *differing)


def render(inventory: str) -> Path:
    """Render all hubs; return the directory of their files."""
    directory = f"{inventory}-rendered"
    playbook("render", inventory, "-e", f"render_directory={directory}")
    return Path(directory)


def parts_of(rendered: Path, hub: str) -> dict[str, str]:
    """Return the digests that a deploy of a hub records."""
    values = yaml.load((rendered / hub / "values.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    chart = content.read(str(CHART))
    place = Place(CLUSTER, hub, hub, hub)
    reference = content.ChartReference(str(CHART))
    given = with_deploy_settings(values, chart_code())
    return DesiredRelease(place, reference, chart.version, chart.app_version, given, (), redactor()).parts


def helm(table: Table, releases: Releases, names: list[str]) -> Taken:
    """Measure what shows an operator every release and its values; return the sum."""
    listed = timed(releases.command("list", "--all-namespaces", "--max", "0"), releases.environment)
    table.add(f"helm list -A, {len(names)} releases with {REVISIONS} revisions", listed, None, None)
    asked, values = names[:ASKED], Taken(0, 0)
    for name in asked:
        values += timed(releases.command("get", "values", name, "--namespace", name), releases.environment)
    times = len(names) / len(asked)
    values = Taken(values.wall * times, values.cpu * times)
    measured_by = "" if times == 1 else f", measured by {len(asked)}"
    table.add(f"helm get values of each{measured_by}", values, None, None)
    table.add("  together", listed + values, None, None)
    return listed + values


def ours(table: Table, releases: Releases, by_helm: Taken) -> None:
    """Measure the two requests that a plan is made of, in this process, on a connection that is there."""
    api: KubernetesApi = releases.api
    rows = {
        "metadata of all revisions": lambda: api.list("/api/v1/secrets", "owner in (helm,hubfleet)", metadata=True),
        "table of all deployments": lambda: api.table("/apis/apps/v1/deployments"),
    }
    for what, request in rows.items():
        table.add(what, measured(request), None, by_helm)


def plan(table: Table, inventory: str, what: str, by_helm: Taken, hubs: int, *arguments: str) -> None:
    """Measure the playbook: all hubs are in one cluster."""
    taken = playbook("plan", inventory, *arguments)
    goal = GOALS.get(hubs + 1, by_helm.wall / FASTER)
    table.add(what, taken, goal, by_helm)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, help="how many (172, then 1,000)")
    number = parser.parse_args().releases
    table = Table()
    with tempfile.TemporaryDirectory(prefix="hubfleet-bench-") as scratch:
        if number:
            read(table, scratch, number)
        else:
            reads(table, scratch)
    table.print()


if __name__ == "__main__":
    main()
