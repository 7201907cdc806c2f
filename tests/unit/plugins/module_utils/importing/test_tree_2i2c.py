# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of clusters: which files count, what they are called, and what several hubs share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    import_tree,
    import_values,
    values_of,
    variables_of,
)


def file_of(directory: Path, name: str) -> Any:
    """Return a file of the written inventory."""
    return yaml.safe_load((directory / "fleet" / name).read_text(encoding="utf-8")) or {}


def one_hub(directory: Path, files: dict[str, str], **described: Any) -> ImportResult:
    """Import a cluster with one hub, whose files are these."""
    folder = directory / "clusters" / "leap"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    hub = {"name": "prod", "helm_chart": "basehub", "helm_chart_values_files": list(files), **described}
    cluster = {"name": "leap", "provider": "gcp", "gcp": {"project": "p"}, "hubs": [hub]}
    (folder / "cluster.yaml").write_text(json.dumps(cluster), encoding="utf-8")
    return import_fleet(ImportRequest([str(folder)], "2i2c", str(directory / "fleet")), CODE, CHARTS)


def test_files_merge_in_their_order(tmp_path: Path) -> None:
    one_hub(
        tmp_path,
        {
            "a.yaml": "jupyterhub: {x: {a: 1, b: [1, 2], c: 3}, singleuser: {startTimeout: 300}}",
            "b.yaml": "jupyterhub: {x: {b: [3], c: null}, singleuser: {startTimeout: null}}",
        },
    )
    assert values_of(tmp_path / "fleet") == {
        "leap-prod": {"x": {"a": 1, "b": [3], "c": None}, "singleuser": {"startTimeout": None}}
    }


def test_encrypted_files_and_programs_are_not_read(tmp_path: Path) -> None:
    imported = one_hub(
        tmp_path,
        {
            "a.values.yaml": "jupyterhub: {x: 1}",
            "sops.yaml": "jupyterhub: {x: 'ENC[AES256_GCM,data:abc]'}\nsops: {mac: x}",
            "b.jsonnet": "{ jupyterhub: {} }",
        },
        helm_chart_values_files=[
            "a.values.yaml",
            "enc-prod.secret.values.yaml",
            "sops.yaml",
            "b.jsonnet",
        ],
    )
    hub = imported.report.hubs[0]
    assert hub.files == ["leap/a.values.yaml"]
    assert hub.encrypted_files == ["leap/enc-prod.secret.values.yaml", "leap/sops.yaml"]
    assert hub.jsonnet == ["leap/b.jsonnet"]
    assert variables_of(tmp_path / "fleet")["leap-prod"]["hub_pending_secrets"] == hub.encrypted_files
    assert "ENC[" not in (tmp_path / "fleet" / "inventory" / "host_vars" / "leap-prod.yml").read_text(encoding="utf-8")


def test_parts_of_the_umbrella_chart(tmp_path: Path) -> None:
    imported = one_hub(
        tmp_path,
        {
            "a.yaml": json.dumps(
                {
                    "basehub": {
                        "jupyterhub": {"x": 1},
                        "dask-gateway": {"enabled": True, "gateway": {"a": 1}},
                        "binderhub-service": {"config": {}},
                        "jupyterhub-home-nfs": {"eks": {"volumeId": "vol-1"}},
                        "jupyterhub-groups-exporter": {"enabled": False},
                        "nfs": {"enabled": True, "pv": {"serverIP": "10.0.0.1"}},
                    },
                    "dask-gateway": {"left": "over"},
                }
            )
        },
        helm_chart="daskhub",
        display_name="LEAP",
        domain="leap.example.org",
        legacy=True,
    )
    variables = variables_of(tmp_path / "fleet")["leap-prod"]
    assert variables["hub_addons"] == {
        "dask-gateway": {"values": {"gateway": {"a": 1}}},
        "jupyterhub-home-nfs": {"values": {"eks": {"volumeId": "vol-1"}}},
    }
    assert (variables["hub_title"], variables["hub_domain"]) == ("LEAP", "leap.example.org")
    assert (variables["hub_namespace"], variables["cluster_chart_version"]) == ("prod", "4.3.3")
    hub = imported.report.hubs[0]
    assert hub.not_imported == {
        "daskhub.dask-gateway": ["left"],
        "binderhub-service": ["config"],
        "jupyterhub-groups-exporter": ["enabled"],
        "nfs": ["enabled", "pv.serverIP"],
    }
    assert "legacy: not imported" in hub.notes
    assert imported.report.clusters["leap"] == ["provider: not imported", "gcp (project): not imported"]


