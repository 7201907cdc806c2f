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
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    machine_problems,
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
    assert [line.split(": ")[1] for line in machine_problems(tmp_path / "fleet")] == ["hub_authenticator"]


def test_an_empty_configuration_is_a_valid_hub(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: [ada]}")
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert (variables["hub_authenticator"], variables["hub_port"]) == ("native", 80)
    assert (variables["hub_allowed_users"], variables["hub_idle_timeout"]) == (["ada"], "10m")
    assert machine_problems(tmp_path / "fleet") == []
    assert [note.split(":")[0] for note in made.report.hubs[0].notes] == [
        "hub_authenticator",
        "hub_sizes",
        "hub_environments",
        "hub_bind",
    ]


def test_lets_encrypt_becomes_the_reverse_proxy(tmp_path: Path) -> None:
    made = imported(
        tmp_path,
        "users: {admin: [ada]}\nbase_url: /lab\nhttp: {port: 8080}\n"
        "https: {enabled: true, letsencrypt: {email: a@example.org, domains: [h.example.org, b.example.org]}}",
    )
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert variables["hub_url"] == "https://h.example.org/lab/"
    assert (variables["cluster_reverse_proxy"], variables["cluster_http_port"]) == ("caddy", 8080)
    assert variables["hub_port"] == 8000  # the proxy has those of TLJH
    assert "hub_domain: a hub has one domain; only h.example.org was imported" in made.report.hubs[0].notes
    assert made.report.hubs[0].not_imported == {"https": ["letsencrypt.email"]}
    assert machine_problems(tmp_path / "fleet") == []


def test_an_authenticator_without_an_option_is_reported(tmp_path: Path) -> None:
    made = imported(tmp_path, "auth: {type: some.OtherAuthenticator}")
    assert (
        "hub_authenticator: OtherAuthenticator is not available; choose another authenticator"
        in made.report.hubs[0].notes
    )
    assert any("hub_authenticator" in problem for problem in made.report.problems)


def test_one_password_for_everybody(tmp_path: Path) -> None:
    """It is not dropped, which would leave the hub open; hubs on a machine generate such passwords."""
    text = "users: {allowed: [ben], admin: [ada]}\nauth: {type: dummy, DummyAuthenticator: {password: words}}"
    made = imported(tmp_path, text)
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert variables["hub_authenticator"] == "shared-password"
    assert "hub_demonstration" not in variables
    report = made.report.hubs[0]
    assert report.not_imported == {"auth": ["DummyAuthenticator.password"]}
    assert [note for note in report.notes if "generates one for users and another for admins" in note]
    assert not any("as before" in line for line in (*report.notes, *made.report.problems))
    assert machine_problems(tmp_path / "fleet") == []


def test_an_authenticator_by_its_short_name(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: [ada]}\nauth: {type: Dummy}")
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert (variables["hub_authenticator"], variables["hub_demonstration"]) == ("dummy", True)
    assert any("anybody can log in as anybody, as before" in problem for problem in made.report.problems)


def test_names_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    """TLJH reads words such as no as text, and 0123 as the number 123, which is nobody's name."""
    made = imported(tmp_path, "users: {admin: [no, ada], allowed: [y, n, 12:30, ann, ann, 0123, '0124']}")
    variables = variables_of(tmp_path / "fleet")["lab"]
    assert variables["hub_admins"] == ["no", "ada"]
    assert variables["hub_allowed_users"] == ["y", "n", "12:30", "ann", "0124"]
    assert [note for note in made.report.hubs[0].notes if note.startswith("users.allowed: 123 without quotes")]


@pytest.mark.parametrize(
    ("given", "memory", "note"),
    [
        ("64M", "128M", "the memory limit was 64M; 128M is the nearest that is allowed here"),
        ("2 G", "2G", ""),
        ("2147483648", 2147483648, ""),
        ("much", "2G", "limits.memory is not an amount of memory; the limit was set to 2G"),
        ("null", "2G", "servers had no memory limit; it was set to 2G, since a limit is required"),
    ],
)
def test_what_is_said_of_limits_is_so(given: str, memory: object, note: str, tmp_path: Path) -> None:
    made = imported(tmp_path, f"users: {{admin: [ada]}}\nlimits: {{memory: {given}}}")
    (size,) = variables_of(tmp_path / "fleet")["lab"]["hub_sizes"]
    assert size["memory"] == memory
    notes = [line.removeprefix("hub_sizes: ") for line in made.report.hubs[0].notes if line.startswith("hub_sizes")]
    assert notes == ([note] if note else [])


def test_values_of_the_wrong_kind_are_not_carried_over(tmp_path: Path) -> None:
    made = imported(tmp_path, "users: {admin: ada, allowed: [ben]}\nlimits: {memory: much}\nhttp: {port: x}")
    assert made.report.hubs[0].not_imported == {"users": ["admin"], "limits": ["memory"], "http": ["port"]}
    assert any("hub_port" in problem for problem in made.report.problems)


def test_one_file_only(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("", encoding="utf-8")
    with pytest.raises(FleetImportError, match="name one file"):
        import_fleet(ImportRequest([str(path), str(path)], "tljh", str(tmp_path / "fleet")), CODE, CHARTS)
