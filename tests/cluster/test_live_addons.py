# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-ons are deployed with their hub, changed, rolled back and removed with it. In this order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster_hub import IMAGE
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet

HUB, CLUSTER = "research", "addons"
#: Nothing listens there.
MISSING_IMAGE = "127.0.0.1:9/missing:1.0"
RELEASE = f"{HUB}-notes"

pytestmark = pytest.mark.slow

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "notes"},
    "spec": {
        "selector": {"matchLabels": {"app": "notes"}},
        "template": {
            "metadata": {"labels": {"app": "notes"}, "annotations": {"text": "{{ .Values.text }}"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "notes", "image": "{{ .Values.image }}", "command": ["sleep", "infinity"]}],
            },
        },
    },
}


@pytest.fixture(scope="module")
def addon(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An add-on with a chart of its own, whose values tests change."""
    chart = tmp_path_factory.mktemp("charts") / "notes"
    (chart / "templates").mkdir(parents=True)
    write(chart / "Chart.yaml", {"apiVersion": "v2", "name": "notes", "version": "1.0.0"})
    write(chart / "values.yaml", {"text": "", "image": IMAGE})
    write(chart / "templates" / "deployment.yaml", DEPLOYMENT)
    return {"chart": str(chart), "version": "1.0.0", "values": {"text": "first"}}


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet], addon: dict[str, Any]) -> KubernetesFleet:
    """A hub with the add-on."""
    made = make_fleet(**{CLUSTER: kubernetes})
    made.clusters[CLUSTER]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster", hub_deploy_timeout="5m", hub_addons={"notes": addon})
    return made


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a file of the chart; templates in values stay what they are."""
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def texts(fleet: KubernetesFleet) -> list[str]:
    """Return the texts of the add-on's pods, which the values of its release set."""
    pods = fleet.kubernetes[CLUSTER].objects(fleet.namespace(HUB), "pods", "--selector", "app=notes")
    there = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return [pod["metadata"]["annotations"]["text"] for pod in there]


@pytest.mark.options("hub_addons", "hub_addons.chart", "hub_addons.version", "hub_addons.values")
def test_an_addon_is_deployed_and_changed(fleet: KubernetesFleet, addon: dict[str, Any]) -> None:
    assert f"{HUB}: helm upgrade {RELEASE}" in fleet.run("deploy")
    assert texts(fleet) == ["first"]
    fleet.assert_unchanged("-e", "plan_drift=deep")
    addon["values"]["text"] = "second"
    assert f"{HUB}: helm upgrade {RELEASE}" in fleet.run("deploy")
    assert texts(fleet) == ["second"]


def test_an_addon_that_fails_is_rolled_back(fleet: KubernetesFleet, addon: dict[str, Any]) -> None:
    good = dict(addon["values"])
    addon["values"] |= {"text": "third", "image": MISSING_IMAGE}
    output = fleet.fails("deploy")
    assert f"cannot pull image {MISSING_IMAGE}" in output and "rolled back" in output, output
    assert texts(fleet) == ["second"]
    addon["values"] = good
    fleet.assert_unchanged()


def test_an_addon_outlives_a_deploy_without_it_that_fails(fleet: KubernetesFleet, addon: dict[str, Any]) -> None:
    variables = fleet.hubs[HUB]
    given = dict(variables)
    variables.update(hub_addons={}, hub_helm_values={"hub": {"image": {"name": "127.0.0.1:9/missing", "tag": "1.0"}}})
    assert "rolled back" in fleet.fails("deploy")
    assert texts(fleet) == ["second"]
    variables.update(hub_addons=given["hub_addons"], hub_helm_values=None)
    fleet.assert_unchanged()


def test_an_addon_is_removed_with_its_entry(fleet: KubernetesFleet) -> None:
    fleet.hubs[HUB]["hub_addons"] = {}
    assert f"{HUB}: removing the add-on {RELEASE}" in fleet.run("deploy")
    wait_for("the end of the add-on", lambda: texts(fleet) == [])
    fleet.assert_unchanged()
