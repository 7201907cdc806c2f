# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub on a machine: what it should be is a pure function, and a change is what differs from it."""

from __future__ import annotations

import copy
import hashlib
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import CREATE, UNCHANGED, UPDATE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (
    Assets,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
    desired_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.diff import newer_database
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import Setup
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import (
    ObservedHub,
    ports_in_use,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    APPLYING,
    CHECKED,
    Record,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.cluster_options import PROXY_VERSIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.hub_options import (
    HUB_OPTIONS,
    JUPYTERHUB_VERSIONS,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.diffs import diff_of, texts
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import SOUND, fleet_of, hub_of

LOCKS = {
    **{
        f"{name}-{minor}.txt": f"{name}\njupyterhub=={version}\n"
        for name in ("hub", "user")
        for minor, version in (("5.5", "5.5.4"), ("6.1", "6.1.1"))
    },
    **{f"proxy-{version}/package-lock.json": version for version in PROXY_VERSIONS},
    **{
        f"proxy-{version}/package.json": f'{{"dependencies": {{"configurable-http-proxy": "{version}.0"}}}}'
        for version in PROXY_VERSIONS
    },
    "node.txt": "node",
    "supervisor.txt": "supervisor",
}
ASSETS = Assets(locks=LOCKS, runtime={"hubfleet_runtime/launch.py": ""}, environment={})
SETUP = Setup(Layout("/srv/state"), "bubblewrap", "supervisord", "/usr/bin/python3", None, "/run/hubfleet", None, "5.3")

GITHUB = {
    "hub_url": "https://hub.example.org/",
    "hub_authenticator": "github",
    "hub_authenticator_settings": {"client_id": "abc", "client_secret": "hunter2"},
}
SERVICE = {"name": "grader", "url": "http://127.0.0.1:9000/", "api_token": "hunter2"}

#: option -> (before, after): a change of this option alone.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "hub_title": ({}, {"hub_title": "Other"}),
    "hub_jupyterhub_version": ({}, {"hub_jupyterhub_version": "6.1"}),
    "hub_url": ({"hub_url": "https://hub.example.org/"}, {"hub_url": "https://hub.example.org/team/"}),
    "hub_domain": ({"hub_domain": "a.example.org"}, {"hub_domain": "b.example.org"}),
    "hub_bind": ({}, {"hub_bind": "127.0.0.2"}),
    "hub_port": ({}, {"hub_port": 8100}),
    "hub_internal_port": ({}, {"hub_internal_port": 9000}),
    "hub_demonstration": ({}, {"hub_demonstration": True}),
    "hub_authenticator": ({}, {"hub_authenticator": "native"}),
    "hub_authenticator_settings": (
        GITHUB,
        {**GITHUB, "hub_authenticator_settings": {"client_id": "x", "client_secret": "hunter2"}},
    ),
    "hub_allowed_users": ({}, {"hub_allowed_users": ["ben"]}),
    "hub_allowed_organizations": (GITHUB, {**GITHUB, "hub_allowed_organizations": ["uni"]}),
    "hub_allowed_domains": (
        {**GITHUB, "hub_authenticator": "google"},
        {**GITHUB, "hub_authenticator": "google", "hub_allowed_domains": ["example.org"]},
    ),
    "hub_allowed_identity_providers": tuple(
        {**GITHUB, "hub_authenticator": "cilogon", "hub_allowed_identity_providers": providers}
        for providers in (["https://a.example.org"], ["https://b.example.org"])
    ),
    "hub_allowed_groups": tuple(
        {
            **GITHUB,
            "hub_authenticator": "generic-oauth",
            "hub_authenticator_settings": {
                **GITHUB["hub_authenticator_settings"],  # type: ignore[dict-item]
                "authorize_url": "https://a.example.org",
                "token_url": "https://a.example.org",
                "userdata_url": "https://a.example.org",
                "groups_claim": "groups",
            },
            "hub_allowed_groups": groups,
        }
        for groups in (["a"], ["b"])
    ),
    "hub_allow_everyone": ({}, {"hub_allowed_users": None, "hub_allow_everyone": True}),
    "hub_blocked_users": ({}, {"hub_blocked_users": ["eve"]}),
    "hub_admins": ({}, {"hub_admins": ["root"]}),
    "hub_server_settings": ({}, {"hub_server_settings": {"ServerApp": {"shutdown_no_activity_timeout": 3600}}}),
    "hub_metrics": ({}, {"hub_metrics": True}),
    "hub_groups": ({}, {"hub_groups": {"staff": {"users": ["ada"]}}}),
    "hub_keep_panel_grants": ({}, {"hub_keep_panel_grants": True}),
    "hub_environment_catalogue": ({}, {"hub_environment_catalogue": {"python": {"packages": ["numpy==2.3.5"]}}}),
    "hub_environments": ({}, {"hub_environments": ["python", {"name": "other"}]}),
    "hub_size_catalogue": ({}, {"hub_size_catalogue": {"small": {"memory": "2G"}}}),
    "hub_sizes": ({}, {"hub_sizes": ["small", {"name": "other", "memory": "2G"}]}),
    "hub_interface": ({}, {"hub_interface": "notebook"}),
    "hub_home_directory": ({}, {"hub_home_directory": "/srv/homes"}),
    "hub_user_packages": ({}, {"hub_user_packages": False}),
    "hub_admin_sudo": ({"hub_admins": ["ada"]}, {"hub_admins": ["ada"], "hub_admin_sudo": True}),
    "hub_shared_directories": ({}, {"hub_shared_directories": {"course": {"path": "~/course"}}}),
    "hub_files": ({}, {"hub_files": {"welcome": {"path": "~/welcome.txt", "content": "Hello"}}}),
    "hub_environment_variables": ({}, {"hub_environment_variables": {"A": "1"}}),
    "hub_idle_timeout": ({}, {"hub_idle_timeout": "2h"}),
    "hub_maximum_age": ({}, {"hub_maximum_age": "1d"}),
    "hub_user_expiry": ({}, {"hub_user_expiry": "180d"}),
    "hub_ignored_problems": ({}, {"hub_ignored_problems": ["hub_jupyterhub_config.Spawner.colour"]}),
    "hub_start_timeout": ({}, {"hub_start_timeout": "1m"}),
    "hub_active_server_limit": ({}, {"hub_active_server_limit": 9}),
    "hub_concurrent_spawn_limit": ({}, {"hub_concurrent_spawn_limit": 9}),
    "hub_named_servers": ({}, {"hub_named_servers": True}),
    "hub_redirect_to_server": ({}, {"hub_redirect_to_server": False}),
    "hub_named_server_limit": ({}, {"hub_named_server_limit": 9}),
    "hub_announcement": ({}, {"hub_announcement": "Hello"}),
    "hub_services": ({"hub_services": [SERVICE]}, {"hub_services": [{**SERVICE, "api_token": "other"}]}),
    "hub_roles": ({}, {"hub_roles": [{"name": "helpers", "scopes": ["list:users"], "users": ["ada"]}]}),
    "hub_jupyterhub_config": ({}, {"hub_jupyterhub_config": "c.JupyterHub.log_level = 10"}),
    "hub_tls_certificate": tuple(
        {"hub_tls_key": "/k.pem", "hub_tls_certificate": path} for path in ("/a.pem", "/b.pem")
    ),
    "hub_tls_key": tuple({"hub_tls_certificate": "/c.pem", "hub_tls_key": path} for path in ("/a.pem", "/b.pem")),
}
#: Files of these are copied: their content counts, see test_copied_files.
COPIED = {"hub_templates", "hub_logo"}
#: Options that the proxy is started from.
PROXY = {"hub_url", "hub_bind", "hub_port", "hub_internal_port", "hub_tls_certificate", "hub_tls_key"}
#: Options that only the culler is started from; no need to interrupt the hub.
CULLER = {"hub_idle_timeout", "hub_maximum_age"}
#: What admins set by them is in the lock file, and takes the place of other options.
BY_ADMINS = {"hub_admin_repository", "hub_admin_ref", "hub_admin_may", "hub_admin_limits"}
#: Only for validation; no service ever sees them.
NOTHING = {"hub_demonstration", "hub_ignored_problems"}


def desired(hub: Hub, copied: dict[str, str] | None = None) -> DesiredHub:
    """Return what a hub should be on the machine of these tests."""
    return desired_hub(hub, SETUP, ASSETS, copied or {})


def digests(variables: dict[str, Any]) -> dict[str, str]:
    """Return the digest of every service."""
    return {service.role: service.digest for service in desired(hub_of(**variables)).services}


def test_every_option_is_here() -> None:
    for_servers = {option.name for option in HUB_OPTIONS if option.applies_to(SERVER)}
    assert CHANGES.keys() | COPIED | BY_ADMINS == for_servers


def test_settings_of_servers_are_for_later_starts() -> None:
    before, after = (desired(hub_of(**variables)) for variables in CHANGES["hub_server_settings"])
    told = "settings of users' servers (from the next start of a server on)"
    assert told in texts(diff_of(after, as_deployed(before), []))
    assert told not in texts(diff_of(after, as_deployed(after), []))


@pytest.mark.parametrize("option", CHANGES)
def test_what_restarts(option: str) -> None:
    """Each option restarts what it is about, and nothing else."""
    before, after = (digests(variables) for variables in CHANGES[option])
    restarted = {role for role in before if before[role] != after[role]}
    assert ("hub" in restarted) == (option not in CULLER | NOTHING)
    assert ("proxy" in restarted) == (option in PROXY)
    if option in CULLER:
        assert restarted == {"culler"}


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(item) for key, item in reversed(value.items())}
    return [_reordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("option", CHANGES)
def test_pure(option: str) -> None:
    """The same inventory gives the same hub, whatever the order of keys; it is not changed by that."""
    variables = {**SOUND, **CHANGES[option][1]}
    kept = copy.deepcopy(variables)
    one = desired(hub_of(**variables))
    other = desired(fleet_of(_reordered(variables))[0].hubs["alpha"])
    assert one == other
    assert one.shown() == other.shown()
    assert one.config_files() == other.config_files()
    assert variables == kept


def test_order_of_choices_counts() -> None:
    """The order of environments is seen by users, so it is a change."""
    lists = (["python", {"name": "other"}], [{"name": "other"}, "python"])
    one, other = (desired(hub_of(hub_environments=names)) for names in lists)
    assert one.shown() != other.shown()


def test_neighbours_do_not_count() -> None:
    """Other hubs of the fleet change nothing."""
    alone = desired(hub_of())
    fleet, found = fleet_of(SOUND, beta={**SOUND, "hub_port": 8100, "hub_title": "Beta"})
    assert not found
    assert desired(fleet.hubs["alpha"]) == alone


def test_copied_files() -> None:
    """Templates and logo are part of what the hub is started from."""
    before, after = (desired(hub_of(), {"logo.png": text}).services for text in ("1", "2"))
    assert [service.role for service, other in zip(before, after) if service.digest != other.digest] == ["hub"]


def test_secrets_are_not_shown() -> None:
    hub = desired(hub_of(**GITHUB, hub_services=[SERVICE]))
    assert "hunter2" not in hub.shown()
    assert "hunter2" in hub.config_files()["secrets.json"]
    assert "hunter2" not in repr([service.command for service in hub.services])
    change = diff_of(hub, as_deployed(desired(hub_of())), [])
    assert "hunter2" not in repr(change)


def as_deployed(hub: DesiredHub) -> ObservedHub:
    """Return the live state right after a deploy."""
    files = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in hub.config_files().items()}
    return ObservedHub(
        config=hub.config,
        files={**files, **hub.copied},
        secrets=frozenset(hub.generated),
        services={service.role: Running(100, service.digest) for service in hub.services},
        healthy=True,
        checked=hub.digest,
    )


def test_settings_of_the_culler_are_shown() -> None:
    """They are on its command line, and not in hub.json."""
    before, after = desired(hub_of(hub_maximum_age="8h")), desired(hub_of(hub_maximum_age="9h"))
    live, services = as_deployed(before), [each.as_dict() for each in before.services]
    record = Record(1, "", "", "", "", before.fingerprint, files=live.files, services=services, result=CHECKED)
    change = diff_of(after, replace(live, record=record), [])
    assert texts(change) == ["culler to restart"]
    assert "culler:\n  --timeout=3600\n  --max-age=28800\n" in change.before
    assert change.after == change.before.replace("--max-age=28800", "--max-age=32400")
    assert "--url=" not in change.after


def test_unchecked_is_checked_again() -> None:
    hub = desired(hub_of())
    change = diff_of(hub, replace(as_deployed(hub), checked="older"), [])
    assert (change.action, texts(change)) == (UPDATE, ["not checked"])


def test_deployed_is_unchanged() -> None:
    hub = desired(hub_of(), {"templates/page.html": "1", "logo.png": "2"})
    change = diff_of(hub, as_deployed(hub), [])
    assert (change.action, texts(change), change.before) == (UNCHANGED, [], change.after)


def test_missing_is_created() -> None:
    change = diff_of(desired(hub_of()), ObservedHub(), ["python"])
    assert (change.action, texts(change), change.before) == (CREATE, ["new", "python to build"], "")


@pytest.mark.parametrize("role", ["proxy", "hub", "culler"])
@pytest.mark.parametrize(
    ("state", "reason"),
    [(Running(), "not running"), (Running(100, "older"), "to restart"), (Running(100, ""), "to restart")],
)
def test_dead_and_old_services(role: str, state: Running, reason: str) -> None:
    hub = desired(hub_of())
    live = as_deployed(hub)
    change = diff_of(hub, replace(live, services={**live.services, role: state}), [])
    assert (change.action, texts(change)) == (UPDATE, [f"{role} {reason}"])


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"healthy": False}, "does not answer"),
        ({"secrets": frozenset({"proxy_token"})}, "generated secrets"),
        ({"files": {"hub.json": ""}}, "configuration"),
        ({"files": {"secrets.json": ""}}, "secrets"),
        ({"files": {"extra.py": ""}}, "hub_jupyterhub_config"),
        ({"files": {"templates/old.html": ""}}, "templates or logo"),
    ],
)
def test_other_differences(difference: dict[str, Any], reason: str) -> None:
    hub = desired(hub_of())
    live = as_deployed(hub)
    if "files" in difference:
        difference = {"files": {**live.files, **difference["files"]}}
    assert texts(diff_of(hub, replace(live, **difference), [])) == [reason]


