# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that applies to Kubernetes has its place in the chart's values."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jsonschema_rs", reason="these tests need the Python package jsonschema-rs")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import (
    read,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.chart_schema import (
    ChartSchema,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    leaves,
    over_defaults,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.pages import (
    TEMPLATES,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CHARTS,
    leaf,
    validated,
    values_of,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.option_places import (
    CATALOGUES,
    ELSEWHERE,
    PLACES,
    Place,
)

VERSIONS = ("4.4.0", "4.3.3")


def ids(place: Place) -> str:
    return f"{place.option}={place.value}"[:60]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An inventory directory with the files that options name."""
    made = tmp_path_factory.mktemp("inventory")
    (made / "templates").mkdir()
    (made / "templates" / "page.html").write_text("<p>\n")
    (made / "logo.png").write_bytes(b"\x89PNG")
    return str(made)


@pytest.fixture(scope="module")
def checks() -> dict[str, tuple[ChartSchema, dict[str, Any]]]:
    """The schema and the defaults of recorded charts."""
    records = {version: read(CHARTS, version) for version in VERSIONS}
    return {version: (ChartSchema(record.schema), record.defaults) for version, record in records.items()}


def wrong(checks: dict[str, tuple[ChartSchema, dict[str, Any]]], values: ChartValues) -> list[Any]:
    """Return what the schemas say of the values over the charts' defaults."""
    return [
        (version, *error)
        for version, (check, defaults) in checks.items()
        for error in check.errors(over_defaults(defaults, values.merged))
    ]


INTERVAL = "JUPYTERHUB_ACTIVITY_INTERVAL"


def test_every_option_has_a_place() -> None:
    on_kubernetes = {option.name for option in OPTIONS.values() if option.applies_to("kubernetes")}
    told = {place.option for place in PLACES}
    assert told | ELSEWHERE.keys() == on_kubernetes
    assert told & ELSEWHERE.keys() == set()


@pytest.mark.parametrize("defaults", ["collection", "chart"])
@pytest.mark.parametrize("place", PLACES, ids=ids)
def test_place(place: Place, defaults: str, directory: str, checks: Any) -> None:
    """The option's value arrives where it should, the chart's schema takes it, and it is known where it came from."""
    if place.value == "hub.example.org" and place.beside.get("hub_authenticator") and defaults == "chart":
        pytest.skip("an address of the authenticator that was not asked for is left to the chart")
    values = values_of(directory, hub_defaults_source=defaults, **place.variables)
    expected = {**place.expected, **(place.by_collection if defaults == "collection" else {})}
    assert {path: leaf(values.merged, path) for path in expected} == expected
    assert wrong(checks, values) == []
    for path in expected:
        keys = tuple(int(key) if key.isdigit() else key.replace("~1", "/") for key in path.split("/"))
        assert values.sources(keys)[-1][0] == (place.source or place.option), path


@pytest.mark.parametrize("place", PLACES, ids=ids)
def test_with_the_charts_defaults_nothing_comes_from_what_is_not_set(place: Place, directory: str) -> None:
    variables = {"hub_home_storage": None, **place.variables}
    values = values_of(directory, hub_defaults_source="chart", **variables)
    given = {name for name, value in variables.items() if value is not None}
    assert {source[0] for item in values.settings for source in [item.source]} <= given


def test_with_the_charts_defaults_a_hub_that_sets_nothing_has_no_values() -> None:
    assert values_of(hub_defaults_source="chart", hub_home_storage=None).merged == {}


@pytest.mark.parametrize("defaults", ["collection", "chart"])
def test_everything_at_once(defaults: str, directory: str, checks: Any) -> None:
    """Options do not get into each other's way."""
    together: dict[str, Any] = {}
    for place in PLACES:
        if place.option not in ("cluster_permissions", "hub_profiles", "hub_url", "hub_tls_secret"):
            together.setdefault(place.option, place.value)
    together.update(
        CATALOGUES,
        hub_defaults_source=defaults,
        hub_authenticator="github",
        hub_authenticator_settings={"client_id": "abc"},
        hub_allowed_domains=None,
        hub_allowed_identity_providers=None,
        hub_allowed_groups=None,
        hub_allow_everyone=None,
        hub_home_storage="claim",
        hub_home_nfs=None,
        hub_home_capacity=None,
        hub_home_storage_class=None,
        hub_addons={"dask-gateway": {}, "binderhub-service": {}},
        cluster_exposure="ingress",
    )
    values = values_of(directory, **together)
    assert wrong(checks, values) == []
    kept = [place for place in PLACES if not place.beside and together.get(place.option) == place.value]
    assert len(kept) > 30
    for place in kept:
        for path, expected in place.expected.items():
            found = leaf(values.merged, path)
            if isinstance(expected, dict):
                found = {key: value for key, value in found.items() if key in expected}
            assert found == expected, path


def test_collection_defaults_satisfy_the_schema_and_keep_the_proxy_inside(checks: Any) -> None:
    values = values_of()
    assert wrong(checks, values) == []
    assert leaf(values.merged, "proxy/service/type") == "ClusterIP"
    assert [path for path, value in leaves(values.merged) if value is None] == []


def test_servers_of_a_user_share_a_home_that_stays() -> None:
    values = values_of(hub_home_storage="dynamic", hub_home_storage_class="standard").merged
    assert leaf(values, "singleuser/storage/dynamic/pvcNameTemplate") == "claim-{username}"
    assert leaf(values, "hub/config/KubeSpawner/delete_pvc") is False


_DYNAMIC = {"hub_home_storage": "dynamic", "hub_home_storage_class": "standard"}
_ENVIRONMENT_WITH_HOME = {
    "hub_environment_catalogue": {"r": {"title": "R", "image": "a/b:c", "variables": {"HOME": "/root"}}},
    "hub_environments": ["r"],
}


def _helm_storage(**values: str) -> dict[str, Any]:
    return {"hub_helm_values": {"singleuser": {"storage": values}}}


@pytest.mark.parametrize(
    ("variables", "working_directory", "home"),
    [
        ({"hub_home_storage": "nfs", "hub_home_nfs": {"server": "a", "path": "/b"}}, "/home/jovyan", "/home/jovyan"),
        ({"hub_home_storage": "none"}, None, None),
        ({"hub_home_storage": "none", "hub_home_mount_path": "/home/rstudio"}, "/home/rstudio", "/home/rstudio"),
        ({"hub_home_mount_path": "/work", "hub_environment_variables": {"HOME": "/root"}}, "/work", "/root"),
        ({"hub_home_mount_path": "/work", **_ENVIRONMENT_WITH_HOME}, "/work", "/root"),
        ({**_DYNAMIC, **_helm_storage(homeMountPath="/home/{username}")}, "/home/{username}", "/home/{username}"),
        ({**_DYNAMIC, **_helm_storage(homeMountPath="/a/$(B)")}, "/a/$(B)", "/a/$$(B)"),
        ({**_DYNAMIC, **_helm_storage(type="none")}, None, None),
    ],
)
def test_servers_start_in_the_home(variables: dict[str, Any], working_directory: str | None, home: str | None) -> None:
    values = values_of(**variables).merged
    spawner = values["hub"]["config"].get("KubeSpawner", {})
    assert spawner.get("working_dir") == working_directory
    assert values["singleuser"].get("extraEnv", {}).get("HOME") == home


def test_named_servers_need_no_second_option() -> None:
    """A limit alone allows them, as on a server."""
    assert leaf(values_of(hub_named_server_limit=3).merged, "hub/allowNamedServers") is True
    assert leaf(values_of().merged, "hub/allowNamedServers") is False
    by_chart = values_of(hub_defaults_source="chart", hub_named_server_limit=3).merged
    assert by_chart["hub"] == {"namedServerLimitPerUser": 3}


def test_helm_values_are_above_the_options_and_each_other() -> None:
    layers: dict[str, Any] = {
        "hub_interface": "notebook",
        "fleet_helm_values": {"singleuser": {"defaultUrl": "/fleet", "startTimeout": 1}},
        "cluster_helm_values": {"singleuser": {"defaultUrl": "/cluster", "startTimeout": None}},
        "hub_helm_values": {"singleuser": {"defaultUrl": "/hub"}},
    }
    values = values_of(hub_start_timeout="1m", **layers)
    assert leaf(values.merged, "singleuser/defaultUrl") == "/hub"
    assert leaf(values.merged, "singleuser/startTimeout") is None
    assert [source[0] for source in values.sources(("singleuser", "defaultUrl"))] == list(layers)


def test_hubs_do_not_share_what_one_of_them_adds() -> None:
    """The mapping of a group is one object for all its hubs."""
    of_the_group = {"A": "1"}
    first = values_of(hub_environment_variables=of_the_group, hub_buckets={"SCRATCH": "s3://first"})
    assert leaf(first.merged, "singleuser/extraEnv") == {"A": "1", "SCRATCH": "s3://first/$(JUPYTERHUB_USER)"}
    assert leaf(values_of(hub_environment_variables=of_the_group).merged, "singleuser/extraEnv") == {"A": "1"}


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        ({"hub_idle_timeout": "15m"}, None),
        ({"hub_idle_timeout": "14m"}, "40"),
        ({"hub_idle_timeout": "never"}, None),
        ({"hub_idle_timeout": "2m", "hub_environment_variables": {INTERVAL: "20"}}, "20"),
        ({"hub_defaults_source": "chart"}, None),
        ({"hub_defaults_source": "chart", "hub_idle_timeout": "15m"}, None),
        ({"hub_defaults_source": "chart", "hub_idle_timeout": "5m"}, "40"),
    ],
)
def test_servers_report_more_often_than_they_are_culled(variables: dict[str, Any], interval: str | None) -> None:
    values = values_of(**variables).merged
    assert values.get("singleuser", {}).get("extraEnv", {}).get(INTERVAL) == interval


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        ({}, 300),
        ({"hub_idle_timeout": "5m"}, 150),
        ({"hub_idle_timeout": "never", "hub_maximum_age": "2m"}, 60),
        ({"hub_idle_timeout": "never"}, None),
        ({"hub_idle_timeout": "5m", "hub_defaults_source": "chart"}, None),
    ],
)
def test_idle_servers_are_looked_for_as_on_a_machine(variables: dict[str, Any], interval: int | None) -> None:
    """By default, the chart looks every ten minutes."""
    assert values_of(**variables).merged.get("cull", {}).get("every") == interval


