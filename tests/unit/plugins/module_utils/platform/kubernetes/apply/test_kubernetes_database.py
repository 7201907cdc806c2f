# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod that puts a copy of a hub's database into its place."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import database
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import Place

Json = dict[str, Any]
DIRECTORY = "/srv/jupyterhub"


class Cluster:
    """Stands for the API server and for a change; made: the pod."""

    place = Place("cloud", "lab", "lab", "lab")
    timeout = 1.0

    def __init__(self, mounts: list[Json]) -> None:
        container = {"name": "hub", "image": "hub:1", "volumeMounts": mounts}
        self.api = self
        self.deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
        self.made: Json = {}

    def get(self, path: str) -> Json:
        return self.deployment if "/deployments/" in path else {"status": {"phase": "Succeeded"}}

    def find(self, _path: str) -> None:
        """Return no pod."""

    def list(self, _path: str, _selector: str) -> list[Json]:
        return []

    def create(self, _path: str, body: Json) -> None:
        self.made = body

    def patch(self, _path: str, _body: Json) -> None:
        """Scale nothing."""

    def delete(self, _path: str, **_options: Any) -> None:
        """Delete nothing."""

    def report(self, _line: str) -> None:
        """Print nothing."""


def container(mounts: list[Json]) -> Json:
    cluster: Any = Cluster(mounts)
    database.restore(cluster, "before-4.sqlite")
    found: Json = cluster.made["spec"]["containers"][0]
    return found


@pytest.mark.parametrize(
    ("mounts", "wanted"),
    [
        ([{"name": "pvc", "mountPath": DIRECTORY}], {}),
        ([{"name": "pvc", "mountPath": f"{DIRECTORY}/", "subPath": "lab"}], {"subPath": "lab"}),
        ([{"name": "files", "mountPath": f"{DIRECTORY}/files", "subPath": "other"}], {}),
    ],
)
def test_the_directory_in_the_claim(mounts: list[Json], wanted: Json) -> None:
    assert container(mounts)["volumeMounts"] == [{"name": "database", "mountPath": DIRECTORY, **wanted}]


def test_what_a_killed_hub_left_is_not_applied_to_the_copy(tmp_path: Path) -> None:
    path, copy = tmp_path / "jupyterhub.sqlite", tmp_path / "before-4.sqlite"
    for each, version in ((path, "new"), (copy, "old")):
        with sqlite3.connect(each) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [version])
    for suffix in ("-journal", "-wal"):
        Path(f"{path}{suffix}").write_text("of the new one")
    shell, option, script = container([])["command"]
    subprocess.run([shell, option, script.replace(DIRECTORY, str(tmp_path))], check=True)
    assert sorted(os.listdir(tmp_path)) == ["before-4.sqlite", "jupyterhub.sqlite", "replaced.sqlite"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("old",)]