def test_ports_of_other_programs_are_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        hub = desired(hub_of(hub_port=port))
        assert port in ports_in_use(hub.config["ports"].values(), ObservedHub())
        assert port not in ports_in_use(hub.config["ports"].values(), as_deployed(hub)), (
            "the hub's own proxy listens there"
        )


def test_all_reasons_come_together() -> None:
    hub = desired(hub_of())
    live = ObservedHub(config={}, services={role: Running() for role in ("proxy", "hub", "culler")})
    change = diff_of(hub, live, ["python"])
    assert change.action == UPDATE
    assert texts(change) == [
        "python to build", "configuration", "secrets", "hub_jupyterhub_config", "generated secrets",
        "proxy not running", "hub not running", "culler not running",
    ]  # fmt: skip


# --- Versions


def recorded(hub: DesiredHub, result: str = CHECKED, **versions: str) -> ObservedHub:
    """Return the live state after a deploy that was written down."""
    live = as_deployed(hub)
    record = Record(1, "", "", "", "", hub.fingerprint, dict(live.files), result=result, **{**hub.versions, **versions})
    return replace(live, record=record)


def test_locks_of_every_version() -> None:
    """What can be chosen is what the collection has locks of, and a lock is of the version that its name says."""
    locks = Path(__file__).parents[6] / "roles" / "cluster" / "files" / "locks"
    hubs = {path.stem[4:] for path in locks.glob("hub-*.txt")}
    assert hubs == {path.stem[5:] for path in locks.glob("user-*.txt")} == set(JUPYTERHUB_VERSIONS)
    assert {path.name[6:] for path in locks.glob("proxy-*")} == set(PROXY_VERSIONS)
    for lock in (*locks.glob("hub-*.txt"), *locks.glob("user-*.txt")):
        assert f"\njupyterhub=={lock.stem.partition('-')[2]}." in lock.read_text(), lock
    for version in PROXY_VERSIONS:
        wanted = json.loads((locks / f"proxy-{version}" / "package.json").read_text())["dependencies"]
        package = json.loads((locks / f"proxy-{version}" / "package-lock.json").read_text())["packages"]
        assert package[""]["dependencies"] == wanted
        assert wanted["configurable-http-proxy"].startswith(f"{version}.")


