# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a hub's values becomes options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.catalogues import Catalogues
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.reconcile import ReconciledHub, reconcile
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.sources import Source, ValuesFiles
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import CODE

BASE = {"cluster_platform": "kubernetes", "hub_defaults_source": "chart"}


def imported(wanted: dict[str, Any]) -> tuple[ReconciledHub, Catalogues]:
    """Return a hub and its catalogues."""
    catalogues = Catalogues()
    return reconcile(Source("cluster", "hub", "production", wanted, ValuesFiles()), catalogues, CODE, {}), catalogues


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return a value at a place."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("path", "value", "variables"),
    [
        ("singleuser.startTimeout", 300, {"hub_start_timeout": "5m"}),
        ("hub.activeServerLimit", 50, {"hub_active_server_limit": 50}),
        ("singleuser.defaultUrl", "/lab", {"hub_interface": "lab"}),
        ("singleuser.defaultUrl", "/rstudio", {"hub_interface": "/rstudio"}),
        ("cull.timeout", 3600, {"hub_idle_timeout": "1h"}),
        ("cull.enabled", False, {"hub_idle_timeout": "never"}),
        ("cull.maxAge", 0, {"hub_maximum_age": "never"}),
        ("hub.config.Authenticator.admin_users", ["ada"], {"hub_admins": ["ada"]}),
        ("hub.config.Authenticator.allow_all", True, {"hub_allow_everyone": True}),
        ("hub.config.JupyterHub.authenticator_class", "cilogon", {"hub_authenticator": "cilogon"}),
        (
            "hub.config.JupyterHub.authenticator_class",
            "tmp",
            {"hub_authenticator": "tmp", "hub_demonstration": True},
        ),
        ("singleuser.extraEnv", {"A": "1"}, {"hub_environment_variables": {"A": "1"}}),
        ("singleuser.extraEnv", {"A": "{{$$(B)}}"}, {"hub_environment_variables": {"A": "{$(B)}"}}),
        ("singleuser.storage.homeMountPath", "/home/{{x}}", {"hub_home_mount_path": "/home/{x}"}),
        (
            "singleuser.extraEnv",
            {"SCRATCH": "s3://bucket/$(JUPYTERHUB_USER)"},
            {"hub_buckets": {"SCRATCH": "s3://bucket"}},
        ),
        (
            "singleuser.networkPolicy.egressAllowRules",
            {"privateIPs": False},
            {"hub_user_egress": {"private": False}},
        ),
        (
            "singleuser.storage.extraVolumeMounts.shared",
            {"name": "home", "mountPath": "/shared", "subPath": "_common_variables"},
            {"hub_shared_directories": {"shared": {"path": "/shared", "subpath": "_common_variables"}}},
        ),
        (
            "singleuser.storage",
            {
                "extraVolumes": {"scratch": {"name": "scratch", "emptyDir": {}}},
                "extraVolumeMounts": {"scratch": {"name": "scratch", "mountPath": "/scratch"}},
            },
            {"hub_volumes": {"scratch": {"path": "/scratch", "volume": {"emptyDir": {}}}}},
        ),
        ("singleuser.storage.type", "none", {"hub_home_storage": "none"}),
        (
            "singleuser.storage",
            {"type": "static", "static": {"pvcName": "homes", "subPath": "{username}"}},
            {"hub_home_storage": "claim", "hub_home_claim": "homes", "hub_home_subpath": "{username}"},
        ),
        (
            "singleuser.extraFiles.a",
            {"mountPath": "/etc/a", "stringData": "text"},
            {"hub_files": {"a": {"path": "/etc/a", "content": "text"}}},
        ),
        (
            "hub.services.grader",
            {"url": "http://grader", "apiToken": "token"},
            {"hub_services": [{"name": "grader", "url": "http://grader", "api_token": "token"}]},
        ),
        ("hub.loadRoles.user", {"scopes": ["self"]}, {"hub_roles": [{"name": "user", "scopes": ["self"]}]}),
    ],
)
def test_values_that_options_say(path: str, value: Any, variables: dict[str, Any]) -> None:
    made, _catalogues = imported(nested(path, value))
    assert made.variables == {**variables, **BASE}
    assert made.helm_values == {}
    assert made.option_count > 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("singleuser.startTimeout", "300"),
        ("singleuser.startTimeout", 300.0),
        ("singleuser.startTimeout", None),
        ("singleuser.startTimeout", 5),
        ("singleuser.startTimeout", {}),
        ("singleuser", None),
        ("hub", None),
        ("hub.config.Authenticator.admin_users", ["ada", "ada"]),
        ("hub.config.Authenticator.admin_users", ["ada", 1]),
        ("hub.config.JupyterHub.authenticator_class", "null"),
        ("singleuser.extraEnv.A", 1),
        ("singleuser.extraEnv.A", {"valueFrom": {}}),
        ("singleuser.extraEnv.A", "{username}"),
        ("singleuser.extraEnv.A", "$(B)"),
        ("singleuser.storage.homeMountPath", "/home/{username}"),
        ("singleuser.extraEnv", []),
        ("singleuser.storage.extraVolumeMounts", [{"name": "home", "mountPath": "/a"}]),
        ("singleuser.storage.extraVolumeMounts.a", {"name": "home", "mountPath": "/a", "other": 1}),
        ("singleuser.storage.type", "static"),
        ("hub.templateVars.hub_title", "Title"),
        ("hub.services.grader", {"command": ["run"], "cwd": "/srv"}),
        ("hub.loadRoles.X", {"scopes": ["self"]}),
        ("singleuser.image", {"name": "quay.io/a/b", "tag": 1.0}),
        ("singleuser.cpu.limit", 0),
        ("custom.anything", {"a": []}),
    ],
)
def test_values_that_options_cannot_say(path: str, value: Any) -> None:
    made, _catalogues = imported(nested(path, value))
    assert made.variables == BASE
    assert made.helm_values == nested(path, value)
    assert made.option_count == 0