@pytest.mark.parametrize("content", ["no newline", "two\n\n", "  spaces\n", "\n", "dos\r\n", "\x1b\n"])
def test_files_that_are_no_block_of_yaml_are_base64(content: str) -> None:
    files = {"one": {"path": "~/one", "content": content}}
    file = leaf(values_of(hub_files=files).merged, "singleuser/extraFiles/one")
    assert file["binaryData"] and base64.b64decode(file["binaryData"]).decode() == content
    imported = values_of(hub_files=files, hub_defaults_source="chart").merged
    assert leaf(imported, "singleuser/extraFiles/one/stringData") == content


def test_templates_of_any_shape_are_taken(tmp_path: Path) -> None:
    (tmp_path / "pages" / "a").mkdir(parents=True)
    (tmp_path / "pages" / "a" / "b.html").write_text("one\n")
    (tmp_path / "pages" / "a-b.html").write_text("two\n")
    (tmp_path / "pages" / "empty.html").touch()
    (tmp_path / "pages" / "picture.png").write_bytes(b"\x89PNG\xff")
    files = leaf(values_of(str(tmp_path), hub_templates="pages").merged, "hub/extraFiles")
    by_path = {file["mountPath"]: file for file in files.values()}
    assert by_path[f"{TEMPLATES}/a/b.html"]["stringData"] == "one\n"
    assert by_path[f"{TEMPLATES}/a-b.html"]["stringData"] == "two\n"
    assert by_path[f"{TEMPLATES}/empty.html"]["binaryData"].strip() == ""
    assert by_path[f"{TEMPLATES}/picture.png"]["binaryData"] == "iVBOR/8="


