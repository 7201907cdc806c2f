# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories of the tests are sound, with two clusters and a machine, and with one that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fleet_inventory import STAGING
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet


def test_an_inventory_of_several_clusters_is_sound(
    kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet], tmp_path: Path
) -> None:
    fleet = make_fleet(cloud=kubernetes)
    kubeconfig = json.loads(kubernetes.kubectl("config", "view", "--raw", "--minify", "--output=json"))
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    silent = tmp_path / "silent.conf"
    silent.write_text(json.dumps(kubeconfig))
    fleet.add_cluster("reserve", silent, cluster_storage_class="standard")
    fleet.add_hub("research", hub_title="Research")
    fleet.add_hub("trial", tier=STAGING)
    fleet.add_hub("spare", "reserve")
    machine = {"cluster_platform": "server", "cluster_state_directory": str(tmp_path / "state")}
    fleet.clusters["lab"] = machine
    own = {"hub_port": 38000, "hub_authenticator": "shared-password", "hub_allowed_users": ["ada"]}
    environments = {"hub_environment_catalogue": {"python": {}}, "hub_environments": ["python"]}
    sizes = {"hub_size_catalogue": {"small": {"memory": "1G"}}, "hub_sizes": ["small"]}
    fleet.add("local", "lab", STAGING, {**own, **environments, **sizes})
    done = fleet.playbook("validate")
    assert done.returncode == 0 and "4 hubs" in done.stdout, done.stdout + done.stderr
    rendered = fleet.playbook("render", "--limit", "cloud", "-e", f"render_directory={tmp_path / 'out'}")
    assert rendered.returncode == 0, rendered.stdout + rendered.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["research", "trial"]
    assert not fleet.kubernetes["reserve"].answers() and kubernetes.answers()
