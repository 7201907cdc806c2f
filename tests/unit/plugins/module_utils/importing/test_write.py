# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The written files: secrets, templates, other people's files, and what is said of it all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import ImportRequest, import_fleet
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.report import summary
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    LOOKUP,
    import_values,
    values_of,
    variables_of,
)

KEY = "-----BEGIN RSA PRIVATE KEY-----\nsecret-key\n-----END RSA PRIVATE KEY-----\n"
SECRETS: dict[str, Any] = {
    "hub": {
        "config": {
            "JupyterHub": {"authenticator_class": "github"},
            "GitHubOAuthenticator": {"client_id": "public", "client_secret": "secret-{{ oauth }}\n"},
        },
        "cookieSecret": 12345678,
        "db": {"url": "postgresql://user:secret-word@db/hub", "password": None},
    },
    "proxy": {"secretToken": "secret-token", "https": {"manual": {"key": KEY, "cert": "public"}}},
}


def test_secrets_go_into_files_of_their_own(tmp_path: Path) -> None:
    imported = import_values(tmp_path, json.dumps(SECRETS), hub="lab")
    fleet = tmp_path / "fleet"
    written = [path for path in fleet.rglob("*") if path.is_file() and "secrets" not in path.parts]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert "secret-" not in text and "12345678" not in text, path
    assert values_of(fleet) == {"lab": SECRETS}
    files = sorted((fleet / "secrets" / "lab").iterdir())
    assert len(files) == 5
    assert imported.report.hubs[0].secret_files == [str(path.relative_to(fleet)) for path in files]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((fleet / "secrets").stat().st_mode) == stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert "/secrets/" in (fleet / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "ansible-vault encrypt" in (fleet / "import-report.md").read_text(encoding="utf-8")
    text = (fleet / "inventory/host_vars/lab.yml").read_text(encoding="utf-8")
    assert len(LOOKUP.findall(text)) == 5


def test_what_looks_like_a_template_is_marked(tmp_path: Path) -> None:
    wanted = {"a": "{{ x }}", "b": "{% if %}\nx\n", "c": "{# x #}", "d": {"{{ key }}": "plain"}}
    import_values(tmp_path, json.dumps(wanted), hub="lab")
    text = (tmp_path / "fleet/inventory/host_vars/lab.yml").read_text(encoding="utf-8")
    assert text.count("!unsafe") == 4
    assert values_of(tmp_path / "fleet") == {"lab": wanted}


def test_texts_of_several_lines_are_blocks(tmp_path: Path) -> None:
    import_values(tmp_path, json.dumps({"hub": {"extraConfig": {"a": "import x\nif x:\n    y()\n"}}}), hub="lab")
    text = (tmp_path / "fleet/inventory/host_vars/lab.yml").read_text(encoding="utf-8")
    assert "      a: |\n        import x\n        if x:\n            y()\n" in text


def test_the_layout(tmp_path: Path) -> None:
    import_values(tmp_path, "hub: {templateVars: {announcement: hello}}\ncustom: {a: 1}", hub="lab", cluster="uni")
    fleet = tmp_path / "fleet"
    assert sorted(str(path.relative_to(fleet)) for path in fleet.rglob("*") if not path.is_dir()) == [
        ".gitignore",
        "group_vars/all.yml",
        "group_vars/uni.yml",
        "import-report.json",
        "import-report.md",
        "inventory/host_vars/lab.yml",
        "inventory/hosts.yml",
    ]
    assert os.readlink(fleet / "inventory" / "group_vars") == "../group_vars"
    assert (fleet / "inventory/host_vars/lab.yml").read_text(encoding="utf-8") == (
        "---\n# The hub lab, imported from values-0.yaml.\n"
        "hub_demonstration: true\nhub_announcement: hello\nhub_defaults_source: chart\n\n"
        "hub_helm_values:\n  custom:\n    a: 1\n"
    )
    assert yaml.safe_load((fleet / "inventory/hosts.yml").read_text(encoding="utf-8")) == {
        "all": {
            "children": {
                "clusters": {"children": {"uni": {"hosts": {"lab": None}}}},
                "production": {"hosts": {"lab": None}},
            }
        }
    }


def request_of(directory: Path, text: str = "a: 1", **more: Any) -> ImportRequest:
    """Return a request to import one small file."""
    (directory / "lab.yaml").write_text(text, encoding="utf-8")
    return ImportRequest([str(directory / "lab.yaml")], "z2jh", str(directory / "fleet"), **more)


def test_check_writes_nothing(tmp_path: Path) -> None:
    imported = import_fleet(request_of(tmp_path, check=True), CODE, CHARTS)
    assert "inventory/host_vars/lab.yml" in imported.changed
    assert not (tmp_path / "fleet").exists()


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    import_fleet(request_of(tmp_path), CODE, CHARTS)
    assert import_fleet(request_of(tmp_path), CODE, CHARTS).changed == []


def test_a_directory_with_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "mine.yml").write_text("mine", encoding="utf-8")
    for check in (True, False):
        with pytest.raises(FleetImportError, match=r"is not empty \(it holds mine.yml\)"):
            import_fleet(request_of(tmp_path, check=check), CODE, CHARTS)
    assert [path.name for path in (tmp_path / "fleet").iterdir()] == ["mine.yml"]


