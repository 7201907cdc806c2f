# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts around the zero-to-jupyterhub chart: where its values stand, and what becomes of all else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    import_values,
    values_of,
    variables_of,
)


@pytest.mark.parametrize(
    ("text", "wanted", "left"),
    [
        (
            "jupyterhub: {singleuser: {startTimeout: 7}}\nnfs: {enabled: true, pv: {serverIP: 10.0.0.1}}",
            {"singleuser": {"startTimeout": 7}},
            {"nfs": ["enabled", "pv.serverIP"]},
        ),
        (
            "daskhub: {jupyterhub: {cull: {every: 7}}, rbac: {enabled: true}}\nhomes: [1]",
            {"cull": {"every": 7}},
            {"homes": [], "daskhub.rbac": ["enabled"]},
        ),
        ("a: {b: {jupyterhub: {debug: {enabled: true}}}}", {"debug": {"enabled": True}}, {}),
        ("hub: {db: {type: sqlite-memory}}\ncustom: {jupyterhub: {a: 1}}", None, {}),
        ("custom: {jupyterhub: {a: 1}}", None, {}),
        ("a: {b: {c: {jupyterhub: {d: 1}}}}", None, {}),
    ],
)
def test_the_part_is_found(tmp_path: Path, text: str, wanted: Any, left: dict[str, list[str]]) -> None:
    hub = import_values(tmp_path, text, hub="lab").report.hubs[0]
    (values,) = values_of(tmp_path / "fleet").values()
    assert wanted is None or values == wanted
    assert wanted is not None or ("custom" in values or "a" in values)
    assert hub.not_imported == left
    assert bool([note for note in hub.notes if "of an umbrella chart" in note]) == (wanted is not None)


def test_files_merge_before_the_part_is_taken(tmp_path: Path) -> None:
    import_values(
        tmp_path,
        "daskhub: {jupyterhub: {cull: {every: 7, timeout: 60}}}",
        "daskhub: {jupyterhub: {cull: {every: 8}, prePuller: null}}",
        hub="lab",
    )
    assert values_of(tmp_path / "fleet") == {"lab": {"cull": {"every": 8, "timeout": 60}, "prePuller": None}}


def test_several_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FleetImportError, match=r"values may be a\.jupyterhub or b\.jupyterhub; import a file with only one"
    ):
        import_values(tmp_path, "a: {jupyterhub: {cull: {}}}\nb: {jupyterhub: {cull: {}}}")


def test_add_ons_beside_the_part(tmp_path: Path) -> None:
    text = "jupyterhub: {}\ndask-gateway: {enabled: true, gateway: {a: 1}}\njupyterhub-home-nfs: {eks: {volumeId: a}}"
    hub = import_values(tmp_path, text, hub="lab").report.hubs[0]
    assert variables_of(tmp_path / "fleet")["lab"]["hub_addons"] == {"dask-gateway": {"values": {"gateway": {"a": 1}}}}
    assert hub.not_imported == {"jupyterhub-home-nfs": ["eks.volumeId"]}
    assert any(
        note.startswith("hub_addons.dask-gateway: values files do not contain its version") for note in hub.notes
    )


def test_files_that_are_named_after_their_tier(tmp_path: Path) -> None:
    folder = tmp_path / "deployments" / "physics" / "config"
    folder.mkdir(parents=True)
    paths = [folder / "common.yaml", folder / "staging.yaml"]
    for path in paths:
        path.write_text("jupyterhub: {cull: {every: 7}}", encoding="utf-8")
    request = ImportRequest(list(map(str, paths)), "z2jh", str(tmp_path / "fleet"))
    hub = import_fleet(request, CODE, CHARTS).report.hubs[0]
    assert (hub.name, hub.tier) == ("physics", "staging")


def tree(
    directory: Path, hub: dict[str, Any], values: dict[str, Any], charts: dict[str, Any] | None = None
) -> ImportResult:
    """Import a repository with one hub, and with charts where they are given."""
    folder = directory / "config" / "clusters" / "uni"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(json.dumps(values), encoding="utf-8")
    described = {"name": "prod", "helm_chart": "basehub", "helm_chart_values_files": ["a.yaml"], **hub}
    (folder / "cluster.yaml").write_text(json.dumps({"name": "uni", "hubs": [described]}), encoding="utf-8")
    for name, content in (charts or {}).items():
        path = directory / "helm-charts" / "basehub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return import_fleet(ImportRequest([str(folder.parent)], "2i2c", str(directory / "fleet")), CODE, CHARTS)


VALUES = {"jupyterhub": {"cull": {"every": 7}}, "jupyterhub-home-nfs": {"a": 1}, "jupyterhub-groups-exporter": {"b": 1}}


def test_versions_of_charts_are_those_of_the_repository(tmp_path: Path) -> None:
    dependencies = [
        {"name": "jupyterhub", "version": "3.3.8"},
        {"name": "jupyterhub-home-nfs", "version": "0.1.0"},
        {"name": "other", "version": "1.0.0"},
    ]
    charts = {
        "Chart.yaml": {"dependencies": dependencies},
        "values.yaml": {"jupyterhub-home-nfs": {"enabled": True}, "dask-gateway": {"enabled": False}},
    }
    imported = tree(tmp_path, {}, VALUES, charts)
    variables = variables_of(tmp_path / "fleet")["uni-prod"]
    assert variables["cluster_chart_version"] == "3.3.8"
    assert variables["hub_addons"] == {"jupyterhub-home-nfs": {"values": {"a": 1}, "version": "0.1.0"}}
    assert imported.report.hubs[0].not_imported == {"jupyterhub-groups-exporter": ["b"]}
    assert any(
        "Its defaults, which enable jupyterhub-home-nfs, are not imported" in note for note in imported.report.notes
    )


def test_missing_charts_of_the_repository_are_reported(tmp_path: Path) -> None:
    imported = tree(tmp_path, {}, VALUES)
    variables = variables_of(tmp_path / "fleet")["uni-prod"]
    assert variables["cluster_chart_version"] == "4.3.3"
    assert variables["hub_addons"] == {
        "jupyterhub-home-nfs": {"values": {"a": 1}},
        "jupyterhub-groups-exporter": {"values": {"b": 1}},
    }
    assert any(note.startswith("There is no helm-charts/basehub") for note in imported.report.notes)


def test_charts_of_the_repository_must_be_valid(tmp_path: Path) -> None:
    with pytest.raises(FleetImportError, match=r"^helm-charts/basehub/Chart\.yaml: has no list of dependencies"):
        tree(tmp_path, {}, VALUES, {"Chart.yaml": {}})


def test_an_unknown_chart(tmp_path: Path) -> None:
    values = {"binderhub": {"jupyterhub": {"cull": {"every": 7}}, "config": {"a": 1}}, "nfs": {"enabled": True}}
    hub = tree(tmp_path, {"helm_chart": "binderhub"}, values).report.hubs[0]
    assert values_of(tmp_path / "fleet") == {"uni-prod": {"cull": {"every": 7}}}
    assert hub.not_imported == {"nfs": ["enabled"], "binderhub.config": ["a"]}
    assert "its chart 'binderhub' is unknown; only its part jupyterhub is read" in hub.notes


def test_parts_of_one_name_are_both_reported(tmp_path: Path) -> None:
    values = {"basehub": {"dask-gateway": {"a": 1}}, "dask-gateway": {"b": 1}}
    hub = tree(tmp_path, {"helm_chart": "daskhub"}, values).report.hubs[0]
    assert hub.not_imported == {"dask-gateway": ["a"], "daskhub.dask-gateway": ["b"]}
