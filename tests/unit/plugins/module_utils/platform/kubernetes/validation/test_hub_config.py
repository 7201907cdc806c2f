# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about mistakes in hub.config, and that nothing is said about what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.config_classes import chosen_authenticator
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import (
    read,
    versions,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.hub_config import (
    check_config,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.login_rules import (
    check_login,
)

CHECKOUT = Path(__file__).parents[7]
CHARTS = str(CHECKOUT / "roles" / "hub" / "files" / "charts")
FLEETS = CHECKOUT.parent / "shared" / "data" / "fleets" / "2i2c"
TRAITS = read(CHARTS, versions(CHARTS)[-1]).traits
SECRET = "hunter2"
PROVIDER = "https://idp.example.org/shibboleth"

GITHUB = {
    "JupyterHub": {"authenticator_class": "github"},
    "GitHubOAuthenticator": {"client_id": "a", "client_secret": SECRET, "allowed_organizations": ["uni"]},
}
#: Configurations in which nothing is wrong, with all that looks odd.
RIGHT: dict[str, dict[str, Any]] = {
    "github": GITHUB,
    "entry point in capitals": {**GITHUB, "JupyterHub": {"authenticator_class": "GitHub"}},
    "dotted path": {**GITHUB, "JupyterHub": {"authenticator_class": "oauthenticator.github.GitHubOAuthenticator"}},
    "rule in a parent's section": {**GITHUB, "GitHubOAuthenticator": {}, "OAuthenticator": {"allowed_users": ["ada"]}},
    "trait of the chosen class in a parent's section": {**GITHUB, "Authenticator": {"allowed_organizations": ["x"]}},
    "trait of KubeSpawner in its parent's section": {**GITHUB, "Spawner": {"image": "a:1", "mem_limit": "1G"}},
    "other types": {
        **GITHUB,
        "KubeSpawner": {"cmd": "start", "mem_guarantee": 2**30, "poll_jitter": 1, "uid": None, "volumes": {}},
        "JupyterHub": {"authenticator_class": "github", "log_level": "debug", "allow_named_servers": 1},
    },
    "old name": {**GITHUB, "KubeSpawner": {"image_spec": "a:1"}, "Authenticator": {"whitelist": ["ada"]}},
    "classes of other packages": {**GITHUB, "BinderSpawnerMixin": {"a": 1}, "MyGitHubOAuthenticator": {"b": 2}},
    "class of the hub's own": {
        "JupyterHub": {"authenticator_class": "custom.GitHubAuthenticator", "spawner_class": "custom.KubeSpawnerr"},
        "GitHubAuthenticator": {"anything": True},
        "Authenticator": {"whatever_it_takes": 1},
        "Spawner": {"whatever_it_takes": 1},
        "KubeSpawnerr": {"anything": True},
    },
    "class of the hub's own in a module of nearly the same name": {
        "JupyterHub": {"authenticator_class": "ouroauthenticator.github.GitHubOAuthenticator"},
        "GitHubOAuthenticator": {"client_id": "a"},
    },
    "common settings of another authenticator": {**GITHUB, "CILogonOAuthenticator": {"idps": {}}},
    "temporary users beside settings of another authenticator": {
        "JupyterHub": {"authenticator_class": "tmp"},
        "GitHubOAuthenticator": {"scope": ["read:org"]},
        "Authenticator": {"allow_all": True},
    },
    "old name of a rule": {
        "JupyterHub": {"authenticator_class": "cilogon"},
        "CILogonOAuthenticator": {"allowed_idps": {PROVIDER: {"allow_all": True}}},
    },
    "existing users": {**GITHUB, "GitHubOAuthenticator": {"allow_existing_users": True}},
    "no login": {"JupyterHub": {"authenticator_class": "null"}},
    "Python decides": {"JupyterHub": {"authenticator_class": "pam"}, "Authenticator": {"any_allow_config": True}},
    "first use lets everyone in": {"JupyterHub": {"authenticator_class": "firstuse"}},
}


def problems(check: Any, config: dict[str, Any], **options: Any) -> dict[str, str]:
    """Return what a check says: dotted path -> message."""
    found: dict[str, str] = {}
    check(config, TRAITS, lambda path, message: found.update({".".join(path): message}), **options)
    assert SECRET not in str(found)
    assert "\n" not in str(found.values())
    return found


def github(**sections: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a hub on GitHub, with settings added."""
    return {name: {**GITHUB.get(name, {}), **sections.get(name, {})} for name in {**GITHUB, **sections}}


def login_with(authenticator: str, **sections: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a hub with an authenticator."""
    return {"JupyterHub": {"authenticator_class": authenticator}, **sections}


MEMORY = "an amount of memory such as 512M or 2G (units: K, M, G, T; 1G is what Kubernetes calls 1Gi)"


@pytest.mark.parametrize("config", RIGHT.values(), ids=RIGHT)
def test_what_is_right(config: dict[str, Any]) -> None:
    assert problems(check_config, config) == {}
    assert problems(check_login, config) == {}


def test_unknown_class() -> None:
    assert problems(check_config, github(KubeSpawnr={"image": "a"})) == {
        "KubeSpawnr": "unknown class; did you mean 'KubeSpawner'?"
    }
    messages = list(problems(check_config, github(loadRoles={})).values())
    assert len(messages) == 1 and messages[0].startswith("is not a class: class names begin with a capital letter")


def test_section_is_no_mapping() -> None:
    for value, spoken in ((None, "null"), (["a"], "a list"), ("a", "text")):
        message = problems(check_config, {**GITHUB, "KubeSpawner": value})["KubeSpawner"]
        assert message == f"must be a mapping of traits to values, not {spoken}"


def test_unknown_trait() -> None:
    found = problems(
        check_config,
        github(
            JupyterHub={"admin_acess": True},
            GitHubOAuthenticator={"allowed_organisations": ["uni"], "zzzzzz": 1},
            Authenticator={"allowed_google_groups": {}, "KubeSpawner": {"image": "a"}},
        ),
    )
    assert found == {
        "JupyterHub.admin_acess": "JupyterHub has no such trait; did you mean 'admin_access'?",
        "GitHubOAuthenticator.allowed_organisations": (
            "GitHubOAuthenticator has no such trait; did you mean 'allowed_organizations'?"
        ),
        "GitHubOAuthenticator.zzzzzz": "GitHubOAuthenticator has no such trait",
        # Google's, while GitHub is chosen: nothing would read it.
        "Authenticator.allowed_google_groups": "Authenticator has no such trait; did you mean 'allowed_groups'?",
        "Authenticator.KubeSpawner": "is a class: its section must be next to Authenticator, not inside",
    }


def test_misspelt_trait_of_a_parent_of_an_unknown_class() -> None:
    """What the hub's own class takes is not known, but a near miss of a known name is one."""
    config = login_with("custom.Custom", Authenticator={"admin_user": ["ada"], "own_trait": 1})
    assert problems(check_config, config) == {
        "Authenticator.admin_user": "Authenticator has no such trait; did you mean 'admin_users'?"
    }


def test_removed_trait() -> None:
    config = login_with("cilogon", CILogonOAuthenticator={"shown_idps": [PROVIDER]})
    assert problems(check_config, config) == {"CILogonOAuthenticator.shown_idps": "was removed; use idps"}


@pytest.mark.parametrize(
    ("section", "trait", "value", "message"),
    [
        ("GitHubOAuthenticator", "allowed_organizations", "uni", "must be a list, not text"),
        ("GitHubOAuthenticator", "client_secret", [SECRET], "must be text, not a list"),
        ("GitHubOAuthenticator", "client_secret", None, "must be text, not null"),
        ("JupyterHub", "admin_access", "true", "must be true or false without quotes, not text"),
        ("JupyterHub", "admin_access", 2, "must be true or false, not a whole number"),
        ("JupyterHub", "concurrent_spawn_limit", "64", "must be a whole number, not text"),
        ("JupyterHub", "concurrent_spawn_limit", 6.5, "must be a whole number, not a number"),
        ("JupyterHub", "concurrent_spawn_limit", True, "must be a whole number, not true or false"),
        ("JupyterHub", "user_redirect_hook", "x", "must be a Python function, which only hub.extraConfig can set"),
        ("KubeSpawner", "mem_limit", ["1G"], f"must be {MEMORY}, not a list"),
        ("KubeSpawner", "mem_limit", "1Gi", f"must be {MEMORY}"),
        ("Spawner", "mem_guarantee", "2", f"must be {MEMORY}"),
        ("KubeSpawner", "environment", ["A=1"], "must be a mapping, not a list"),
        ("KubeSpawner", "slug_scheme", "saffe", "must be one of safe, escape; did you mean 'safe'?"),
        ("KubeSpawner", "slug_scheme", None, "must be text, not null"),
    ],
)
def test_wrong_type(section: str, trait: str, value: Any, message: str) -> None:
    found = problems(check_config, github(**{section: {trait: value}}))
    assert list(found) == [f"{section}.{trait}"]
    assert found[f"{section}.{trait}"].startswith(message)


def test_blocked_users_that_block_nobody() -> None:
    """JupyterHub normalizes who logs in, but not blocked_users."""
    names = ["eve", "Mallory", "O'Brien"]
    found = problems(check_config, github(Authenticator={"blocked_users": names}))
    assert list(found) == ["Authenticator.blocked_users.1", "Authenticator.blocked_users.2"]
    assert found["Authenticator.blocked_users.2"].endswith('write "o\'brien"')
    mapped = {"blocked_users": names, "username_map": {"m": "Mallory", "o": "O'Brien"}}
    assert problems(check_config, github(Authenticator=mapped)) == {}
    in_own_section = github(GitHubOAuthenticator={**GITHUB["GitHubOAuthenticator"], "blocked_users": ["Mallory"]})
    assert list(problems(check_config, in_own_section)) == ["GitHubOAuthenticator.blocked_users.0"]


@pytest.mark.parametrize(
    "config",
    [
        {"JupyterHub": {"authenticator_class": "mediawiki"}, "Authenticator": {"blocked_users": ["Mallory"]}},
        {
            "JupyterHub": {"authenticator_class": "pam"},
            "PAMAuthenticator": {"pam_normalize_username": True, "blocked_users": ["Mallory"]},
        },
    ],
)
def test_blocked_users_where_names_keep_their_case(config: dict[str, Any]) -> None:
    assert problems(check_config, config) == {}


def test_wrong_element() -> None:
    """A user name of digits is a number in YAML."""
    found = problems(check_config, github(Authenticator={"admin_users": ["ada", 1234]}))
    assert found == {"Authenticator.admin_users.1": "must be text, not a whole number"}
    google = login_with("google", GoogleOAuthenticator={"allowed_google_groups": {"uni.edu": "staff"}})
    assert problems(check_config, google) == {
        "GoogleOAuthenticator.allowed_google_groups.uni.edu": "must be a list, not text"
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("githb", "unknown authenticator 'githb'; did you mean 'github'?"),
        ("zzzzzz", "unknown authenticator 'zzzzzz'"),
        (
            "oauthenticator.github.GithubOAuthenticator",
            "unknown authenticator 'oauthenticator.github.GithubOAuthenticator'; "
            "did you mean 'oauthenticator.github.GitHubOAuthenticator'?",
        ),
        (None, "must be text, not null"),
    ],
)
def test_unknown_authenticator(value: Any, message: str) -> None:
    config = login_with(value)
    assert problems(check_config, config) == {"JupyterHub.authenticator_class": message}
    assert chosen_authenticator(config, TRAITS) is None
    assert problems(check_login, config) == {}


def test_settings_of_another_authenticator() -> None:
    found = problems(check_config, {**GITHUB, "JupyterHub": {"authenticator_class": "google"}})
    assert found == {
        "GitHubOAuthenticator": "has settings, but the hub's authenticator is GoogleOAuthenticator, which has none; "
        "set JupyterHub.authenticator_class to 'github', or remove them"
    }
    forgotten = problems(check_config, {"GitHubOAuthenticator": GITHUB["GitHubOAuthenticator"]})
    assert "DummyAuthenticator" in forgotten["GitHubOAuthenticator"]


def test_anybody_is_let_in() -> None:
    path = "JupyterHub.authenticator_class"
    for config in (login_with("dummy"), login_with("jupyterhub.auth.DummyAuthenticator")):
        assert problems(check_login, config) == {
            path: "dummy allows anybody to log in as anybody; choose another authenticator"
        }
        assert problems(check_login, config, demonstration=True) == {}
    assert problems(check_login, {})[path].startswith("is not set, and the chart's default, dummy, allows anybody")


@pytest.mark.parametrize(
    ("authenticator", "sections", "start", "rule"),
    [
        ("github", {}, "nobody is allowed", "allowed_organizations"),
        ("github", {"Authenticator": {"admin_users": ["ada"]}}, "nobody but admins is allowed", "allow_all"),
        ("github", {"GitHubOAuthenticator": {"allowed_organizations": []}}, "nobody is", "allowed_organizations"),
        ("github", {"GoogleOAuthenticator": {"allow_all": True}}, "nobody is allowed", "allow_all"),
        # The section of the class itself wins.
        (
            "github",
            {"Authenticator": {"allow_all": True}, "GitHubOAuthenticator": {"allow_all": False}},
            "nobody is allowed",
            "allow_all",
        ),
        (
            "cilogon",
            {"CILogonOAuthenticator": {"idps": {PROVIDER: {"allowed_domains": []}}}},
            "nobody is allowed",
            "allow_all or allowed_domains in idps",
        ),
        ("cilogon", {"CILogonOAuthenticator": {"username_claim": "email"}}, "nobody is allowed", "idps"),
        # JupyterHub itself does not let in admins whom no rule lets in.
        ("native", {"Authenticator": {"admin_users": ["ada"]}}, "nobody is allowed", "allowed_users"),
        ("ltiauthenticator.lti13.auth.LTI13Authenticator", {}, "nobody is allowed", "allow_all"),
        ("native", {"NativeAuthenticator": {"allowed_failed_logins": 3, "allow_2fa": True}}, "nobody is", "allow_all"),
        ("firstuse", {"Authenticator": {"allow_all": False}}, "nobody is allowed", "allow_all"),
        ("tmp", {}, "nobody is allowed", "allow_all"),
    ],
)
def test_nobody_is_let_in(authenticator: str, sections: dict[str, Any], start: str, rule: str) -> None:
    found = problems(check_login, login_with(authenticator, **sections))
    assert list(found) == ["JupyterHub.authenticator_class"]
    assert found["JupyterHub.authenticator_class"].startswith(start)
    assert rule in found["JupyterHub.authenticator_class"].split("set one of ")[1]


@pytest.mark.parametrize(
    ("authenticator", "section", "settings"),
    [
        ("github", "GitHubOAuthenticator", {"allowed_organizations": ["uni"]}),
        ("github", "OAuthenticator", {"allowed_groups": ["staff"], "manage_groups": True}),
        ("gitlab", "GitLabOAuthenticator", {"allowed_project_ids": [7]}),
        ("google", "GoogleOAuthenticator", {"allowed_google_groups": {"uni.edu": ["staff"]}}),
        ("globus", "GlobusOAuthenticator", {"allowed_globus_groups": ["a"]}),
        ("bitbucket", "BitbucketOAuthenticator", {"allowed_teams": ["a"]}),
        ("generic-oauth", "GenericOAuthenticator", {"allowed_scopes": ["hub"]}),
        ("cilogon", "CILogonOAuthenticator", {"idps": {PROVIDER: {"allowed_domains": ["uni.edu"]}}}),
        ("ldap", "LDAPAuthenticator", {"allowed_groups": ["a"]}),
        ("pam", "LocalAuthenticator", {"allowed_groups": ["a"]}),
        ("shared-password", "Authenticator", {"allow_all": True}),
    ],
)
def test_somebody_is_let_in(authenticator: str, section: str, settings: dict[str, Any]) -> None:
    assert problems(check_login, login_with(authenticator, **{section: settings})) == {}


def test_rules_that_say_nothing() -> None:
    message = "has no effect, since allow_all allows everyone; remove one of them"
    named = github(Authenticator={"allow_all": True, "allowed_users": ["ada"]})
    assert problems(check_login, named) == {
        "Authenticator.allowed_users": message,
        "GitHubOAuthenticator.allowed_organizations": message,
    }
    domains = {"allowed_domains": ["uni.edu"]}
    path = f"CILogonOAuthenticator.idps.{PROVIDER}.allowed_domains"
    for everywhere, provider in (({"allow_all": True}, {}), ({}, {"allow_all": True})):
        config = login_with(
            "cilogon", Authenticator=everywhere, CILogonOAuthenticator={"idps": {PROVIDER: {**domains, **provider}}}
        )
        assert problems(check_login, config) == {path: message}


def hub_values(directory: Path, files: list[str]) -> dict[str, Any]:
    """Return hub.config as Helm merges it from a hub's files, without the encrypted ones."""
    merged: dict[str, Any] = {}
    for name in files:
        if (directory / name).exists() and not name.startswith("enc-"):
            values = yaml.safe_load((directory / name).read_text(encoding="utf-8")) or {}
            values = values.get("basehub", values).get("jupyterhub", {}).get("hub", {}).get("config", {})
            for section, settings in values.items():
                merged[section] = {**merged.get(section, {}), **settings}
    return merged


@pytest.mark.skipif(not FLEETS.exists(), reason="the fleets of others are not beside this checkout")
def test_real_hubs() -> None:
    """Nothing is said about the hubs of ten real clusters but what is wrong with them."""
    found = set()
    hubs = 0
    for file in sorted(FLEETS.glob("*/cluster.yaml")):
        for hub in yaml.safe_load(file.read_text(encoding="utf-8")).get("hubs", []):
            hubs += 1
            config = hub_values(file.parent, hub["helm_chart_values_files"])
            said = {**problems(check_config, config), **problems(check_login, config)}
            found |= {(file.parent.name, hub["name"], path) for path in said}
    path = "JupyterHub.authenticator_class"
    assert hubs > 20
    # On staging, Python in hub.extraConfig adds the staff; orcid-demo is for its admins; binder is for nobody.
    assert found == {
        ("2i2c", "staging", path),
        ("2i2c-aws-us", "orcid-demo", path),
        ("2i2c-aws-us", "staging", path),
        ("hhmi", "binder", path),
    }
