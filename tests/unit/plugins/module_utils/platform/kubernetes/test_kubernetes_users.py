# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How users of hubs on Kubernetes are reached, and what is said where they cannot be; tests/cluster has real hubs."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.users import REMOVE, HubUser, UserChange
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes import platform, users
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import Charts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import Place
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.kubectl import (
    metrics_token_command,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import RECORDED_CHARTS, chart_code
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.hub_api import hub_api, page
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    hub_of,
)

PLACE = Place("cloud", "maps", "maps-space", "maps")
SPACE = "/api/v1/namespaces/maps-space"
LIST = "hub/api/users?offset=0&limit=200"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class FakeKubernetes:
    """An API server that knows one hub; objects: by path."""

    def __init__(self) -> None:
        data = {
            "hub.services.hubfleet-users.apiToken": encoded("a-token"),
            "values.yaml": encoded("hub: {baseUrl: /a}"),
        }
        metadata = {"annotations": {"meta.helm.sh/release-name": "maps"}}
        self.secret: dict[str, Any] = {"metadata": metadata, "data": data}
        self.service: dict[str, Any] = {
            "metadata": {"name": "hub"},
            "spec": {"selector": {"component": "hub", "release": "maps"}, "ports": [{"targetPort": "http"}]},
        }
        self.pods = [self.pod("hub-old", "2026-11-29T08:00:00Z"), self.pod("hub-new", "2026-11-30T08:00:00Z")]
        self.asked: list[str] = []

    @staticmethod
    def pod(name: str, created: str) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "creationTimestamp": created},
            "spec": {"containers": [{"name": "hub", "ports": [{"name": "http", "containerPort": 8081}]}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }

    def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        return {}

    def find(self, path: str) -> Any:
        return {f"{SPACE}/secrets/hub": self.secret, f"{SPACE}/services/hub": self.service}.get(path)

    def list(self, path: str, selector: str = "") -> list[dict[str, Any]]:
        return self.pods if (path, selector) == (f"{SPACE}/pods", "component=hub,release=maps") else []


@pytest.fixture
def kubernetes() -> Any:
    """The cluster."""
    return FakeKubernetes()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The API of the hub; forwards: (namespace, pod, port) of each port that was forwarded to it."""
    # pytest goes on after the yield in any case
    with hub_api() as server:  # pylint: disable=contextmanager-generator-missing-cleanup
        server.forwards = []

        @contextmanager
        def forward(_api: Any, *place: Any) -> Iterator[int]:
            server.forwards.append(place)
            yield server.server_address[1]

        monkeypatch.setattr(users, "PortForward", forward)
        yield server


def test_users_are_read_through_the_newest_pod(kubernetes: Any, api: Any) -> None:
    api.answers = {f"GET /a/{LIST}": [page(None, "ada", "hubfleet-check-1")]}
    found = users.read_users(kubernetes, [PLACE])
    assert (found.users, found.problems) == ({"maps": [HubUser("ada")]}, {})
    assert api.forwards == [("maps-space", "hub-new", 8081)] and api.tokens == {"token a-token"}


def test_a_hub_at_the_root_of_its_domain(kubernetes: Any, api: Any) -> None:
    kubernetes.secret["data"]["values.yaml"] = encoded("hub: {baseUrl: /}")
    api.answers = {f"GET /{LIST}": [page(None)]}
    assert users.read_users(kubernetes, [PLACE]).users == {"maps": []}


def test_a_removed_user_keeps_the_home(kubernetes: Any, api: Any) -> None:
    """JupyterHub's own operation lets KubeSpawner delete the volume."""
    api.answers = {"DELETE /a/hub/api/hubfleet/users/a%40b": [(200, {})]}
    with users.users_of(kubernetes, PLACE) as hub:
        assert hub.change(UserChange(REMOVE, "a@b")) == ""
        assert hub.change(UserChange(REMOVE, "ben")).startswith("hub maps: unexpected: DELETE")


def test_hubs_that_cannot_be_asked(kubernetes: Any, api: Any) -> None:
    elsewhere = Place("cloud", "away", "away", "away")
    api.answers = {f"GET /a/{LIST}": [page(None)]}
    found = users.read_users(kubernetes, [elsewhere, PLACE])
    assert found.problems == {"away": "hub away is not deployed; run the playbook deploy first"}
    assert found.users == {"maps": []}
    kubernetes.pods[1]["status"]["conditions"][0]["status"] = "False"
    kubernetes.pods[0]["metadata"]["deletionTimestamp"] = "2026-11-30T08:00:00Z"
    said = "hub maps does not run; see what runs with the playbook status"
    assert users.read_users(kubernetes, [PLACE]).problems["maps"].startswith(said)
    del kubernetes.secret["data"]["hub.services.hubfleet-users.apiToken"]
    said = "hub maps: what is deployed has no service hubfleet-users; deploy it again"
    assert users.read_users(kubernetes, [PLACE]).problems == {"maps": said}
    kubernetes.secret["metadata"]["annotations"]["meta.helm.sh/release-name"] = "other"
    with pytest.raises(PlatformError, match="hub maps is not deployed"), users.users_of(kubernetes, PLACE):
        pass


def test_a_cluster_that_does_not_answer_is_asked_once(kubernetes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> None:
        raise UnreachableError("https://cloud does not answer")

    monkeypatch.setattr(kubernetes, "get", fail)
    monkeypatch.setattr(kubernetes, "find", pytest.fail)
    with pytest.raises(UnreachableError):
        users.read_users(kubernetes, [PLACE] * 9)


def platform_of(**variables: Any) -> Any:
    hub = hub_of(**variables)
    inventory = FleetInput({}, {}, "")
    return platform.KubernetesPlatform(hub.cluster, inventory, Charts(RECORDED_CHARTS, "", ""), chart_code()), hub


def test_a_deployed_hub_lets_the_playbook_in() -> None:
    """Also where somebody else's configuration says nothing about it; rendered hubs do without."""
    made, hub = platform_of(hub_authenticator="dummy", hub_demonstration=True)
    values = made.desired(hub).values["hub"]
    assert values["services"]["hubfleet-users"] == {"display": False}
    role = {"services": ["hubfleet-users"], "scopes": ["admin:users", "read:servers", "delete:servers"]}
    assert values["loadRoles"]["hubfleet-users"] == role
    paths = [file["mountPath"].partition("/code/hubfleet_runtime/")[2] for file in values["extraFiles"].values()]
    assert sorted(filter(None, paths)) == ["__init__.py", "access.py", "users_api.py"]
    assert 'handlers("hubfleet-users")' in values["extraConfig"]["zzz-hubfleet-users"]
    assert "hubfleet-users" not in str(made.chart_values(hub).merged)


def test_native_login_and_the_playbook_share_their_code() -> None:
    made, hub = platform_of(hub_authenticator="native", hub_allowed_users=["ada"])
    files = made.desired(hub).values["hub"]["extraFiles"]
    paths = [file["mountPath"] for file in files.values()]
    assert len(paths) == len(set(paths)) and any(path.endswith("/native_login/accounts.py") for path in paths)


def test_nobody_is_renamed() -> None:
    made, _hub = platform_of(hub_authenticator="dummy", hub_demonstration=True)
    said = made.rename_problem("maps", "ada", "adele")
    assert "cannot rename users" in said and "copy the files of ada" in said


def test_people_are_told_where_secrets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    where = {"cluster_kubeconfig": "~/.kube/gke.yml", "cluster_context": "gke_research", "hub_namespace": "maps"}
    made, hub = platform_of(hub_authenticator="native", hub_allowed_users=["ada"], hub_metrics=True, **where)
    kubectl = "kubectl --kubeconfig /home/operator/.kube/gke.yml --context gke_research"
    said = f"{kubectl} exec --namespace maps deploy/hub -- cat /srv/jupyterhub/first-passwords"
    assert made.passwords_notice(hub, None, new=False) == f"first passwords that people have not changed yet: {said}"
    told = made.metrics_notice(hub, None)
    assert told.startswith(f"the token for http://proxy-public.maps/hub/metrics: {kubectl} get secret hub ")
    made, hub = platform_of(hub_authenticator="dummy", hub_demonstration=True)
    assert made.passwords_notice(hub, None, new=True) == made.metrics_notice(hub, None) == ""
    assert Credentials("apiVersion: v1\nkind: Config\n").kubectl_options == []


def test_the_command_for_a_token_keeps_the_dots_of_its_key() -> None:
    command = metrics_token_command(hub_of(hub_metrics=True)).partition(" | ")[0].replace("kubectl", "printf %s\\\\n")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == r"jsonpath={.data.hub\.services\.metrics\.apiToken}"
