# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are generated on the cluster."""

from __future__ import annotations

import base64

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import value_at
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.generated import (
    COOKIE_SECRET,
    CRYPT_KEYS,
    PROXY_TOKEN,
    complete,
)

TOKEN = ("hub", "services", "metrics", "apiToken")
VALUES = {"hub": {"services": {"metrics": {"display": False}, "own": {"apiToken": "mine"}}}}


def test_all_are_generated_once() -> None:
    values, generated = complete(VALUES, {}, {})
    assert all(value_at(values, place) for place in (COOKIE_SECRET, CRYPT_KEYS, PROXY_TOKEN, TOKEN))
    assert value_at(values, ("hub", "services", "own", "apiToken")) == "mine"
    assert sorted(generated) == sorted(".".join(place) for place in (COOKIE_SECRET, CRYPT_KEYS, PROXY_TOKEN, TOKEN))
    assert len({str(value) for value in generated.values()}) == 4
    assert complete(VALUES, generated, {}) == (values, generated)
    assert "apiToken" not in VALUES["hub"]["services"]["metrics"], "the values of the inventory stay as they are"


def test_what_the_inventory_sets_is_not_generated() -> None:
    given = {"hub": {"config": {"JupyterHub": {"cookie_secret": "ab"}}}, "proxy": {"secretToken": "cd"}}
    values, generated = complete(given, {}, {})
    assert value_at(values, COOKIE_SECRET) == "ab"
    assert value_at(values, PROXY_TOKEN) is None, "the chart takes the older place"
    assert list(generated) == [".".join(CRYPT_KEYS)]


def test_what_the_chart_generated_stays_valid() -> None:
    of_chart = {
        ".".join(COOKIE_SECRET): base64.b64encode(b"cookies").decode(),
        ".".join(CRYPT_KEYS): base64.b64encode(b"new;old").decode(),
        ".".join(TOKEN): base64.b64encode(b"token").decode(),
    }
    values, generated = complete(VALUES, {}, of_chart)
    assert value_at(values, COOKIE_SECRET) == "cookies"
    assert value_at(values, CRYPT_KEYS) == ["new", "old"]
    assert value_at(values, TOKEN) == "token"
    assert complete(VALUES, generated, {})[0] == values, "also without the chart's Secret"
