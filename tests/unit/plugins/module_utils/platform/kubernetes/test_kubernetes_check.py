# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of hubs on Kubernetes, with an imitated hub and cluster: how it reaches them, and what it removes."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import choice_check
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, Choice, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.users import PREFIX, base36
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import CheckResults
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes import check, check_route
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import ApiError
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.check.conftest import HUB_TOKEN, FakeHub

SHORT = CheckOptions(request_timeout=3, start_timeout=3, kernel_timeout=3, stop_timeout=3)
CHOICE = Choice("python", "small", {"profile": "python"}, "print(42)", "42")
INSIDE = "http://proxy-public.research/team/"
NAMESPACE = "/api/v1/namespaces/research/"
USER = "hub.jupyter.org/username"


def stale_name(seconds: float = 3600.0, suffix: str = "abc123") -> str:
    return f"{PREFIX}{base36(int(time.time() - seconds))}-{suffix}"


def labelled(name: str, user: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {USER: user}}}


class FakeApi:
    """Objects by path; ``refused``: kinds that may not be deleted. deleted: paths."""

    def __init__(self) -> None:
        token = base64.b64encode(HUB_TOKEN.encode()).decode()
        annotations = {"meta.helm.sh/release-name": "research"}
        proxy = {
            "metadata": {"name": "proxy-1", "creationTimestamp": "2026-11-30T05:00:00Z"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8000}]}]},
        }
        self.objects: dict[str, Any] = {
            f"{NAMESPACE}secrets/hub": {
                "metadata": {"name": "hub", "annotations": annotations},
                "data": {"hub.services.hubfleet-check.apiToken": token},
            },
            f"{NAMESPACE}services/proxy-public": {
                "metadata": {"name": "proxy-public"},
                "spec": {"selector": {"component": "proxy"}, "ports": [{"name": "http", "targetPort": "http"}]},
            },
        }
        self.lists: dict[str, list[Any]] = {"component=proxy": [proxy]}
        self.claims: list[Any] = []
        self.pods: list[Any] = []
        self.deleted: list[str] = []
        self.refused = ""

    def find(self, path: str) -> Any:
        return self.objects.get(path)

    def list(self, path: str, selector: str = "", **_more: Any) -> list[Any]:
        if selector in self.lists:
            return self.lists[selector]
        return self.claims if path.endswith("persistentvolumeclaims") else self.pods

    def delete(self, path: str) -> bool:
        if self.refused and self.refused in path:
            raise ApiError("persistentvolumeclaims is forbidden", 403)
        self.deleted.append(path.removeprefix(NAMESPACE))
        return True


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    pytest.importorskip("aiohttp")
    fake = FakeHub()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch, hub: FakeHub) -> list[tuple[str, str, int]]:
    """Ports that were forwarded, all of them to the imitated hub."""
    made = []

    @contextmanager
    def forward(_api: Any, namespace: str, pod: str, port: int) -> Iterator[int]:
        made.append((namespace, pod, port))
        yield int(hub.url.split(":")[2].split("/")[0])

    monkeypatch.setattr(check_route, "PortForward", forward)
    return made


def checked(api: Any, url: str, through_cluster: bool = False, **options: Any) -> CheckResults:
    target = HubTarget("demo", "here", url, "", [CHOICE])
    lines: list[str] = []
    hub = check.CheckedHub(target, "research", "research", through_cluster)
    found = check.check_hubs(api, [hub], options.get("options", SHORT), lines.append)
    assert HUB_TOKEN not in f"{found}{lines}"
    return found


def test_a_hub_is_reached_by_its_own_address(api: FakeApi, hub: FakeHub, forwarded: list[Any]) -> None:
    (result,) = checked(api, hub.url).results
    assert result.ok, result
    assert (result.warnings, forwarded, api.deleted) == ([], [], [])


@pytest.mark.parametrize(
    ("url", "through_cluster", "warnings"),
    [
        (INSIDE, False, []),
        ("https://127.0.0.1/team/", True, []),
        (
            "https://hub.invalid/team/",
            False,
            ["the name hub.invalid cannot be resolved here; connected through the API server of the cluster"],
        ),
    ],
)
def test_a_hub_is_reached_through_the_cluster(
    api: FakeApi, forwarded: list[Any], url: str, through_cluster: bool, warnings: list[str]
) -> None:
    (result,) = checked(api, url, through_cluster).results
    assert result.ok, result
    assert result.url.startswith("http://")
    assert result.url.endswith("/team/")
    assert (result.warnings, forwarded) == (warnings, [("research", "proxy-1", 8000)])


