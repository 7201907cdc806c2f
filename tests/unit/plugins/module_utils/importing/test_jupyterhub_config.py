# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A jupyterhub_config.py becomes a hub on a machine, as far as it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.report import HubReport
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    machine_problems,
    variables_of,
)

RECORDS = Path(__file__).parents[5] / "roles" / "hub" / "files" / "jupyterhub"

CAMPUS = """
import os, sys
from oauthenticator.github import GitHubOAuthenticator

c = get_config()
HOST = "hub.example.org"

c.JupyterHub.bind_url = "http://:8000/lab"
c.JupyterHub.authenticator_class = GitHubOAuthenticator
c.OAuthenticator.client_id = "abc"
c.GitHubOAuthenticator.client_secret = "secret-word"
c.GitHubOAuthenticator.oauth_callback_url = "https://" + HOST + "/lab/hub/oauth_callback"
c.GitHubOAuthenticator.allowed_organizations = {"org"}
c.GitHubOAuthenticator.username_map = {"ada-l": "ada"}
c.Authenticator.whitelist = {"ada", "ben"}
c.Authenticator.admin_users = {"ada"}
c.Authenticator.enable_auth_state = True
c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
c.SystemdSpawner.mem_limit = "4G"
c.Spawner.cpu_limit = 2
c.Spawner.default_url = "/tree"
c.Spawner.environment = {"COURSE": "1", "API_TOKEN": "secret-word"}
c.Spawner.environment["HOST"] = HOST
c.JupyterHub.concurrent_spawn_limit = 30
c.JupyterHub.services = [
    {"name": "cull", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1800", "--max-age=86400"]},
    {"name": "grader", "url": "http://127.0.0.1:9000", "api_token": "secret-word", "admin": True},
]
c.JupyterHub.load_roles = [
    {"name": "culling", "scopes": ["list:users"], "services": ["cull"]},
    {"name": "grading", "scopes": ["list:users"], "services": ["grader", "cull"], "users": ["ada"]},
]
c.JupyterHub.load_groups = {"staff": ["ada"]}
c.JupyterHub.tornado_settings = {"headers": {"X": "y"}}
c.JupyterHub.log_level = 10
"""


