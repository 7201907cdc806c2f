# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KubeSpawner makes a pod of every profile and choice, and what Kubernetes would refuse is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubespawner", reason="these tests need the Python package jupyterhub-kubespawner")
pytest.importorskip("kubernetes_validate", reason="pods are checked by the Python package kubernetes-validate")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import read
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.session_pods import (
    SessionPod,
    SessionPods,
    refused_pods,
    session_pods,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.sessions import (
    given_traits,
    kubespawner_traits,
    session_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    over_defaults,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CHARTS,
    values_of,
)

RECORD = read(CHARTS, "4.4.0")
MEBIBYTE = 2**20
CATALOGUES: dict[str, Any] = {
    "hub_environment_catalogue": {"python": {"image": "quay.io/uni/python:1"}, "r": {"image": "quay.io/uni/r:2"}},
    "hub_size_catalogue": {"small": {"memory": "512M"}, "large": {"memory": "8G", "cpu": 2}},
}


def made(*hubs: dict[str, Any]) -> list[SessionPods]:
    """Return the pods of hubs with these variables."""
    traits = []
    for variables in hubs:
        merged = values_of(**{**CATALOGUES, **variables}).merged
        full = over_defaults(RECORD.defaults, merged)
        given = list(given_traits(full, merged, RECORD.traits.of("KubeSpawner")))
        traits.append(kubespawner_traits(full, session_of(full, given)))
    return session_pods(traits, "1.34")


def test_every_choice_has_a_pod_and_refusals_are_found() -> None:
    choices = {"hub_environments": ["python", "r"], "hub_sizes": ["small", "large"], "hub_unlisted_image": True}
    typed = {"singleuser": {"extraPodConfig": {"hostname": 5}}}
    failing = {"singleuser": {"extraPodConfig": {"hostAliases": ["{x!z}"]}}}
    unreadable = {"singleuser": {"profileList": ["python"]}}
    plain, chosen, unknown, impossible, no_profile = made(
        {"hub_environments": ["python"]},
        choices,
        {**choices, "hub_helm_values": typed},
        {"hub_helm_values": failing},
        {"hub_helm_values": unreadable},
    )
    assert (len(plain.pods), plain.problems) == (1, [])
    containers = [pod.manifest["spec"]["containers"][0] for pod in chosen.pods]
    assert [container["image"] for container in containers] == [
        *["quay.io/uni/python:1"] * 2,
        *["quay.io/uni/r:2"] * 2,
        *["registry.example.org/image:tag"] * 2,
    ]
    assert {container["resources"]["limits"]["memory"] for container in containers} == {512 * MEBIBYTE, 8192 * MEBIBYTE}
    assert chosen.problems == [] and chosen.pods[2].place == ("singleuser", "profileList", 1)
    first = [("singleuser", "profileList", index) for index in range(3)]
    assert [problem.place for problem in unknown.problems] == first
    assert unknown.problems[0].message == "Pod: spec.hostname: must be string (size: small)"
    assert impossible.pods == [] and "KubeSpawner cannot make a pod" in impossible.problems[0].message
    assert [problem.message for problem in no_profile.problems] == ["cannot be read as profiles: TypeError"]


def test_volumes_and_the_init_container_are_those_of_the_chart() -> None:
    files = {"hub_files": {"notes": {"path": "/srv/notes", "content": "x"}}}
    scratch = {"hub_volumes": {"scratch": {"path": "/scratch", "volume": {"emptyDir": {}}}}}
    dynamic = {"hub_home_storage": "dynamic", "cluster_storage_class": "standard", **files, **scratch}
    (found,) = made(dynamic)
    specification = found.pods[0].manifest["spec"]
    assert found.problems == []
    volumes = {volume["name"]: volume for volume in specification["volumes"]}
    assert {"files", "scratch"} < volumes.keys() and len(volumes) == 3
    assert {mount["mountPath"] for mount in specification["containers"][0]["volumeMounts"]} == {
        "/home/jovyan",
        "/srv/notes",
        "/scratch",
    }
    assert [container["name"] for container in specification["initContainers"]] == ["block-cloud-metadata"]


FORBIDDEN = 'pods "session-1" is forbidden: exceeded quota'
CREATING = 'error when creating "STDIN"'


@pytest.mark.parametrize(
    ("said", "places", "message"),
    [
        ('The Pod "session-0" is invalid: spec.a: Required value', [0], "spec.a: Required value"),
        ('The Pod "session-1" is invalid: \n* spec.a: Bad\n* spec.b: Bad', [1], "spec.a: Bad * spec.b: Bad"),
        (f"Error from server (Forbidden): {CREATING}: {FORBIDDEN}", [1], "exceeded quota"),
        (
            f'Error from server (Invalid): {CREATING}: Pod "session-0" is invalid: spec.a: Bad\n'
            f"Error from server (Forbidden): {CREATING}: {FORBIDDEN}",
            [0, 1],
            "spec.a: Bad",
        ),
    ],
)
def test_each_refusal_of_a_cluster_is_told_of_its_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, places: list[int], message: str
) -> None:
    (tmp_path / "said").write_text(f"{said}\n")
    (tmp_path / "kubectl").write_text(f"#!/bin/sh\n/bin/cat {tmp_path}/said >&2\nexit 1\n")
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    pods = [SessionPod((index,), "", {"kind": "Pod", "metadata": {"name": "jupyter"}}) for index in (0, 1)]
    problems = refused_pods(pods, "maps")
    assert [problem.place for problem in problems] == [(place,) for place in places]
    assert problems[0].message.startswith("the cluster refuses the pod: ") and problems[0].message.endswith(message)
