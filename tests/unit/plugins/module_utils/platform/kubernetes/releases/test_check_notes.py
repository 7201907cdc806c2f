# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a check went is recorded where that is possible, and no reason to lose its result."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import APPLIED, CHECKED, FAILED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import (
    ApiError,
    KubernetesApi,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.checks import note_result
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (
    DEPLOYS,
    Place,
)

PLACE = Place("cloud", "lab", "lab", "lab")


class Api:
    """Has the Secret of one hub. error: what it answers to writes. written: results of the records, as written."""

    def __init__(self, result: str, error: Exception | None = None) -> None:
        record = {"number": 3, "when": "", "who": "", "collection": "", "revision": "", "result": result}
        annotations = {DEPLOYS: json.dumps([record])}
        self.secret = {"metadata": {"annotations": annotations, "resourceVersion": "1"}}
        self.error = error
        self.written: list[str] = []

    def find(self, _path: str) -> dict[str, Any]:
        return self.secret

    def replace(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.error:
            raise self.error
        self.written += [each["result"] for each in json.loads(body["metadata"]["annotations"][DEPLOYS])]
        return body


@pytest.mark.parametrize(("passed", "result"), [(True, CHECKED), (False, FAILED)])
def test_noted(passed: bool, result: str) -> None:
    api: Any = Api(APPLIED)
    note_result(api, PLACE, passed)
    assert api.written == [result]


@pytest.mark.parametrize("error", [ApiError("forbidden", 403), ApiError("conflict", 409), UnreachableError("silent")])
def test_not_noted(error: Exception) -> None:
    api: Any = Api(APPLIED, error)
    note_result(api, PLACE, True)
    assert api.written == []


@pytest.mark.parametrize(("status", "unreachable"), [(403, False), (409, False), (429, True), (503, True)])
def test_answers_of_an_api_server_that_cannot_work_now(status: int, unreachable: bool) -> None:
    api = KubernetesApi(Credentials())
    api._client = SimpleNamespace(configuration=SimpleNamespace(host="https://cloud.example.org"))
    found = api._refused(SimpleNamespace(status=status, reason="", body=json.dumps({"message": "no"})))
    assert isinstance(found, UnreachableError) is unreachable