def test_imported_hubs_have_templates_of_their_own_only(directory: str) -> None:
    values = values_of(directory, hub_defaults_source="chart", hub_templates="templates", hub_title="Maps").merged
    assert values["hub"]["templatePaths"] == [TEMPLATES] and "templateVars" not in values["hub"]


def test_profiles_for_groups_bring_the_code_that_hides_them() -> None:
    profiles = [{"title": "GPU", "environments": ["python"], "allowed_groups": ["uni:gpu"]}]
    values = values_of(hub_profiles=profiles, hub_authenticator="github", **CATALOGUES).merged
    assert "profile_list" in leaf(values, "hub/extraConfig/hubfleet-allowed-groups")
    assert leaf(values, "hub/config/GitHubOAuthenticator/populate_teams_in_auth_state") is True
    assert leaf(values, "hub/config/GitHubOAuthenticator/enable_auth_state") is True
    raw = {"singleuser": {"profileList": [{"display_name": "GPU", "allowed_groups": ["gpu"]}]}}
    assert "hubfleet-allowed-groups" in leaf(values_of(hub_helm_values=raw).merged, "hub/extraConfig")
    assert "hubfleet-allowed-groups" not in values_of(hub_profiles=[{"title": "All"}]).merged["hub"]["extraConfig"]