def test_overwriting_leaves_other_files_alone(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    import_fleet(request_of(tmp_path), CODE, CHARTS)
    (fleet / "mine.yml").write_text("mine", encoding="utf-8")
    (fleet / ".gitignore").write_text("/mine/\n", encoding="utf-8")
    (fleet / "inventory/host_vars/other.yml").write_text("hub_port: 1\n", encoding="utf-8")
    imported = import_fleet(request_of(tmp_path, "a: 2", overwrite=True), CODE, CHARTS)
    assert set(imported.changed) == {"inventory/host_vars/lab.yml", ".gitignore"}
    assert values_of(fleet) == {"lab": {"a": 2}}
    assert (fleet / "mine.yml").read_text(encoding="utf-8") == "mine"
    assert (fleet / "inventory/host_vars/other.yml").read_text(encoding="utf-8") == "hub_port: 1\n"
    ignored = (fleet / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert ignored[:3] == ["/mine/", "/vault-password", "/secrets/"]
    assert "/out/" in ignored and len(set(ignored)) == len(ignored)


def test_git_ignores_the_same_as_in_a_new_repository(tmp_path: Path) -> None:
    import_fleet(request_of(tmp_path), CODE, CHARTS)
    template = Path(__file__).parents[5] / "roles/fleet_repository/templates/gitignore.j2"
    assert (tmp_path / "fleet/.gitignore").read_text(encoding="utf-8").split() == template.read_text("utf-8").split()


def test_a_directory_in_place_of_the_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fleet/inventory/group_vars").mkdir(parents=True)
    with pytest.raises(FleetImportError, match=r"group_vars: is not a symbolic link"):
        import_fleet(request_of(tmp_path, overwrite=True), CODE, CHARTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": "z2j"},
            "import_format: 'z2j' is not known; did you mean 'z2jh'? (allowed: 2i2c, jupyterhub_config, tljh, z2jh)",
        ),
        ({"format": ""}, "import_format: is not set; allowed: 2i2c, jupyterhub_config, tljh, z2jh"),
        ({"paths": []}, "import_source: is not set"),
        ({"directory": ""}, "import_directory: is not set"),
        ({"tier": "prod"}, "import_tier: 'prod' is not known"),
        ({"paths": ["/no/such"]}, "/no/such: there is no such file or directory"),
        ({"paths": ["."]}, ".: is a directory; name a file"),
        ({"format": "2i2c", "hub": "x"}, "import_hub: 2i2c's trees are one directory, and name their hubs themselves"),
    ],
)
def test_bad_requests(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    request = ImportRequest(**{**vars(request_of(tmp_path)), **change})
    with pytest.raises(FleetImportError) as raised:
        import_fleet(request, CODE, CHARTS)
    assert str(raised.value).startswith(message)
    assert not (tmp_path / "fleet").exists()


def test_placeholders_are_reported_and_kept(tmp_path: Path) -> None:
    values = "custom: {word: CHANGE_ME}\nhub: {config: {JupyterHub: {authenticator_class: 'null'}}}"
    imported = import_values(tmp_path, values, hub="lab")
    assert imported.report.problems == ["lab: hub_helm_values.custom.word: is a placeholder; set the real value"]
    assert variables_of(tmp_path / "fleet")["lab"]["hub_ignored_problems"] == ["custom.word"]


def test_a_hub_that_allows_everybody_is_reported(tmp_path: Path) -> None:
    imported = import_values(tmp_path, "cull: {timeout: 60}", hub="lab")
    assert imported.report.problems == [
        "lab: anybody can log in as anybody, as before (hub_demonstration: true); choose an authenticator"
    ]


def test_values_that_look_unfinished_are_kept(tmp_path: Path) -> None:
    import_values(tmp_path, "custom: {word: CHANGE_ME}", hub="lab")
    assert "word: CHANGE_ME" in (tmp_path / "fleet/inventory/host_vars/lab.yml").read_text(encoding="utf-8")


def test_the_reports(tmp_path: Path) -> None:
    imported = import_values(tmp_path, "custom: {a: 1, a: 2}\nsingleuser: {startTimeout: 300}", hub="lab")
    content = json.loads((tmp_path / "fleet/import-report.json").read_text(encoding="utf-8"))
    assert (content["options"], content["helm_values"], content["format"]) == (1, 1, "z2jh")
    assert content["hubs"][0]["helm_value_paths"] == ["custom.a"]
    assert content["hubs"][0]["notes"] == ["values-0.yaml:1: 'a' is defined twice; the last one is used"]
    text = (tmp_path / "fleet/import-report.md").read_text(encoding="utf-8")
    assert "| lab | kubernetes / lab | 1 | 1 | |" in text
    assert summary(imported.report) == [
        "lab  1 option, 1 Helm value",
        "1 hub in 1 cluster: 2 values, 50 % of them options",
    ]
