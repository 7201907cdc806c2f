# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is masked in nested values, by their place and by secret texts, now and before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.places import CHART_SECRETS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor


def redactor(*secrets: str) -> Redactor:
    return Redactor(secret_texts=lambda: secrets)


def environment(**variables: Any) -> dict[str, Any]:
    return {"title": "Hub", "traits": {"Spawner": {"environment": variables}}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Rotated, added, removed, no longer encrypted.
        (environment(T="old"), environment(T="secret"), (environment(T="***"), environment(T="***"))),
        (environment(), environment(T="secret"), (environment(), environment(T="***"))),
        (environment(T="old"), environment(), (environment(T="***"), environment())),
        (environment(T="old"), environment(T="plain"), (environment(T="***"), environment(T="plain"))),
        # Inside of other text, as in an address.
        ({}, {"url": "https://me:secret@host"}, ({}, {"url": "***"})),
        ({"key": "secret"}, {"key": "plain"}, ({"key": "***"}, {"key": "plain"})),
        ({"key": "old"}, {"key": "secret"}, ({"key": "***"}, {"key": "***"})),
        ({"keys": ["old", "a"]}, {"keys": ["secret", "a"]}, ({"keys": ["***", "a"]}, {"keys": ["***", "a"]})),
        ({"keys": ["old"]}, {"keys": ["a", "secret"]}, ({"keys": ["***"]}, {"keys": ["a", "***"]})),
        ({"key": {"in": "old"}}, {"key": "secret"}, ({"key": {"in": "***"}}, {"key": "***"})),
        # What is no secret is shown.
        ({"a": [1, {"b": None}]}, {"a": [2, {"b": True}]}, ({"a": [1, {"b": None}]}, {"a": [2, {"b": True}]})),
    ],
)
def test_both_sides_of_a_change(before: Any, after: Any, expected: tuple[Any, Any]) -> None:
    assert redactor("secret").mask_change(before, after) == expected


def test_messages() -> None:
    mask = redactor("on", "secret").mask_text
    assert mask("'on' is not a duration; once") == "*** is not a duration; once"
    assert mask("not the str 'a-secret-b': on") == "not the str 'a-***-b': on"


def test_lines() -> None:
    text = "a = 1\n  helm --repo https://me:old@charts.example.org\nb = 'secret'\n"
    assert redactor("secret").mask_lines(text) == "a = 1\n***\n***\n"


def test_short_texts_only_mask_themselves() -> None:
    assert redactor("on").mask({"a": "on", "b": "once"}) == {"a": "***", "b": "once"}


SECRET = "hunter2-and-more"


def test_every_secret_is_hidden() -> None:
    for key in CHART_SECRETS:
        assert Redactor().mask({"hub": {key: SECRET, "shown": "x"}}) == {"hub": {key: "***", "shown": "x"}}, key


@pytest.mark.parametrize(
    "values",
    [
        {"hub": {"services": {"grader": {"apiToken": SECRET}}}},
        {"hub": {"db": {"password": SECRET}, "cookieSecret": SECRET}},
        {"hub": {"db": {"url": f"postgresql://hub:{SECRET}@db.example.org/hub"}}},
        {"hub": {"config": {"CryptKeeper": {"keys": [SECRET]}}}},
        {
            "hub": {
                "config": {"JupyterHub": {"cookie_secret": SECRET, "services": [{"name": "a", "api_token": SECRET}]}}
            }
        },
        {"hub": {"config": {"LDAPAuthenticator": {"lookup_dn_search_password": SECRET}}}},
        {"hub": {"config": {"ConfigurableHTTPProxy": {"auth_token": SECRET}}}},
        {"proxy": {"secretToken": SECRET, "https": {"manual": {"key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}"}}}},
        {"imagePullSecret": {"password": SECRET}},
        {
            "hub": {
                "extraFiles": {"a": {"stringData": SECRET}, "b": {"binaryData": SECRET}, "c": {"data": {"x": SECRET}}}
            }
        },
        {"hub": {"extraEnv": {"LDAP_PASSWORD": SECRET}}},
        {"hub": {"extraEnv": {"API_TOKEN": {"value": SECRET}}}},
        {"singleuser": {"extraEnv": {"AWS_SECRET_ACCESS_KEY": SECRET}}},
        {"singleuser": {"extraEnv": [{"name": "MY_PASSWORD", "value": SECRET}]}},
        {"hub": {"config": {"KubeSpawner": {"environment": {"MY_PASSWORD": SECRET}}}}},
        {"hub_environment_variables": {"MY_PASSWORD": SECRET}},
        {"gateway": {"auth": {"jupyterhub": {"apiToken": SECRET}}}},
        {"config": {"DockerRegistry": {"password": SECRET}}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_secrets_are_hidden_wherever_charts_have_them(values: dict[str, Any]) -> None:
    assert SECRET not in json.dumps(Redactor().mask(values))
    assert "***" in json.dumps(Redactor().mask(values))


def test_what_is_no_secret_is_shown() -> None:
    values: dict[str, Any] = {
        "hub": {
            "config": {"GitHubOAuthenticator": {"client_id": "abc", "client_secret": ""}},
            "extraEnv": {
                "LANG": "de",
                "URL": "https://example.org/",
                "API_TOKEN": {"valueFrom": {"secretKeyRef": {"name": "tokens", "key": "api"}}},
            },
            "extraFiles": {"a": {"mountPath": "/a", "mode": 420}},
            "a": [1, None],
        }
    }
    assert Redactor().mask(values) == values


@pytest.mark.parametrize(
    ("earlier", "now", "shown"),
    [
        ({"password": SECRET}, {"password": "new"}, {"password": "***"}),
        ({"a": "x", "b": 1, "c": None}, {"a": "y", "b": 2, "c": 3}, {"a": "x", "b": 1, "c": None}),
        ({"a": SECRET, "b": True}, {}, {"a": "***", "b": True}),
        ({"a": SECRET}, {"a": ""}, {"a": "***"}),
        ({"a": {"b": SECRET}}, {"a": "***"}, {"a": {"b": "***"}}),
        ({"a": {"b": SECRET}}, {"a": "x"}, {"a": {"b": "***"}}),
        ({"a": SECRET}, {"a": {"b": "x"}}, {"a": "***"}),
        ({"a": ["x", SECRET]}, {"a": ["***", "x"]}, {"a": ["x", "***"]}),
        ({"a": ["x", "y"]}, {"a": ["y"]}, {"a": ["x", "y"]}),
        (
            {"a": [{"n": 1, "v": SECRET}]},
            {"a": [{"n": 2, "v": "x"}, {"n": 1, "v": "***"}]},
            {"a": [{"n": 1, "v": "***"}]},
        ),
        ([SECRET], {}, ["***"]),
    ],
)
def test_what_a_secret_was_is_hidden(earlier: Any, now: Any, shown: Any) -> None:
    assert Redactor().mask_change(earlier, now)[0] == shown