def test_another_version_is_said_in_words() -> None:
    before, after = (desired(hub_of(hub_jupyterhub_version=version)) for version in JUPYTERHUB_VERSIONS)
    change = diff_of(after, recorded(before), ["jupyterhub", "python"])
    assert texts(change)[:3] == ["JupyterHub 5.5.4 → 6.1.1", "jupyterhub to build", "python to build"]
    older = recorded(before, proxy="5.2.0", python="/usr/bin/python3.10")
    said = ["proxy 5.2.0 → 5.3.0", "Python /usr/bin/python3.10 → /usr/bin/python3"]
    assert texts(diff_of(before, older, [])) == said


def test_environments_have_the_hubs_version() -> None:
    one, other = (desired(hub_of(hub_jupyterhub_version=version)) for version in JUPYTERHUB_VERSIONS)
    assert not {build.directory for build in one.builds if build.name in ("jupyterhub", "python")} & {
        build.directory for build in other.builds
    }
    assert one.config["environments"] != other.config["environments"]


@pytest.mark.parametrize(
    ("runs", "result", "found"),
    [("6.1.1", CHECKED, "6.1.1"), ("10.0.0", CHECKED, "10.0.0"), ("5.5.9", CHECKED, ""), ("6.1.1", APPLYING, "")],
)
def test_a_newer_database(runs: str, result: str, found: str) -> None:
    """One that a patch release left can be read, and nobody knows what an interrupted deploy did to it."""
    hub = desired(hub_of())
    assert newer_database(hub.versions["jupyterhub"], recorded(hub, result, jupyterhub=runs)) == found
    assert newer_database(hub.versions["jupyterhub"], ObservedHub()) == ""
