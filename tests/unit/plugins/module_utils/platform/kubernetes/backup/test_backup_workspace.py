# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of a backup leave nothing behind, and their failures are told in one line."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup import workspace
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.pods import Account, Task
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.workspace import (
    LABEL,
    PURPOSE_LABEL,
    Workspace,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.backup.fake_namespace import (  # noqa: E501
    FakeNamespace,
    change_of,
)

IMAGES = {"hub": {"image": "hub:1", "secrets": []}, "restic": "restic:1"}
SECRETS = "/api/v1/namespaces/lab/secrets"


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "INTERVAL", 0.0)


def made(api: FakeNamespace) -> Workspace:
    return Workspace(change_of(api), "backup", IMAGES, {"settings.json": "secret"}, {"package/module.py": "pass"})


def task(name: str = "hub") -> Task:
    return Task(name, "save", "{}", Account(1000))


def test_the_answer_is_the_last_line_and_nothing_stays() -> None:
    api = FakeNamespace(lambda command, _request: {"did": command})
    with made(api) as space:
        assert space.run(task()) == {"did": "save"}
        assert api.find(f"{SECRETS}/hubfleet-backup-lab") is not None
    assert api.objects == {}
    assert [pod["metadata"]["name"] for pod in api.made] == ["hubfleet-backup-lab-hub"]


def test_left_overs_of_the_same_purpose_are_removed() -> None:
    api = FakeNamespace()
    for purpose in ("backup", "list"):
        labels = {LABEL: "lab", PURPOSE_LABEL: purpose}
        api.add(SECRETS, {"metadata": {"name": f"hubfleet-{purpose}-lab", "labels": labels}})
    with made(api):
        pass
    assert list(api.objects) == [f"{SECRETS}/hubfleet-list-lab"]


def test_who_outlives_the_playbook_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then it may be of the next run."""
    api = FakeNamespace()
    with pytest.raises(PlatformError, match="gone"), made(api):
        monkeypatch.setattr(Change, "has_ended", lambda _change: True)
        raise PlatformError("gone")
    assert f"{SECRETS}/hubfleet-backup-lab" in api.objects


def test_an_error_of_the_program_is_masked_and_everything_removed() -> None:
    api = FakeNamespace(lambda _command, _request: {"error": "wrong secret"})
    with pytest.raises(PlatformError, match=r"^wrong \*\*\*$"), made(api) as space:
        space.run(task())
    assert api.objects == {}


def test_many_pods_answer_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    api = FakeNamespace(lambda _command, _request: {"new": 1})
    with made(api) as space:
        answers = space.run_all([task(f"homes-{number}") for number in range(3)], done.append)
        assert space.run_all([], done.append) == []
    assert answers == [{"new": 1}] * 3 and done == [1, 2, 3]


def test_a_pod_that_ends_without_an_answer_says_how() -> None:
    api = FakeNamespace(lambda _command, _request: None)
    with pytest.raises(PlatformError, match="ended without an answer: OOMKilled, exit code 137"), made(api) as space:
        space.run(task())
