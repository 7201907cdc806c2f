# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""validate looks at hubs on Kubernetes too; a cluster that cannot be reached is told before anything is changed."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest
from kubernetes_fleet import KubernetesFleet


def test_validate(fleet: KubernetesFleet) -> None:
    done = fleet.run("validate", "-vvv")
    assert (done.status, done.changed) == (0, False)
    assert "3 hubs in 2 clusters: valid" in done.said


def test_validate_with_rendering(fleet: KubernetesFleet) -> None:
    pytest.importorskip("helm_python", reason="rendering needs the Python package helm-python-sdk")
    pytest.importorskip("kubernetes_validate", reason="manifests are checked by the Python package kubernetes-validate")
    fleet.chart()
    broken = fleet.run("validate", "-e", "validate_render=true")
    place = fleet.line("group_vars/all.yml", "hub_idle_timeout")
    assert broken.status != 0
    assert any(
        line.startswith(f"{place}: maps-staging: hub_idle_timeout: ") and "data.timeout" in line for line in broken.said
    ), broken.said
    quoted = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: {{ .Values.cull.timeout | quote }}}\n"
    )
    fleet.file("../charts/jupyterhub/templates/settings.yaml", quoted)
    done = fleet.run("validate", "-e", "validate_render=true")
    assert done.status == 0, done.output
    assert done.said[-2].startswith("2 manifests checked; ")
    assert done.said[-1] == "3 hubs in 2 clusters: valid"


def test_validate_tells_the_line_of_a_value(fleet: KubernetesFleet) -> None:
    fleet.add("group_vars/cloud.yml", "hub_tolerations: [{}]\nhub_start_timeout: 5s\n")
    done = fleet.run("validate")
    assert done.status != 0
    place = fleet.line("group_vars/cloud.yml", "hub_start_timeout")
    assert done.said[0] == f"{place}: maps-staging and 1 more: hub_start_timeout: 5s is too small; the minimum is 10s"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plan", ()),
        ("deploy", ()),
        ("deploy", ("--limit", "cloud", "--check")),
        ("stop", ("--limit", "maps")),
        ("remove", ("--limit", "maps", "-e", "remove_hubs=maps")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_kubeconfig_that_is_not_there(fleet: KubernetesFleet, name: str, arguments: tuple[str, ...]) -> None:
    before = fleet.content()
    done = fleet.run(name, *arguments)
    assert done.status != 0
    assert not done.changed
    said = f"cluster cloud: there is no kubeconfig {fleet.no_kubeconfig}; set cluster_kubeconfig; nothing was changed"
    assert f"Task failed: {said}\n" in done.output.replace("Task failed: Action failed: ", "Task failed: ")
    assert fleet.content() == before
    assert not fleet.state.exists()


def test_users_of_a_cluster_that_nobody_reaches(fleet: KubernetesFleet) -> None:
    done = fleet.run("users", "--limit", "maps", "-e", "cluster_kubeconfig=/not-there/kubeconfig")
    assert done.status != 0 and "1 of 1 hubs could not be asked: maps" in done.output, done.output
    assert "there is no kubeconfig /not-there/kubeconfig; set cluster_kubeconfig" in done.said


def test_a_port_that_is_taken_is_the_state_of_its_hub(fleet: KubernetesFleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        # A place that every account can reach; status makes nothing there.
        place = f"cluster_state_directory=/srv/hubfleet-not-there-{port}"
        done = fleet.run("status", "--limit", "local", "-e", f"hub_port={port}", "-e", place)
    assert done.status == 0, done.output
    row = next(line for line in done.said if line.startswith("local "))
    assert f"port {port} is in use by another program of the machine" in row


def test_checking_a_hub_that_is_not_deployed_is_its_failure_only(fleet: KubernetesFleet) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # which every account can reach
        Path(place).chmod(0o755)
        arguments = ["--limit", "local", "--tags", "check", "-e", f"cluster_state_directory={place}/state"]
        done = fleet.run("deploy", *arguments, "-e", "hub_port=18431")
    assert done.status != 0
    row = next(line for line in done.said if line.startswith("local  FAILED"))
    assert row.endswith("hub local is not deployed; run the playbook deploy first")
