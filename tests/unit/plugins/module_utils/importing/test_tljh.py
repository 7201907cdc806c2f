# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of The Littlest JupyterHub becomes a hub on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    variables_of,
)

CONFIG = """
users: {admin: [ada], allowed: [ben], banned: [eve], extra_user_groups: {g: [ben]}}
limits: {memory: 1G, cpu: 2}
auth:
  type: oauthenticator.github.GitHubOAuthenticator
  GitHubOAuthenticator:
    client_id: abc
    client_secret: secret-word
    allowed_organizations: [org]
    admin_groups: [a]
https:
  enabled: true
  port: 8443
  tls: {key: /etc/key.pem, cert: /etc/cert.pem}
services: {cull: {timeout: 7200, max_age: 86400, every: 60}}
user_environment: {default_app: jupyterlab}
"""


def imported(directory: Path, text: str) -> ImportResult:
    """Import a config.yaml as the hub lab."""
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return import_fleet(ImportRequest([str(path)], "tljh", str(directory / "fleet"), hub="lab"), CODE, CHARTS)


def problems(directory: Path) -> list[str]:
    """Return what validation says of the imported hub."""
    host = HostInput("lab", variables_of(directory / "fleet")["lab"], frozenset({"production"}))
    return [problem.line() for problem in validate(FleetInput({"lab": host}, {"machine": ["lab"]}))[1].of(["lab"])]


def test_everything_there_is_an_option_for(tmp_path: Path) -> None:
    made = imported(tmp_path, CONFIG)
    assert variables_of(tmp_path / "fleet")["lab"] == {
        "cluster_platform": "server",
        "hub_allowed_users": ["ben"],
        "hub_blocked_users": ["eve"],
        "hub_admins": ["ada"],
        "hub_authenticator": "github",
        "hub_authenticator_settings": {"client_id": "abc", "client_secret": "secret-word"},
        "hub_allowed_organizations": ["org"],
        "hub_tls_certificate": "/etc/cert.pem",
        "hub_tls_key": "/etc/key.pem",
        "hub_port": 8443,
        "hub_bind": "0.0.0.0",
        "hub_idle_timeout": "2h",
        "hub_maximum_age": "1d",
        "hub_interface": "lab",
        "hub_environments": [{"name": "python", "title": "Python"}],
        "hub_sizes": [{"name": "standard", "title": "Standard", "memory": "1G", "cpu": 2}],
    }
    hub = made.report.hubs[0]
    assert hub.not_imported == {
        "users": ["extra_user_groups.g"],
        "auth": ["GitHubOAuthenticator.admin_groups"],
        "services": ["cull.every"],
    }
    assert hub.secret_files == ["secrets/lab/hub_authenticator_settings.client_secret"]
    # A log-in by OAuth needs a public address, which this configuration does not have.
    assert [line.split(": ")[1] for line in problems(tmp_path)] == ["hub_authenticator"]


def test_an_empty_configuration_is_a_valid_hub(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: [ada]}")
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert (variables["hub_authenticator"], variables["hub_port"]) == ("native", 80)
    assert (variables["hub_allowed_users"], variables["hub_idle_timeout"]) == (["ada"], "10m")
    assert problems(tmp_path) == []
    assert [note.split(":")[0] for note in made.report.hubs[0].notes] == [
        "hub_authenticator",
        "hub_sizes",
        "hub_environments",
        "hub_bind",
    ]


def test_addresses(tmp_path: Path) -> None:
    imported(tmp_path, "https: {enabled: true, letsencrypt: {domains: [h.example.org]}}\nbase_url: /lab")
    assert variables_of(tmp_path / "fleet")["lab"]["hub_url"] == "https://h.example.org/lab/"


def test_an_authenticator_without_an_option_is_reported(tmp_path: Path) -> None:
    made = imported(tmp_path, "auth: {type: some.OtherAuthenticator}")
    assert (
        "hub_authenticator: OtherAuthenticator is not available; choose another authenticator"
        in made.report.hubs[0].notes
    )
    assert any("hub_authenticator" in problem for problem in made.report.problems)


def test_an_authenticator_by_its_short_name(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: [ada]}\nauth: {type: Dummy, DummyAuthenticator: {password: words}}")
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert (variables["hub_authenticator"], variables["hub_demonstration"]) == ("dummy", True)
    assert made.report.hubs[0].not_imported == {"auth": ["DummyAuthenticator.password"]}


def test_values_of_the_wrong_kind_are_not_carried_over(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: ada, allowed: [ben]}\nlimits: {memory: much}\nhttp: {port: x}")
    assert made.report.hubs[0].not_imported == {"users": ["admin"], "limits": ["memory"], "http": ["port"]}
    assert any("hub_port" in problem for problem in made.report.problems)


def test_one_file_only(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("", encoding="utf-8")
    with pytest.raises(FleetImportError, match="name one file"):
        import_fleet(ImportRequest([str(path), str(path)], "tljh", str(tmp_path / "fleet")), CODE, CHARTS)