def test_versions_of_an_overridden_chart(tmp_path: Path) -> None:
    chart = {
        "dependencies": [
            {"name": "jupyterhub", "version": "4.3.3-0.dev.git.7272.h2ff70453"},
            {"name": "dask-gateway", "version": "2024.1.0"},
        ]
    }
    folder = tmp_path / "clusters" / "leap"
    folder.mkdir(parents=True)
    (folder / "chart.yaml").write_text(json.dumps(chart), encoding="utf-8")
    (folder / "a.yaml").write_text("dask-gateway: {enabled: true}", encoding="utf-8")
    hub = {
        "name": "prod",
        "helm_chart": "basehub",
        "helm_chart_values_files": ["a.yaml"],
        "chart_override": "chart.yaml",
    }
    (folder / "cluster.yaml").write_text(json.dumps({"name": "leap", "hubs": [hub]}), encoding="utf-8")
    import_fleet(ImportRequest([str(folder)], "2i2c", str(tmp_path / "fleet")), CODE, CHARTS)
    variables = variables_of(tmp_path / "fleet")["leap-prod"]
    assert variables["hub_chart_version"] == "4.3.3-0.dev.git.7272.h2ff70453"
    assert variables["hub_addons"] == {"dask-gateway": {"version": "2024.1.0"}}


