# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of hubs on Kubernetes to measure on, in size and richness like real ones."""

import sys
from pathlib import Path

import yaml
from measure import CHECKOUT, Taken, timed

#: Renders the values files named by the arguments, with the first one as chart: what nobody can be faster than.
_PURE = """
import sys, yaml, helm_python
values = [yaml.load(open(path), Loader=yaml.CSafeLoader) for path in sys.argv[2:]]
with helm_python.Chart.load(sys.argv[1]) as chart:
    for each in values if "{render}" else []:
        chart.render(each, name="hub", namespace="hub")
"""

#: Hubs of a cluster; the real fleet that these are like has 171 on 30.
PER_CLUSTER = 6


def kubernetes_inventory(
    directory: str, hubs: int, chart: str = "", per_cluster: int = PER_CLUSTER, **variables: str
) -> str:
    """Write an inventory of many hubs on Kubernetes; return its path.

    chart: path of a chart, or "". per_cluster: hubs of a cluster. variables: of all hubs, such as cluster_kubeconfig.
    """
    path = Path(directory)
    (path / "host_vars").mkdir(parents=True)
    (path / "group_vars").mkdir()
    clusters: dict[str, dict] = {}
    tiers: dict[str, dict] = {"staging": {}, "production": {}}
    for number in range(hubs):
        cluster, name = f"cluster-{number // per_cluster:03}", f"hub-{number:04}"
        clusters.setdefault(cluster, {})[name] = None
        tiers["staging" if number % per_cluster == 0 else "production"][name] = None
        _dump(path / "host_vars" / f"{name}.yml", _hub(number, name))
    for cluster in clusters:
        _dump(path / "group_vars" / f"{cluster}.yml", _cluster(cluster, chart))
    _dump(path / "group_vars" / "all.yml", {**_catalogues(), **variables})
    groups = {"clusters": {"children": {name: {"hosts": hosts} for name, hosts in clusters.items()}}}
    groups.update({tier: {"hosts": hosts} for tier, hosts in tiers.items() if hosts})
    _dump(path / "hosts.yml", {"all": {"children": groups}})
    return str(path)


def pure_rendering(inventory: str, chart: str, scratch: str) -> Taken:
    """Return what Helm as a library takes to render all hubs of an inventory, in one process and nothing else."""
    directory = Path(scratch) / "pure"
    ansible = f"{sys.prefix}/bin/ansible-playbook"
    timed([ansible, "-i", inventory, f"{CHECKOUT}/playbooks/render.yml", "-e", f"render_directory={directory}"])
    files = sorted(map(str, directory.glob("*/values.yaml")))
    idle, busy = (
        timed([sys.executable, "-c", _PURE.replace("{render}", render), chart, *files]) for render in ("", "yes")
    )
    # Starting Python and reading the values is not rendering.
    return Taken(busy.wall - idle.wall, busy.cpu - idle.cpu)


def _dump(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def _catalogues() -> dict:
    environments = {
        f"image-{number}": {
            "title": f"Image {number}",
            "description": "Python with scientific and geospatial tools",
            "image": f"quay.io/example/image-{number}:2026.{number:02}.01",
            "image_pull_policy": "Always",
            "interface": "/rstudio" if number % 3 == 0 else "/lab",
            "working_directory": "/home/rstudio",
            "extra": {"slug": f"image-{number}"},
        }
        for number in range(12)
    }
    sizes = {
        f"mem-{number}": {
            "title": f"~{number} GB RAM, ~{number / 8} CPUs",
            "description": f"Up to ~{number / 4} CPUs when available",
            "memory": 1073741824 * number + 7,
            "memory_guarantee": 1073741824 * number,
            "cpu": 4.6505,
            "cpu_guarantee": number / 64,
            "node_selector": {"node.kubernetes.io/instance-type": "r5.xlarge"},
        }
        for number in (1, 2, 4, 7, 15, 29, 58, 117, 235, 461)
    }
    return {
        "hub_environment_catalogue": environments,
        "hub_size_catalogue": sizes,
        "cluster_platform": "kubernetes",
        "cluster_exposure": "ingress",
        "cluster_certificate_issuer": "letsencrypt-prod",
        "cluster_storage_class": "standard",
        "fleet_helm_values": {"hub": {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}}},
    }


def _cluster(name: str, chart: str) -> dict:
    values = {
        "hub": {"resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": 1, "memory": "1Gi"}}},
        "proxy": {"chp": {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}}},
        "singleuser": {"extraFiles": {"gitconfig": {"mountPath": "/etc/gitconfig", "stringData": "[user]\n" * 10}}},
    }
    return {
        "hub_home_storage": "claim",
        "hub_home_claim": "home-nfs",
        "hub_shared_directories": {"shared": {"path": "/home/jovyan/shared", "subpath": "_shared", "read_only": True}},
        "cluster_helm_values": {**values, "custom": {"cluster": name}},
        **({"cluster_chart": chart} if chart else {}),
    }


def _hub(number: int, name: str) -> dict:
    images = [f"image-{(number + step) % 12}" for step in range(5)]
    sizes = ["mem-1", "mem-2", "mem-4", "mem-7", "mem-15", "mem-29"]
    return {
        "hub_title": f"Hub {number}",
        "hub_domain": f"{name}.example.org",
        "hub_authenticator": "github",
        "hub_authenticator_settings": {
            "client_id": f"id-{number}",
            "client_secret": "{{ 'secret of ' ~ inventory_hostname }}",
        },
        "hub_allowed_organizations": [f"university-{number}", "partners:hub"],
        "hub_admins": ["ada", "ben"],
        "hub_profiles": [
            {"title": "CPU", "slug": "cpu", "environments": images, "sizes": sizes, "unlisted_image": {}},
            {"title": "GPU", "slug": "gpu", "environments": images[:2], "sizes": ["mem-58"],
             "allowed_groups": ["partners:gpu"], "override": {"extra_resource_limits": {"nvidia.com/gpu": "1"}}},
        ],
        "hub_buckets": {"SCRATCH_BUCKET": f"s3://scratch-{name}", "PERSISTENT_BUCKET": f"s3://persistent-{name}"},
        "hub_environment_variables": {"GH_SCOPED_CREDS_CLIENT_ID": f"Iv1.{number}"},
        "hub_roles": [{"name": "user", "scopes": ["self", "access:services!service=binder"]}],
        "hub_helm_values": {
            "custom": {"homepage": {"templateVars": {"org": {"name": f"Community {number}", "url": "https://example.org"}}}},
            "hub": {"extraConfig": {"01-banner": "c.JupyterHub.template_vars.update(hub=1)\n" * 5}},
            "singleuser": {"extraEnv": {"COURSE": f"course-{number}"}},
        },
    }  # fmt: skip
