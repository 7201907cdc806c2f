# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster and the chart of the tests, and hubs on it.

HUBFLEET_TEST_KUBECONFIG names the kubeconfig of a cluster that runs; otherwise one is started for the tests.
HUBFLEET_TEST_SECOND_KUBECONFIG names that of another one; otherwise the first test that needs two starts it.
HUBFLEET_TEST_CHART names the directory of the zero-to-jupyterhub chart, to be used in place of the small one in
tests/support.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import record_options
from cluster_hub import ClusterHub
from kubernetes_api import Kubernetes
from kubernetes_cluster import base_image as base
from kubernetes_cluster.__main__ import cluster, missing_for_clusters
from kubernetes_cluster.cluster import Cluster
from kubernetes_cluster.networks import Network
from kubernetes_fleet import KubernetesFleet
from prebuilt import cache
from record_options import (  # noqa: F401  # pylint: disable=unused-import
    pytest_configure,
    pytest_runtest_logreport,
    pytest_runtest_setup,
)
from registry import Registry

#: Not the numbers of clusters that a developer started.
NUMBER, SECOND_NUMBER = 48, 49
GIVEN, SECOND_GIVEN = "HUBFLEET_TEST_KUBECONFIG", "HUBFLEET_TEST_SECOND_KUBECONFIG"
OWN_CHART = Path(__file__).parents[1] / "support" / "charts" / "jupyterhub"
_started: list[Cluster] = []
_second_state = cache() / "kubernetes" / "clusters" / str(SECOND_NUMBER)
#: Of others, who started it before these tests.
_second_was_there = _second_state.exists()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the cluster once, before workers of pytest-xdist, which share it."""
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or session.config.option.collectonly or GIVEN in os.environ or missing_for_clusters():
        return
    own = cluster(NUMBER)
    _started.append(own)
    try:
        own.start()
    except BaseException:
        own.stop()
        raise
    os.environ[GIVEN] = str(own.kubeconfig)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the clusters that were started; a test of any worker may have started the second one."""
    record_options.pytest_sessionfinish(session)
    if hasattr(session.config, "workerinput"):
        return
    if _second_state.exists() and not _second_was_there:
        _started.append(cluster(SECOND_NUMBER))
    for own in _started:
        own.stop()


@pytest.fixture(scope="session")
def kubernetes() -> Kubernetes:
    """The cluster, as its administrator uses it."""
    if GIVEN not in os.environ:
        pytest.skip(missing_for_clusters())
    return Kubernetes(Path(os.environ[GIVEN]))


@pytest.fixture(scope="session")
def second_kubernetes() -> Kubernetes:
    """Another cluster, which all workers share."""
    if SECOND_GIVEN in os.environ:
        return Kubernetes(Path(os.environ[SECOND_GIVEN]))
    why = missing_for_clusters()
    if why:
        pytest.skip(why)
    own = cluster(SECOND_NUMBER)
    own.state.parent.mkdir(parents=True, exist_ok=True)
    with open(own.state.with_name(f".{SECOND_NUMBER}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own.start()
    return Kubernetes(own.kubeconfig)


@pytest.fixture
def restart_api_server(second_kubernetes: Kubernetes) -> Callable[[], None]:
    """Lets the API server of the second cluster be away for some seconds."""
    if SECOND_GIVEN in os.environ:
        pytest.skip(f"the cluster of {SECOND_GIVEN} is not restarted")
    return lambda: cluster(SECOND_NUMBER).restart_api_server(5.0)


@pytest.fixture(scope="session")
def chart() -> Path:
    """The directory of the chart."""
    return Path(os.environ.get("HUBFLEET_TEST_CHART") or OWN_CHART)


@pytest.fixture(scope="module")
def make_hub(
    kubernetes: Kubernetes, chart: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[..., ClusterHub]]:
    """Makes hubs with variables of the host, in namespaces that begin with the name of the test file."""
    made: list[ClusterHub] = []

    def make(**variables: Any) -> ClusterHub:
        file = re.sub("[^a-z0-9]+", "-", request.path.stem.removeprefix("test_"))
        name = f"{file}-{len(made)}" if made else file
        made.append(ClusterHub(kubernetes, chart, tmp_path_factory.mktemp(name), name, variables))
        return made[-1]

    yield make
    for hub in made:
        hub.remove()


@pytest.fixture(scope="module")
def make_fleet(chart: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., KubernetesFleet]]:
    """Makes inventories of clusters, by name: ``make_fleet(cloud=kubernetes, reserve=second_kubernetes)``."""
    made: list[KubernetesFleet] = []

    def make(**clusters: Kubernetes) -> KubernetesFleet:
        kubeconfigs = {name: cluster.kubeconfig for name, cluster in clusters.items()}
        made.append(KubernetesFleet(tmp_path_factory.mktemp("fleet"), kubeconfigs, chart))
        return made[-1]

    yield make
    for fleet in made:
        fleet.remove()


@pytest.fixture(scope="module")
def registry(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A container registry that pods and this machine reach at the same address, and that nodes pull from."""
    found = re.fullmatch(r"(.*/clusters/([0-9]+))/credentials/admin\.conf", str(kubernetes.kubeconfig.resolve()))
    if found is None:
        pytest.skip(f"a registry needs a cluster of scripts/kubernetes-cluster; {GIVEN} names another one")
    state, number = Path(found[1]), int(found[2])
    with Registry(tmp_path_factory.mktemp("registry"), Network(number).machine) as started:
        started.trust_on_nodes(state)
        yield started


@pytest.fixture(scope="module")
def base_image(registry: Registry) -> str:
    """The name of an image in the registry that others can start from: Debian with Python, for the user jovyan."""
    problem = missing_for_clusters()
    if problem:
        pytest.skip(problem)
    registry.push("base:test", base.build(cache() / "kubernetes"), base.CONFIGURATION)
    return f"{registry.address}/base:test"