def test_what_is_not_valid_here_is_reported(tmp_path: Path) -> None:
    imported = one_hub(tmp_path, {"a.yaml": "jupyterhub: {x: 1}"}, domain="no domain", display_name="Fine")
    assert imported.report.hubs[0].invalid[0].startswith("hub_domain: 'no domain' is not a domain name")
    assert "hub_domain" not in variables_of(tmp_path / "fleet")["leap-prod"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jupyterhub: [", "leap/a.yaml:1: is not YAML"),
        ("jupyterhub: text", "leap/cluster.yaml: hubs[0]: jupyterhub of its values is not a mapping"),
        ("- a", "leap/a.yaml: is not a mapping"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FleetImportError) as raised:
        one_hub(tmp_path, {"a.yaml": text})
    assert str(raised.value).startswith(message)
    assert not (tmp_path / "fleet").exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FleetImportError, match=r"^leap/missing.yaml: does not exist"):
        one_hub(tmp_path, {}, helm_chart_values_files=["missing.yaml"])


def test_a_directory_without_clusters(tmp_path: Path) -> None:
    with pytest.raises(FleetImportError, match=r"has no cluster.yaml, and neither have its subdirectories"):
        import_fleet(ImportRequest([str(tmp_path)], "2i2c", str(tmp_path / "fleet")), CODE, CHARTS)


def test_names_fit_and_differ(tmp_path: Path) -> None:
    long = "a-cluster-with-a-name-beyond-all"
    imported = import_tree(
        tmp_path,
        {
            "2i2c": {"Staging_Hub": {}},
            long: {"hub-one-staging": {}, "hub-two": {}},
            "a_b": {"c": {}},
            "a-b": {"c": {}},
            "staging": {"x": {}},
        },
    )
    names = {(hub.source_cluster, hub.source_hub): (hub.cluster, hub.name, hub.tier) for hub in imported.report.hubs}
    assert names["2i2c", "Staging_Hub"] == ("cluster_2i2c", "2i2c-staging-hub", "production")
    assert names[long, "hub-one-staging"][1:] == ("a-cluster-with-a-name-beyond-all", "staging")
    assert names[long, "hub-two"][1] == "a-cluster-with-a-name-beyond-a-2"
    assert {names["a_b", "c"][:2], names["a-b", "c"][:2]} == {("a_b", "a-b-c"), ("a_b_2", "a-b-c-2")}
    assert names["staging", "x"][0] == "staging_2"
    assert len(values_of(tmp_path / "fleet")) == 6


def test_what_the_hubs_of_a_cluster_share_stands_in_its_file(tmp_path: Path) -> None:
    def hub(timeout: int, own: int) -> dict[str, Any]:
        return {"singleuser": {"startTimeout": timeout}, "custom": {"a": {"b": 1, "own": own}, "list": [1]}}

    import_tree(tmp_path, {"leap": {"staging": hub(300, 1), "prod": hub(300, 2), "public": hub(600, 3)}})
    cluster = file_of(tmp_path, "group_vars/leap.yml")
    assert cluster["hub_start_timeout"] == "5m"
    assert cluster["cluster_helm_values"] == {"custom": {"a": {"b": 1}, "list": [1]}}
    assert "hub_start_timeout" not in file_of(tmp_path, "inventory/host_vars/leap-prod.yml")
    public = file_of(tmp_path, "inventory/host_vars/leap-public.yml")
    assert public["hub_start_timeout"] == "10m"
    assert public["hub_helm_values"] == {"custom": {"a": {"own": 3}}}
    assert values_of(tmp_path / "fleet")["leap-public"] == hub(600, 3)


def test_the_only_hub_of_a_cluster_keeps_its_own(tmp_path: Path) -> None:
    import_tree(tmp_path, {"leap": {"prod": {"singleuser": {"startTimeout": 300}, "custom": {"a": 1}}}})
    assert file_of(tmp_path, "group_vars/leap.yml") == {
        "cluster_platform": "kubernetes",
        "cluster_chart_version": "4.3.3",
    }
    hub = file_of(tmp_path, "inventory/host_vars/leap-prod.yml")
    assert (hub["hub_start_timeout"], hub["hub_helm_values"]) == ("5m", {"custom": {"a": 1}})


def test_what_clusters_share_stands_in_the_file_of_the_fleet(tmp_path: Path) -> None:
    def hub(**custom: Any) -> dict[str, Any]:
        return {"singleuser": {"startTimeout": 300}, "custom": {"all": 1, **custom}}

    import_tree(
        tmp_path,
        {"one": {"a": hub(one=1), "b": hub(one=1)}, "two": {"a": hub(two=2), "b": hub(two=2)}, "three": {"a": hub()}},
    )
    fleet = file_of(tmp_path, "group_vars/all.yml")
    assert fleet["hub_start_timeout"] == "5m"
    assert fleet["fleet_helm_values"] == {"custom": {"all": 1}}
    assert file_of(tmp_path, "group_vars/one.yml") == {"cluster_helm_values": {"custom": {"one": 1}}}
    assert "hub_helm_values" not in file_of(tmp_path, "inventory/host_vars/three-a.yml")
    assert values_of(tmp_path / "fleet")["two-b"] == hub(two=2)


def test_catalogues_stand_where_all_who_need_them_find_them(tmp_path: Path) -> None:
    def hub(tag: str) -> dict[str, Any]:
        return {"singleuser": {"image": {"name": "quay.io/a/b", "tag": tag}}}

    import_tree(
        tmp_path,
        {
            "one": {"a": hub("1"), "b": hub("1")},
            "two": {"a": hub("1"), "b": hub("2")},
            "three": {"a": hub("3")},
        },
    )
    catalogue = "hub_environment_catalogue"
    first, second = {"image": "quay.io/a/b:1"}, {"image": "quay.io/a/b:2"}
    assert file_of(tmp_path, "group_vars/all.yml")[catalogue] == {"b": first}
    assert catalogue not in file_of(tmp_path, "group_vars/one.yml")
    # Ansible replaces a variable as a whole: this one has entries of its own, so it has all that it needs.
    assert file_of(tmp_path, "group_vars/two.yml")[catalogue] == {"b": first, "b-2": second}
    assert file_of(tmp_path, "inventory/host_vars/three-a.yml")[catalogue] == {"b": {"image": "quay.io/a/b:3"}}
    assert values_of(tmp_path / "fleet")["three-a"] == hub("3")


def test_the_route_of_all_hubs_of_a_cluster_is_options(tmp_path: Path) -> None:
    def hub(name: str, **more: Any) -> dict[str, Any]:
        domain = f"{name}.one.example.org"
        tls = [{"hosts": [domain], "secretName": f"{name}-cert"}]
        return {"ingress": {"enabled": True, "hosts": [domain], "ingressClassName": "nginx", "tls": tls, **more}}

    import_tree(tmp_path, {"one": {"a": hub("a"), "b": hub("b")}})
    cluster = file_of(tmp_path, "group_vars/one.yml")
    assert (cluster["cluster_exposure"], cluster["cluster_ingress_class"]) == ("ingress", "nginx")
    assert file_of(tmp_path, "inventory/host_vars/one-a.yml")["hub_tls_secret"] == "a-cert"
    assert values_of(tmp_path / "fleet")["one-b"] == hub("b")


@pytest.mark.parametrize("odd", [{}, {"ingress": {"enabled": True, "hosts": ["x.example.org", "y.example.org"]}}])
def test_a_route_that_is_not_that_of_all_hubs_stays_helm_values(tmp_path: Path, odd: dict[str, Any]) -> None:
    tls = [{"hosts": ["a.one.example.org"], "secretName": "cert"}]
    route = {"ingress": {"enabled": True, "hosts": ["a.one.example.org"], "tls": tls}}
    import_tree(tmp_path, {"one": {"a": route, "b": odd}})
    assert "cluster_exposure" not in file_of(tmp_path, "group_vars/one.yml")
    assert values_of(tmp_path / "fleet") == {"one-a": route, "one-b": odd}


def test_values_files_of_one_hub(tmp_path: Path) -> None:
    imported = import_values(
        tmp_path,
        "hub: {config: {a: &a {b: 1}}}",
        "hub: {config: {c: 2}}\nproxy: {https: {hosts: [h.example.org]}}",
        hub="research",
        cluster="uni",
        tier="staging",
    )
    assert (imported.report.hubs[0].name, imported.report.hubs[0].tier) == ("research", "staging")
    assert values_of(tmp_path / "fleet") == {
        "research": {"hub": {"config": {"a": {"b": 1}, "c": 2}}, "proxy": {"https": {"hosts": ["h.example.org"]}}}
    }
    variables = variables_of(tmp_path / "fleet")["research"]
    assert variables["hub_domain"] == "h.example.org"
    assert "cluster_chart_version" not in variables


def test_the_name_of_a_hub_is_that_of_its_file_or_directory(tmp_path: Path) -> None:
    for path, name in (("physics/values.yaml", "physics"), ("chemistry.yaml", "chemistry")):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text("a: 1", encoding="utf-8")
        imported = import_fleet(ImportRequest([str(file)], "z2jh", str(tmp_path / f"{name}-fleet")), CODE, CHARTS)
        assert imported.report.hubs[0].name == name