def imported(directory: Path, text: str, name: str = "jupyterhub_config.py") -> ImportResult:
    """Import a file as the hub lab."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    request = ImportRequest([str(path)], "jupyterhub_config", str(directory / "fleet"), hub="lab")
    return import_fleet(request, CODE, CHARTS, jupyterhub_records=str(RECORDS))


def hub_of(directory: Path, text: str) -> tuple[dict[str, Any], HubReport]:
    """Return the variables of the imported hub, and its report."""
    report = imported(directory, text).report.hubs[0]
    return variables_of(directory / "fleet")["lab"], report


def test_everything_there_is_an_option_for(tmp_path: Path) -> None:
    variables, report = hub_of(tmp_path, CAMPUS)
    assert variables == {
        "cluster_platform": "server",
        "hub_url": "https://hub.example.org/lab/",
        "hub_port": 8000,
        "hub_authenticator": "github",
        "hub_authenticator_settings": {"client_id": "abc", "client_secret": "secret-word"},
        "hub_allowed_organizations": ["org"],
        "hub_allowed_users": ["ada", "ben"],
        "hub_admins": ["ada"],
        "hub_environments": [{"name": "python", "title": "Python"}],
        "hub_sizes": [{"name": "standard", "title": "Standard", "memory": "4G", "cpu": 2}],
        "hub_interface": "notebook",
        "hub_environment_variables": {"COURSE": "1", "API_TOKEN": "secret-word", "HOST": "hub.example.org"},
        "hub_idle_timeout": "30m",
        "hub_maximum_age": "1d",
        "hub_concurrent_spawn_limit": 30,
        "hub_services": [{"name": "grader", "url": "http://127.0.0.1:9000", "api_token": "secret-word"}],
        "hub_roles": [{"name": "grading", "scopes": ["list:users"], "services": ["grader"], "users": ["ada"]}],
        "hub_groups": {"staff": {"users": ["ada"]}},
        "hub_jupyterhub_config": 'c.GitHubOAuthenticator.username_map = {"ada-l": "ada"}\n'
        "c.Authenticator.enable_auth_state = True\n"
        'c.JupyterHub.tornado_settings.update({"headers": {"X": "y"}})\n'
        "c.JupyterHub.log_level = 10\n",
    }
    assert [line.split(": ")[1] for line in report.not_imported] == ["c.JupyterHub.spawner_class"]
    assert "hub_services: admin of the service grader cannot be set; left out" in report.notes
    assert machine_problems(tmp_path / "fleet") == []


def test_secrets_are_in_files_of_their_own(tmp_path: Path) -> None:
    """Also those in places without an option, which are left out."""
    text = (
        CAMPUS + 'c.JupyterHub.db_url = "postgresql://hub:secret-word@db/hub"\n'
        'c.ConfigurableHTTPProxy.auth_token = "secret-word"\n'
        'c.Authenticator.custom_html = "https://user:secret-word@example.org"\n'
        'c.GitHubOAuthenticator.userdata_params = {"password": "secret-word"}\n'
    )
    report = imported(tmp_path, text).report.hubs[0]
    for path in (tmp_path / "fleet").rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            assert "secret-word" not in path.read_text(encoding="utf-8"), path
    assert len(report.secret_files) == 3
    said = {line.split(": ")[1]: line.split(": ", 2)[2] for line in report.not_imported}
    assert said["c.Authenticator.custom_html"] == "may hold a secret; add it encrypted"
    assert said["c.GitHubOAuthenticator.userdata_params"] == "may hold a secret; add it encrypted"


TOLD = {
    "database": ("c.JupyterHub.db_url = 'sqlite:///x'", "c.JupyterHub.db_url: a hub has a database of its own; "),
    "spawner": ("c.DockerSpawner.image = 'x'", "c.DockerSpawner.image: servers of users are started by the spawner"),
    "start of servers": ("c.Spawner.args = ['--x']", "c.Spawner.args: servers of users are started by the spawner"),
    "misspelt": (
        "c.JupyterHub.shutdown_on_logut = True",
        "c.JupyterHub.shutdown_on_logut: JupyterHub has no such trait; did you mean 'shutdown_on_logout'?; it had no",
    ),
    "class": ("c.MyThing.x = 1", "c.MyThing.x: the class MyThing does not exist here"),
    "access": ("c.GitHubOAuthenticator.admin_users = {'a'}", "c.GitHubOAuthenticator.admin_users: decides who may log"),
    "another login": (
        "c.PAMAuthenticator.service = 'x'",
        "c.PAMAuthenticator.service: PAMAuthenticator is not the auth",
    ),
    "environment": (
        "import os\nc.JupyterHub.services = os.environ['S']",
        "c.JupyterHub.services comes from the environment variable S",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), TOLD.values(), ids=TOLD.keys())
def test_what_is_left_out_is_told_by_line(text: str, sentence: str, tmp_path: Path) -> None:
    head = "c.JupyterHub.authenticator_class = 'github'\n"
    variables, report = hub_of(tmp_path, head + text)
    (line,) = report.not_imported
    assert line.startswith(f"line {text.count(chr(10)) + 2}: {sentence}")
    assert "hub_jupyterhub_config" not in variables


def test_people_in_the_section_of_the_authenticator(tmp_path: Path) -> None:
    text = "c.JupyterHub.authenticator_class = 'nativeauthenticator.NativeAuthenticator'\n"
    variables, report = hub_of(tmp_path, text + "c.NativeAuthenticator.admin_users = {'ada'}\nc.Authenticator.x_y = 1")
    assert (variables["hub_authenticator"], variables["hub_admins"]) == ("native", ["ada"])
    assert [line.split(": ")[1] for line in report.not_imported] == ["c.Authenticator.x_y"]


def test_defaults_are_those_of_jupyterhub(tmp_path: Path) -> None:
    variables, report = hub_of(tmp_path, "c.Authenticator.allow_all = True")
    assert (variables["hub_authenticator"], variables["hub_port"]) == ("pam", 8000)
    assert (variables["hub_idle_timeout"], variables["hub_allow_everyone"]) == ("never", True)
    assert {note.split(":")[0] for note in report.notes} == {
        "hub_sizes",
        "hub_environments",
        "hub_idle_timeout",
        "hub_bind",
    }


def test_nothing_is_claimed_of_what_cannot_be_read(tmp_path: Path) -> None:
    """Neither the default authenticator, nor that there is no culler."""
    text = "c.JupyterHub.authenticator_class = choose()\nc.JupyterHub.services = [f()]"
    variables, report = hub_of(tmp_path, text)
    assert "hub_authenticator" not in variables and "hub_idle_timeout" not in variables
    assert "hub_authenticator: the authenticator cannot be read; choose one" in report.notes
    assert any(note.startswith("hub_idle_timeout: the services cannot be read") for note in report.notes)


def test_an_authenticator_that_is_not_available(tmp_path: Path) -> None:
    text = "c.JupyterHub.authenticator_class = 'azuread'\nc.AzureAdOAuthenticator.username_claim = 'email'"
    variables, report = hub_of(tmp_path, text)
    assert "hub_authenticator" not in variables and "hub_jupyterhub_config" not in variables
    assert [line.split(": ")[1] for line in report.not_imported] == [
        "c.JupyterHub.authenticator_class",
        "c.AzureAdOAuthenticator.username_claim",
    ]


def test_certificate_and_address(tmp_path: Path) -> None:
    text = (
        "c.JupyterHub.ip = '10.0.0.1'\nc.JupyterHub.port = 443\nc.JupyterHub.base_url = '/hub/'\n"
        "c.JupyterHub.ssl_cert = '/c.pem'\nc.JupyterHub.ssl_key = '/k.pem'"
    )
    variables, report = hub_of(tmp_path, text)
    assert [variables[f"hub_{name}"] for name in ("bind", "port", "tls_certificate", "tls_key")] == [
        "10.0.0.1",
        443,
        "/c.pem",
        "/k.pem",
    ]
    assert "hub_url: the hub was served under /hub/, at an address that the file does not contain" in report.notes
    assert report.not_imported == {}


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(FleetImportError, match=r"a\.py:2: is not Python 3"):
        imported(tmp_path, "\nprint 'old'", "a.py")
    path = tmp_path / "a.py"
    path.write_bytes(b"\xff")
    request = ImportRequest([str(path)], "jupyterhub_config", str(tmp_path / "fleet"))
    with pytest.raises(FleetImportError, match="is not UTF-8 text"):
        import_fleet(request, CODE, CHARTS)
    with pytest.raises(FleetImportError, match="name one file"):
        import_fleet(ImportRequest([str(path), str(path)], "jupyterhub_config", str(tmp_path / "fleet")), CODE, CHARTS)


def test_a_secret_from_the_environment_is_to_be_brought(tmp_path: Path) -> None:
    """Not by hub_pending_secrets, which hubs on a machine do not have."""
    lines = [
        "c.JupyterHub.authenticator_class = 'github'",
        "c.GitHubOAuthenticator.client_id = 'abc'",
        "c.GitHubOAuthenticator.client_secret = os.environ['SECRET']",
        "c.GitHubOAuthenticator.allowed_organizations = {'org'}",
    ]
    problems = imported(tmp_path, "\n".join(["import os", *lines])).report.problems
    assert any("hub_authenticator_settings: client_secret is missing" in problem for problem in problems)
    assert "hub_pending_secrets" not in variables_of(tmp_path / "fleet")["lab"]
    assert not any("hub_pending_secrets" in problem for problem in problems)
