# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values: whatever stands in an inventory is accepted or reported; nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.authenticators import AUTHENTICATORS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.values import check_value
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import (
    SOUND,
    SOUND_ON_KUBERNETES,
    lines,
    sound_for,
)

hypothesis = pytest.importorskip("hypothesis")
given, settings, st = hypothesis.given, hypothesis.settings, hypothesis.strategies
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
#: For tests that run for each option.
FEWER = settings(SETTINGS, max_examples=20)


def _keys(options: Any) -> set[str]:
    """Every key that the schema knows somewhere, so that arbitrary mappings come near real ones."""
    found = set()
    for option in options:
        found |= {option.name, *_keys(option.options)}
        if option.elements:
            found |= _keys((option.elements,))
    return found


KEYS = sorted(_keys(OPTIONS.values()) | _keys(s for a in AUTHENTICATORS for s in a.settings) - {""})
WORDS = st.sampled_from(
    [
        "",
        " ",
        "python",
        "small",
        "http://[",
        "http://x:99999999/",
        "\0",
        "~/",
        "/..",
        "((((",
        "-1",
        "1" * 400,
        "1e999",
        "CHANGEME",
        "ENC[AES256_GCM,",
        "{{",
        "ada",
        "https://hub.example.org/",
        "2G",
        "never",
        "true",
        "\ud800",
        "x = '",
        "a\nb",
        "github",
        "google",
        "cilogon",
        "generic-oauth",
        "lti",
        "native",
        "tmp",
        "dummy",
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), WORDS, st.text(max_size=20))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", OPTIONS)
def test_any_value_of_any_variable(name: str) -> None:
    """Accepted or reported, alone and beside a sound neighbour; one line each."""

    @FEWER
    @given(VALUES)
    def check(value: Any) -> None:
        reported: list[tuple[Any, ...]] = []
        checked = check_value(OPTIONS[name], value, lambda path, message: reported.append((path, message)))
        assert checked is not None or reported
        for sound in sound_for(OPTIONS[name]):
            address = {"hub_port": 8100} if sound is SOUND else {"hub_domain": "beta.example.org"}
            found = lines({**sound, name: value}, beta={**sound, **address})
            assert all("\n" not in line for line in found)
            if value is None and sound is SOUND and name in SOUND and not name.endswith(("catalogue", "users")):
                assert any("is not set" in line for line in found)

    check()


@pytest.mark.parametrize("authenticator", [authenticator.name for authenticator in AUTHENTICATORS])
def test_any_settings_of_any_authenticator(authenticator: str) -> None:
    @SETTINGS
    @given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.sampled_from([True, False, None]))
    def check(given_settings: dict[str, Any], everyone: Any) -> None:
        lines(
            {
                **SOUND,
                "hub_authenticator": authenticator,
                "hub_authenticator_settings": given_settings,
                "hub_allow_everyone": everyone,
            }
        )

    check()


@SETTINGS
@given(st.dictionaries(st.sampled_from(sorted(OPTIONS)), VALUES, max_size=8))
def test_any_variables_together(variables: dict[str, Any]) -> None:
    lines({**SOUND, **variables}, beta=variables)
    lines({**SOUND_ON_KUBERNETES, **variables}, beta=variables)
    lines(variables)


@SETTINGS
@given(st.dictionaries(st.sampled_from(["client_secret", "api_token"]), VALUES, max_size=2), VALUES)
def test_secrets_never_appear(secrets: dict[str, Any], other: Any) -> None:
    """A marked secret, in its place or in that of a whole mapping, is in no message."""
    marked = dict.fromkeys(secrets, "s3cr3t-value")
    for value in ({**marked, "name": other}, [{**marked, "name": other}], [marked], "s3cr3t-value", ["s3cr3t-value"]):
        for name in ("hub_services", "hub_authenticator_settings"):
            assert "s3cr3t-value" not in "".join(lines({**SOUND, "hub_authenticator": "github", name: value}))
        for name in ("hub_services", "hub_authenticator_settings", "hub_helm_values", "hub_addons", "hub_profiles"):
            variables = {**SOUND_ON_KUBERNETES, "hub_authenticator": "github", name: value}
            assert "s3cr3t-value" not in "".join(lines(variables))


@SETTINGS
@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=30))
def test_nearest_names_only_what_there_is(name: str, known: list[str]) -> None:
    text = nearest(name, known)
    if "did you mean" in text:
        assert any(repr(valid) in text for valid in known)
    if len(known) <= 12:
        assert all(valid in text for valid in known)