def test_imported_hubs_keep_the_access_of_the_database_until_they_say_otherwise() -> None:
    imported = {"hub_defaults_source": "chart", "hub_allowed_users": ["ada"]}
    assert "extraConfig" not in values_of(**imported).merged["hub"]
    code = leaf(values_of(**imported, hub_keep_panel_grants=False).merged, "hub/extraConfig/zzzz-hubfleet-access")
    assert code == leaf(values_of().merged, "hub/extraConfig/zzzz-hubfleet-access")
    assert code.endswith("configure(c, keep=False)\n")


@pytest.mark.parametrize(
    ("variables", "taken"),
    [
        ({"hub_shared_directories": {"home": {"path": "/a", "subpath": "a"}}}, "the home directories"),
        ({"hub_volumes": {"home": {"path": "/a", "volume": {"emptyDir": {}}}}}, "the home directories"),
        (
            {
                "hub_shared_directories": {"data": {"path": "/a", "subpath": "a"}},
                "hub_volumes": {"data": {"path": "/b", "volume": {"emptyDir": {}}}},
            },
            "hub_shared_directories",
        ),
        (
            {
                "hub_files": {"a": {"path": "/a", "content": "b"}},
                "hub_volumes": {"files": {"path": "/b", "volume": {"emptyDir": {}}}},
            },
            "hub_files",
        ),
    ],
)
def test_no_volume_stands_in_place_of_another(variables: dict[str, Any], taken: str) -> None:
    name = list(next(reversed(variables.values())))[0]
    _hub, problems = validated(hub_home_storage="claim", hub_home_claim="homes", **variables)
    assert len(problems) == 1
    assert problems[0].endswith(f": the name {name!r} is already used by {taken}; use another")
    free: dict[str, Any] = {"hub_volumes": {"home": {"path": "/a", "volume": {"emptyDir": {}}}}}
    assert "home" in leaf(values_of(**free).merged, "singleuser/storage/extraVolumes")


def test_a_gateway_is_named_as_the_chart_wants_it() -> None:
    gateway = {"name": "shared", "namespace": "gateways", "section": "https"}
    variables = {"cluster_exposure": "gateway", "cluster_gateway": gateway, "hub_domain": "hub.example.org"}
    reference = {"name": "shared", "namespace": "gateways", "sectionName": "https"}
    assert values_of(**variables).merged["httpRoute"]["gateway"] == reference
    newer = values_of(defaults={"httpRoute": {"parentRefs": []}}, **variables).merged["httpRoute"]
    assert newer == {
        "enabled": True,
        "hostnames": ["hub.example.org"],
        "parentRefs": [{"kind": "Gateway", **reference}],
    }


def test_braces_in_the_path_of_an_export_are_text() -> None:
    export = {"server": "10.0.0.4", "path": "/export/{homes}"}
    values = values_of(hub_home_storage="nfs", hub_home_nfs=export).merged
    assert leaf(values, "singleuser/storage/extraVolumes/home/nfs/path") == "/export/{{homes}}"


def test_servers_may_take_as_long_to_answer_as_their_pods_to_start() -> None:
    assert leaf(values_of().merged, "hub/config/Spawner/http_timeout") == 300