def test_settings_of_the_chosen_authenticator() -> None:
    wanted = {
        "hub": {
            "config": {
                "JupyterHub": {"authenticator_class": "github", "admin_access": False},
                "GitHubOAuthenticator": {
                    "client_id": "abc",
                    "allowed_organizations": ["org:team"],
                    "some_trait": [1],
                    "scope": "read:org",
                },
                "GoogleOAuthenticator": {"client_id": "other"},
            }
        }
    }
    made, _catalogues = imported(wanted)
    assert made.variables == {
        "hub_authenticator": "github",
        "hub_authenticator_settings": {"client_id": "abc", "some_trait": [1]},
        "hub_allowed_organizations": ["org:team"],
        **BASE,
    }
    # The scope is text, which that setting is not; the other authenticator is not the hub's.
    assert made.helm_values == {
        "hub": {
            "config": {
                "JupyterHub": {"admin_access": False},
                "GitHubOAuthenticator": {"scope": "read:org"},
                "GoogleOAuthenticator": {"client_id": "other"},
            }
        }
    }


def test_image_and_size_of_every_session() -> None:
    wanted = {
        "singleuser": {
            "image": {"name": "quay.io/a/notebook", "tag": "1", "pullPolicy": "Always"},
            "memory": {"limit": "2G", "guarantee": 1073741824},
            "cpu": {"limit": 2, "guarantee": 0.5},
        }
    }
    made, catalogues = imported(wanted)
    assert made.variables == {"hub_environments": ["notebook"], "hub_sizes": ["2g-2cpu"], **BASE}
    assert made.helm_values == {}
    assert catalogues.needed([made.variables]) == {
        "hub_environment_catalogue": {"notebook": {"image": "quay.io/a/notebook:1", "image_pull_policy": "Always"}},
        "hub_size_catalogue": {
            "2g-2cpu": {"memory": "2G", "memory_guarantee": 1073741824, "cpu": 2, "cpu_guarantee": 0.5}
        },
    }


def test_one_wrong_entry_does_not_cost_the_others() -> None:
    made, _catalogues = imported(
        {
            "singleuser": {
                "extraEnv": {"GOOD": "1", "bad name": "2", "NUMBER": 3},
                "extraFiles": {
                    "good": {"mountPath": "/a", "stringData": "a"},
                    "binary": {"mountPath": "/b", "binaryData": "YQ=="},
                },
            }
        }
    )
    assert made.variables["hub_environment_variables"] == {"GOOD": "1"}
    assert list(made.variables["hub_files"]) == ["good"]
    assert made.helm_values == {
        "singleuser": {
            "extraEnv": {"bad name": "2", "NUMBER": 3},
            "extraFiles": {"binary": {"mountPath": "/b", "binaryData": "YQ=="}},
        }
    }


def test_a_rule_between_options_costs_only_one_of_them() -> None:
    made, _catalogues = imported({"cull": {"timeout": 7200, "maxAge": 3600}})
    assert made.variables == {"hub_idle_timeout": "2h", **BASE}
    assert made.helm_values == {"cull": {"maxAge": 3600}}
