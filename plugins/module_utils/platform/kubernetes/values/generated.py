# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are generated on the cluster and given to the chart.

The chart generates them, too, but in a way that restarts hub and proxy with the first upgrade. Nothing restarts where
they are given (values.yaml of the chart: hub.config and hub.services).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from typing import Any

from ....common.nested import value_at
from .layers import Values, merge

#: A place in the values of the chart.
Path = tuple[str, ...]

_CONFIG = ("hub", "config")
COOKIE_SECRET = (*_CONFIG, "JupyterHub", "cookie_secret")
CRYPT_KEYS = (*_CONFIG, "CryptKeeper", "keys")
PROXY_TOKEN = (*_CONFIG, "ConfigurableHTTPProxy", "auth_token")
#: Where operators may set the token of the proxy, too.
_PROXY_TOKEN_ALIAS = ("proxy", "secretToken")


def places(values: Values) -> list[Path]:
    """Return the places of all secrets that the chart would generate for a hub, whether or not they are set."""
    services = value_at(values, ("hub", "services")) or {}
    tokens = [("hub", "services", name, "apiToken") for name, service in services.items() if service is not None]
    return [COOKIE_SECRET, CRYPT_KEYS, PROXY_TOKEN, *tokens]


def missing(values: Values) -> Iterator[Path]:
    """Yield the places that the values do not set."""
    for place in places(values):
        given = value_at(values, place)
        if place == PROXY_TOKEN:
            given = given or value_at(values, _PROXY_TOKEN_ALIAS)
        if not given:
            yield place


def complete(values: Values, known: dict[str, Any], of_chart: dict[str, str]) -> tuple[Values, dict[str, Any]]:
    """Return values with all secrets, and those among them that the values do not set, by place written with dots.

    known: the ones that were generated earlier. of_chart: the content of the chart's own Secret, which a hub has that
    was deployed without this collection: what it generated stays valid.
    """
    generated: dict[str, Any] = {}
    added: Values = {}
    for place in missing(values):
        name = ".".join(place)
        value = known.get(name) or _from_chart(place, of_chart) or _new(place)
        generated[name] = value
        added = merge(added, _nested(place, value))
    return merge(values, added), generated


def _from_chart(place: Path, content: dict[str, str]) -> Any:
    """Return what the chart's Secret has for a place; its keys are the places with dots, values encoded in base64."""
    encoded = content.get(".".join(place))
    if not encoded:
        return None
    text = base64.b64decode(encoded).decode()
    return text.split(";") if place == CRYPT_KEYS else text


def _new(place: Path) -> Any:
    value = secrets.token_hex(32)
    return [value] if place == CRYPT_KEYS else value


def _nested(place: Path, value: Any) -> Values:
    for key in reversed(place):
        value = {key: value}
    found: Values = value
    return found
