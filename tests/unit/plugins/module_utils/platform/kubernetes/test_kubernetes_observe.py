# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed a Deployment, where hubs are, and how old revisions are, from metadata."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.observe import observe
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (
    CLUSTER_LABEL,
    HUB_LABEL,
    RELEASE_LABEL,
    Place,
)


class Answers:
    """An API server that has one Deployment."""

    def __init__(self, *edits: tuple[str, str]) -> None:
        self.edits = edits
        self.secrets: list[Any] = []

    def list(self, *_arguments: Any, **_more: Any) -> list[Any]:
        return [{"metadata": each} for each in self.secrets]

    def table(self, *_arguments: Any) -> list[Any]:
        metadata = {
            "name": "hub",
            "namespace": "research",
            "generation": 3,
            "annotations": {"meta.helm.sh/release-name": "research"},
            "managedFields": [{"manager": manager, "time": time} for manager, time in self.edits],
        }
        return [(metadata, {"Ready": "1/1"})]


@pytest.mark.parametrize(
    "edits, editor",
    [
        ([("helm", "10:00")], ""),
        ([("helm", "10:00"), ("kubectl-edit", "11:00"), ("kube-controller-manager", "12:00")], "kubectl-edit, 11:00"),
        ([("kubectl-edit", "11:00"), ("kubectl-set", "12:00")], "kubectl-edit, 11:00 and kubectl-set, 12:00"),
        ([("helm", "10:00"), ("kubectl", ""), ("kubectl-edit", "11:00")], "kubectl and kubectl-edit, 11:00"),
        ([("kubectl-edit", "10:00"), ("helm", "11:00")], ""),
        ([("helm", "10:00"), ("kubectl", "10:00")], "kubectl, 10:00"),
        ([("kubectl-edit", "10:00"), ("hubfleet", "11:00")], ""),
    ],
)
def test_who_changed_it(edits: list[tuple[str, str]], editor: str) -> None:
    api: Any = Answers(*edits)
    place = Place("cloud", "research", "research", "research")
    found = observe(api, [place], everywhere=True).hubs["research"]
    assert found.workloads["hub"].editor == editor


def test_where_hubs_were_deployed_to() -> None:
    api: Any = Answers()
    for hub, namespace in (("research", "research"), ("research", "old"), ("research", "new-drill"), ("gone", "gone")):
        labels = {"owner": "hubfleet", CLUSTER_LABEL: "cloud", HUB_LABEL: hub, RELEASE_LABEL: "research"}
        api.secrets.append({"name": "hubfleet.research", "namespace": namespace, "labels": labels})
    found = observe(api, [Place("cloud", "research", "research", "research")], everywhere=True)
    assert found.hubs["research"].earlier_places == ["release research in namespace old"]
    assert found.others == ["gone"]


def test_a_new_revision_is_as_old_as_itself() -> None:
    """Helm 4 labels it with the time when the one before was modified."""
    labels = {"owner": "helm", "name": "research", "version": "7", "status": "pending-upgrade"}
    times = {"createdAt": "1796021106", "modifiedAt": "1796021103"}
    api: Any = Answers()
    name = "sh.helm.release.v1.research.v7"
    api.secrets.append({"name": name, "namespace": "research", "labels": {**labels, **times}})
    place = Place("cloud", "research", "research", "research")
    newest = observe(api, [place], everywhere=True).hubs["research"].newest
    assert newest and newest.pending and newest.modified == 1796021106
