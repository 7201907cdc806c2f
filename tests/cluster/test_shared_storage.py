# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Homes and shared directories in one claim, of a hub at a path of its domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from cluster_hub import CLAIM_OF_HOMES, ClusterHub, Session


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    made = make_hub(
        hub_release="team",
        hub_url="https://hub.example.org/team/",
        cluster_exposure="ingress",
        cluster_ingress_class="nginx",
        cluster_ingress_annotations={"example.org/limit": "1"},
        hub_tls_secret="team-certificate",
        hub_home_storage="claim",
        hub_home_claim="homes",
        hub_home_capacity=None,
        hub_home_subpath="homes/{username}",
        hub_shared_directories={
            "course": {"path": "~/course", "subpath": "_course", "read_only": True},
            "material": {"path": "/srv/material", "subpath": "_course"},
        },
    )
    made.kubernetes.kubectl("create", "namespace", made.namespace)
    made.kubernetes.kubectl("--namespace", made.namespace, "apply", "--filename", "-", given=CLAIM_OF_HOMES)
    made.deploy()
    return made


@pytest.fixture(scope="module")
def sessions(hub: ClusterHub) -> Iterator[tuple[Session, Session]]:
    """Sessions of two users at the same time."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(hub.session(user)) for user in ("ada", "ben"))
        yield first, second


@pytest.mark.options("hub_home_storage", "hub_home_claim", "hub_home_subpath", "cluster_storage_class")
def test_homes_are_apart(sessions: tuple[Session, Session]) -> None:
    ada, ben = sessions
    ada.run("import pathlib\npathlib.Path('mine.txt').write_text('secret')")
    assert "mine.txt" in ada.value("os.listdir()") and "mine.txt" not in ben.value("os.listdir()")
    assert ada.value("os.getcwd()") == "/home/jovyan"
    claims = ada.hub.kubernetes.objects(ada.hub.namespace, "persistentvolumeclaims")
    classes = {claim["metadata"]["name"]: claim["spec"]["storageClassName"] for claim in claims}
    assert classes["hub-db-dir"] == ada.hub.kubernetes.storage_class
    assert [mount["subPath"] for mount in ada.container["volumeMounts"] if mount["mountPath"] == "/home/jovyan"] == [
        "homes/ada"
    ]


@pytest.mark.options(
    "hub_shared_directories.path", "hub_shared_directories.read_only", "hub_shared_directories.subpath"
)
def test_shared_directories(sessions: tuple[Session, Session]) -> None:
    ada, ben = sessions
    ada.run("import pathlib\npathlib.Path('/srv/material/task.txt').write_text('count')")
    assert ben.value("pathlib.Path('course/task.txt').read_text()") == "count"
    assert ben.value("[os.access('course', os.W_OK), os.access('/srv/material', os.W_OK)]") == [False, True]


@pytest.mark.options(
    "hub_url", "cluster_exposure", "hub_tls_secret", "cluster_ingress_class", "cluster_ingress_annotations"
)
@pytest.mark.options("cluster_platform", "cluster_chart", "hub_release", "hub_namespace")
def test_route(hub: ClusterHub) -> None:
    """An ingress controller is no part of the cluster, so only what it is told is looked at."""
    assert "/team/hub/" in hub.request("GET", f"{hub.url}hub/login")[1]
    (ingress,) = hub.kubernetes.objects(hub.namespace, "ingresses")
    rule = ingress["spec"]["rules"][0]
    assert [rule["host"], rule["http"]["paths"][0]["path"].rstrip("/")] == ["hub.example.org", "/team"]
    assert ingress["spec"]["tls"] == [{"hosts": ["hub.example.org"], "secretName": "team-certificate"}]
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["metadata"]["annotations"]["example.org/limit"] == "1"
    assert [secret["metadata"]["labels"]["name"] for secret in releases(hub)] == ["team"]


def releases(hub: ClusterHub) -> list[dict[str, Any]]:
    """Return the Secrets of releases of Helm in the namespace of the hub, without earlier revisions."""
    return hub.kubernetes.objects(hub.namespace, "secrets", "--selector", "owner=helm,status=deployed")
