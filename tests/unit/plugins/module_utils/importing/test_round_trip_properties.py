# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever values a hub has, it has the very same ones once it is imported."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.reconcile import expected_values
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    same,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.settings import (
    RULES,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.placeholders import PLACEHOLDER
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CODE,
    import_tree,
    values_of,
)

hypothesis = pytest.importorskip("hypothesis")
given, settings, st = hypothesis.given, hypothesis.settings, hypothesis.strategies
SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)

WORDS = [
    "",
    "a",
    "y",
    "1e3",
    "08",
    "null",
    "2024-04-08",
    "1:30",
    "{{ x }}",
    "{% x %}",
    "{# x #}",
    "two\nlines\n",
    "  led\n\n",
    "\ttab\n",
    "crlf\r\n",
    "\x85\u2028",
    "🚀",
    "!unsafe x",
    "$ANSIBLE_VAULT;1.1;AES256",
    "-----BEGIN PRIVATE KEY-----\nabc\n",
    "https://u:p@example.org/",
    "s3://bucket/$(JUPYTERHUB_USER)",
    "/lab",
    "/tree",
    "1G",
    "10Gi",
    "image:tag",
    "github",
    "cilogon",
    "generic-oauth",
    "native",
    "tmp",
    "dynamic",
    "static",
    "none",
    "home",
    "/path",
    "quay.io/a/b",
    "hub.example.org",
]
TEXT = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-2, 2**33) | st.sampled_from([0.5, 1.0, 3600, 2]) | TEXT
#: Keys that options know of, so that arbitrary values come near real ones.
PLACES = sorted(
    {rule.path for rule in RULES}
    | {
        "hub.config.JupyterHub.authenticator_class",
        "hub.config.GitHubOAuthenticator",
        "hub.config.GitHubOAuthenticator.client_secret",
        "hub.config.GitHubOAuthenticator.allowed_organizations",
        "hub.config.CILogonOAuthenticator.username_claim",
        "hub.config.NativeAuthenticator.allowed_failed_logins",
        "hub.config.GenericOAuthenticator.allowed_groups",
        "hub.config.Authenticator.admin_users",
        "hub.config.Authenticator.allow_all",
        "hub.extraConfig.hubfleet-allowed-groups",
        "hub.extraConfig",
        "hub.services.a",
        "hub.services.a.apiToken",
        "hub.services.a.display",
        "hub.loadRoles.user",
        "hub.loadRoles.user.scopes",
        "cull.enabled",
        "cull.timeout",
        "singleuser",
        "singleuser.image.name",
        "singleuser.image.tag",
        "singleuser.memory.limit",
        "singleuser.memory.guarantee",
        "singleuser.cpu.limit",
        "singleuser.extraEnv.A",
        "singleuser.extraFiles.f",
        "singleuser.extraFiles.f.mountPath",
        "singleuser.extraFiles.f.stringData",
        "singleuser.storage.type",
        "singleuser.storage.static.pvcName",
        "singleuser.storage.dynamic.storageClass",
        "singleuser.storage.extraVolumes.v.name",
        "singleuser.storage.extraVolumes.v.emptyDir",
        "singleuser.storage.extraVolumeMounts.v.name",
        "singleuser.storage.extraVolumeMounts.v.mountPath",
        "singleuser.storage.extraVolumeMounts.v.readOnly",
        "singleuser.networkPolicy.egressAllowRules.privateIPs",
        "singleuser.profileList",
        "ingress.enabled",
        "ingress.hosts",
        "ingress.tls",
        "ingress.annotations",
        "proxy.https.enabled",
        "proxy.https.hosts",
    }
)
KEYS = st.sampled_from(["a", "name", "display_name", "enabled", "a.b/c", "{{ k }}", "1", "true", "password"])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)

OVERRIDES = st.dictionaries(
    st.sampled_from(
        ["image", "mem_limit", "mem_guarantee", "cpu_limit", "default_url", "environment", "node_selector", "other"]
    ),
    TREES | st.sampled_from(["image:tag", "1G", "2G", 1, {"a": "b"}]),
    max_size=4,
)
CHOICES = st.fixed_dictionaries(
    {"display_name": TEXT},
    optional={
        "kubespawner_override": OVERRIDES,
        "default": st.booleans(),
        "description": TEXT,
        "allowed_groups": st.just(["g"]) | TREES,
        "slug": TEXT,
    },
)
PROFILES = st.fixed_dictionaries(
    {"display_name": TEXT},
    optional={
        "slug": TEXT,
        "default": st.booleans() | st.none(),
        "description": TEXT,
        "allowed_groups": st.just(["g"]) | TREES,
        "kubespawner_override": OVERRIDES | TREES,
        "profile_options": TREES
        | st.dictionaries(
            st.sampled_from(["image", "size", "requests", "a b"]),
            st.fixed_dictionaries(
                {"display_name": st.sampled_from(["Image", "Size", "", "X"])},
                optional={
                    "choices": st.dictionaries(st.sampled_from(["a", "A", "a_b", "c d", "e"]), CHOICES, max_size=3),
                    "unlisted_choice": TREES
                    | st.just({"enabled": True, "kubespawner_override": {"image": "{value}"}})
                    | st.just(
                        {
                            "enabled": True,
                            "display_name": "Other",
                            "validation_regex": ".*",
                            "validation_message": "no",
                            "kubespawner_override": {"image": "{value}"},
                        }
                    ),
                },
            ),
            max_size=3,
        ),
        "extra": TREES,
    },
)


def _tree(places: list[tuple[str, Any]], profiles: list[Any]) -> dict[str, Any]:
    """Put values at places; where one is in the way of another, the later one stays."""
    made: dict[str, Any] = {}
    for path, value in [*places, *([("singleuser.profileList", profiles)] if profiles else [])]:
        inner = made
        *folders, last = path.split(".")
        for key in folders:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[last] = value
    return made


LISTS = st.lists(TEXT, max_size=2)
VALUES = st.builds(
    _tree,
    st.lists(st.tuples(st.sampled_from(PLACES) | KEYS, SCALARS | LISTS | TREES), max_size=12),
    st.lists(PROFILES, max_size=3),
)


def _plain(value: Any) -> bool:
    """Tell whether a value has nothing that validation reports."""
    if isinstance(value, dict):
        return all(map(_plain, value.values()))
    if isinstance(value, list):
        return all(map(_plain, value))
    return not isinstance(value, str) or PLACEHOLDER.search(value) is None


def _round_trip(clusters: dict[str, dict[str, Any]]) -> None:
    hypothesis.assume(_plain(clusters))
    with tempfile.TemporaryDirectory() as directory:
        imported = import_tree(Path(directory), clusters)
        values = values_of(Path(directory) / "fleet")
    names = {(hub.source_cluster, hub.source_hub): hub.name for hub in imported.report.hubs}
    for cluster, hubs in clusters.items():
        for hub, wanted in hubs.items():
            assert same(values[names[cluster, hub]], expected_values(wanted, CODE)), (cluster, hub)


@SETTINGS
@given(VALUES)
def test_one_hub(wanted: dict[str, Any]) -> None:
    _round_trip({"one": {"hub": wanted}})


@SETTINGS
@given(VALUES, VALUES, VALUES, VALUES)
def test_hubs_that_share(shared: dict[str, Any], one: dict[str, Any], two: dict[str, Any], three: Any) -> None:
    _round_trip(
        {
            "alpha": {"staging": {**one, **shared}, "prod": {**two, **shared}},
            "beta": {"staging": {**shared, **one}, "prod": shared, "third": {**three, **shared}},
            "gamma": {"only": {**two, **shared}},
        }
    )
