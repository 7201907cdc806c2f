# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shapes every session of a hub: one home per user, files, settings, volumes, variables, and the first page."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import pytest
from cluster_hub import ClusterHub, Session
from hub_client import Browser
from kubernetes_api import Kubernetes

HOME = "/home/work"
LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>'
LOGIN = '{% extends "templates/login.html" %}{% block main %}<p>Ask the library</p>{{ super() }}{% endblock %}'


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub], kubernetes: Kubernetes) -> ClusterHub:
    made = make_hub(
        hub_authenticator="dummy",
        hub_demonstration=True,
        hub_domain="maps.example.org",
        cluster_exposure="ingress",
        hub_tls_secret="maps-certificate",
        cluster_storage_class="no-such-class",
        hub_home_storage_class=kubernetes.storage_class,
        hub_database_storage_class=kubernetes.storage_class,
        hub_title="Maps & more",
        hub_home_mount_path=HOME,
        hub_home_capacity="110Mi",
        hub_database_storage="120Mi",
        hub_named_server_limit=1,
        hub_logo="../files/logo.svg",
        hub_templates="../files/templates",
        hub_buckets={"SCRATCH": "s3://research"},
        hub_interface="/lab/tree/{username}.txt",
        hub_environment_variables={"GREETING": "hello"},
        hub_files={
            "welcome": {"path": "~/welcome.txt", "content": "Hello\n", "mode": 0o440},
            "course": {"path": "/etc/course.conf", "content": "level=1"},
            "deep": {"path": "~/made/file", "content": "  indented\n\n"},
        },
        hub_server_settings={"ContentsManager": {"allow_hidden": True}},
        hub_volumes={
            "scratch": {"path": "/scratch", "volume": {"emptyDir": {"sizeLimit": "10Mi"}}},
            "mine": {"path": "~/mine", "subpath": "{username}", "volume": {"emptyDir": {}}, "read_only": True},
        },
    )
    files = made.directory / "files"
    (files / "templates").mkdir(parents=True)
    (files / "logo.svg").write_text(LOGO)
    (files / "templates" / "login.html").write_text(LOGIN)
    made.deploy()
    return made


def first_page(session: Session) -> str:
    """Return the address that a user's server redirects to."""
    address = f"{session.hub.url}user/{session.user}/"
    request = urllib.request.Request(address, headers={"Authorization": f"token {session.hub.token(session.user)}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.url)


@pytest.mark.options(
    "hub_home_mount_path",
    "hub_home_storage",
    "hub_files.path",
    "hub_files.content",
    "hub_files.mode",
    "hub_server_settings",
    "hub_volumes.path",
    "hub_volumes.volume",
    "hub_volumes.subpath",
    "hub_volumes.read_only",
    "hub_environment_variables",
    "hub_buckets",
    "hub_interface",
    "hub_named_server_limit",
)
def test_session(hub: ClusterHub) -> None:
    with hub.session("ada") as session:
        places = session.value("[os.getcwd(), os.environ['HOME'], os.path.expanduser('~')]")
        assert places == [HOME] * 3
        session.run("pathlib.Path('notes.txt').write_text('kept')\npathlib.Path('.hidden').write_text('x')")
        assert session.value("pathlib.Path('welcome.txt').read_text()") == "Hello\n"
        assert session.value("os.stat('welcome.txt').st_mode & 0o777") == 0o440
        assert session.value("pathlib.Path('/etc/course.conf').read_text()") == "level=1"
        assert session.value("pathlib.Path('made/file').read_text()") == "  indented\n\n"
        assert session.value("os.stat('made').st_uid") == 0
        assert session.value("[os.environ[name] for name in ('GREETING', 'SCRATCH')]") == ["hello", "s3://research/ada"]
        assert session.value("pathlib.Path('/scratch/file').write_text('x')") == 1
        assert session.value("[os.access('mine', os.R_OK), os.access('mine', os.W_OK)]") == [True, False]
        contents = f"{hub.url}user/ada/api/contents/.hidden"
        assert hub.request("GET", contents, hub.token("ada"))[0] == 200
        assert first_page(session).endswith("/user/ada/lab/tree/ada.txt")
        with hub.session("ada", "second") as second:
            assert second.value("pathlib.Path('notes.txt').read_text()") == "kept"
            assert "maximum of 1 named servers" in hub.start_error("ada", "third")


@pytest.mark.options("hub_home_storage", "hub_home_capacity", "hub_database_storage")
@pytest.mark.options("hub_home_storage_class", "hub_database_storage_class")
def test_homes_are_of_users_and_outlive_them(hub: ClusterHub) -> None:
    """A user who is removed from the hub and comes back finds the same files."""
    with hub.session("ada") as session:
        session.run("import pathlib\npathlib.Path('notes.txt').write_text('still there')")
    assert hub.api("DELETE", "users/ada")[0] == 204
    with hub.session("ada") as session:
        assert session.value("pathlib.Path('notes.txt').read_text()") == "still there"
    found = hub.kubernetes.objects(hub.namespace, "persistentvolumeclaims")
    claims = {claim["metadata"]["name"]: claim["spec"] for claim in found}
    sizes = {name: claim["resources"]["requests"]["storage"] for name, claim in claims.items()}
    assert sizes == {"claim-ada": "110Mi", "hub-db-dir": "120Mi"}
    assert {claim["storageClassName"] for claim in claims.values()} == {hub.kubernetes.storage_class}


@pytest.mark.options("hub_title", "hub_logo", "hub_templates", "hub_domain")
def test_login_page(hub: ClusterHub) -> None:
    """The operator's templates and that of the collection work together."""
    _status, page = Browser(hub).request("hub/login")
    assert "<title>Maps &amp; more</title>" in page and "Ask the library" in page
    assert '<span id="hubfleet-title" class="navbar-text fw-bold text-body me-3">Maps &amp; more</span>' in page
    assert hub.request("GET", f"{hub.url}hub/logo")[1] == LOGO
    (ingress,) = hub.kubernetes.objects(hub.namespace, "ingresses")
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["maps.example.org"]