def test_a_proxy_with_a_certificate_is_reached_by_https(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [{"name": "http", "targetPort": "http"}, {"name": "https", "targetPort": 8443}]
    api.objects[f"{NAMESPACE}services/proxy-public"]["spec"]["ports"] = ports
    made = []

    @contextmanager
    def forward(_api: Any, _namespace: str, _pod: str, port: int) -> Iterator[int]:
        made.append(port)
        yield 1

    monkeypatch.setattr(check_route, "PortForward", forward)
    (result,) = checked(api, "https://hub.example.org/team/", through_cluster=True).results
    assert (result.url, made) == ("https://hub.example.org/team/", [8443])
    assert not result.ok
    service = {"metadata": {"name": "proxy-http"}, "spec": {"selector": {"component": "proxy"}, "ports": ports[:1]}}
    api.objects[f"{NAMESPACE}services/proxy-http"] = service
    api.objects[f"{NAMESPACE}services/proxy-public"]["spec"]["selector"] = {"component": "autohttps"}
    (result,) = checked(api, "https://hub.example.org/team/", through_cluster=True).results
    assert (result.url, made) == ("http://hub.example.org/team/", [8443, 8000])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda api: api.objects.clear(), "hub demo is not deployed; run the playbook deploy first"),
        (
            lambda api: api.objects[f"{NAMESPACE}secrets/hub"]["metadata"]["annotations"].update(
                {"meta.helm.sh/release-name": "other"}
            ),
            "hub demo is not deployed; run the playbook deploy first",
        ),
        (
            lambda api: api.objects[f"{NAMESPACE}secrets/hub"]["data"].clear(),
            "hub demo: what is deployed has no service hubfleet-check; deploy it again",
        ),
        (
            lambda api: api.lists["component=proxy"].clear(),
            "hub demo: no pod of the service proxy-public in namespace research is ready",
        ),
    ],
)
def test_a_hub_that_cannot_be_checked_is_a_problem(
    api: FakeApi, change: Any, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_route, "READY_SECONDS", 0.0)
    change(api)
    found = checked(api, INSIDE)
    assert (found.results, found.problems) == ([], {"demo": problem})


def test_a_proxy_that_is_not_ready_for_a_moment_is_waited_for(
    api: FakeApi, hub: FakeHub, forwarded: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = api.lists["component=proxy"]
    api.lists["component=proxy"] = []
    monkeypatch.setattr("time.sleep", lambda _seconds: api.lists.update({"component=proxy": ready}))
    (result,) = checked(api, INSIDE).results
    assert result.ok


def test_forwarding_that_is_forbidden_is_a_problem(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(*_arguments: Any) -> Any:
        raise UnreachableError("no")

    monkeypatch.setattr(check_route, "PortForward", forward)
    assert checked(api, INSIDE).problems == {"demo": "hub demo: no"}


def test_a_cluster_that_does_not_answer_is_no_problem_of_a_hub(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_path: str) -> None:
        raise UnreachableError("nothing listens there")

    monkeypatch.setattr(api, "find", find)
    with pytest.raises(UnreachableError):
        checked(api, INSIDE)


def test_what_users_of_checks_left_is_removed(api: FakeApi, hub: FakeHub) -> None:
    """Not what is of people, of a check that runs, or of everybody."""
    hub.users[stale_name(60, "runs11")] = "ready"
    api.claims = [
        labelled("claim-hubfleet-2dcheck-2dgone22", stale_name(60, "gone22")),
        labelled("claim-hubfleet-check-runs11", stale_name(60, "runs11")),
        labelled("claim-ada", "ada"),
        labelled("homes-of-all", stale_name(suffix="first3")),
        labelled("claim-hubfleet-check-people", "hubfleet-check-people"),
    ]
    api.pods = [labelled("jupyter-old", stale_name(suffix="gone33")), labelled("jupyter-new", stale_name(60))]
    (result,) = checked(api, hub.url).results
    assert api.deleted == ["persistentvolumeclaims/claim-hubfleet-2dcheck-2dgone22", "pods/jupyter-old"]
    assert (result.ok, result.cleanup_problems) == (True, [])


def test_old_claims_are_removed_where_the_hub_does_not_answer(api: FakeApi) -> None:
    api.claims = [
        labelled("claim-abc123", stale_name()),
        labelled("claim-def456", stale_name(60, "def456")),
    ]
    (result,) = checked(api, "http://127.0.0.1:1/").results
    assert (result.ok, api.deleted) == (False, ["persistentvolumeclaims/claim-abc123"])


def test_claims_that_may_not_be_deleted_are_no_failure(api: FakeApi, hub: FakeHub) -> None:
    api.claims, api.refused = [labelled("claim-abc123", stale_name())], "persistentvolumeclaims"
    (result,) = checked(api, hub.url).results
    assert result.ok
    assert result.cleanup_problems == [
        f"{api.claims[0]['metadata']['annotations'][USER]}: persistentvolumeclaims is forbidden"
    ]


def test_claims_are_removed_after_an_interruption(api: FakeApi, hub: FakeHub, interruptible: None) -> None:
    hub.interrupt = ("run", "after")
    api.claims = [labelled("claim-abc123", stale_name(60))]
    with pytest.raises(KeyboardInterrupt):
        checked(api, hub.url)
    assert hub.interrupted
    assert hub.users == {}
    assert api.deleted == ["persistentvolumeclaims/claim-abc123"]


def test_a_failed_start_says_what_the_pod_waits_for(
    api: FakeApi, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice_check, "ASK_SECONDS", 0.05)
    monkeypatch.setattr(
        check, "session_failure", lambda _api, namespace, pod, mask: mask(f"{pod} of {namespace} has no image")
    )
    hub.events = [{"message": "waiting"}]
    monkeypatch.setattr(api, "list", lambda _path, selector="", **_more: ["pod"] if "username in" in selector else [])
    options = CheckOptions(request_timeout=3, start_timeout=0.5)
    (result,) = checked(api, hub.url, options=options).results
    assert result.choices[0].error == "the server was not ready within 0.5 s; pod of research has no image"


def test_rights_to_read_pods_are_not_needed_to_explain(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise PlatformError("forbidden")

    monkeypatch.setattr(api, "list", refuse)
    hub = check.CheckedHub(HubTarget("demo", "here", "", ""), "research", "research", True)
    assert check._explain(api, {"demo": hub})("demo", "ada") == ""  # type: ignore[arg-type]
