# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server that harnesses use: what is stored outlives it, and what is stopped does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import KubernetesApi
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from kubernetes_cluster.api_server import ApiServer, missing


@pytest.fixture
def server(tmp_path: Path) -> ApiServer:
    """A server that nobody else uses, since it is stopped; it is not started yet."""
    why = missing()
    if why:
        pytest.skip(why)
    return ApiServer(tmp_path / "server")


def test_content_outlives_a_restart(server: ApiServer) -> None:
    with server:
        api = KubernetesApi(Credentials(str(server.kubeconfig)))
        api.create("/api/v1/namespaces", {"metadata": {"name": "research"}})
        before = api.get("/api/v1/namespaces/research")
        server.stop()
        with pytest.raises(UnreachableError, match="nothing listens there"):
            api.get("/api/v1/namespaces/research")
        server.restart()
        assert api.get("/api/v1/namespaces/research") == before


def test_two_run_beside_each_other(server: ApiServer, api_server: ApiServer) -> None:
    with server:
        for each, name in ((server, "one"), (api_server, "two")):
            KubernetesApi(Credentials(str(each.kubeconfig))).create("/api/v1/namespaces", {"metadata": {"name": name}})
        found = KubernetesApi(Credentials(str(server.kubeconfig))).list("/api/v1/namespaces", metadata=True)
        names = {namespace["metadata"]["name"] for namespace in found}
        assert "one" in names and "two" not in names
