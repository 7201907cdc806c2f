# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub as data: its address and its ports."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import SOUND, fleet_of, hub_of

TLS = {"hub_tls_certificate": "/c.pem", "hub_tls_key": "/k.pem"}


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://127.0.0.1:8000/alpha/"),
        ({"hub_bind": "localhost"}, "http://127.0.0.1:8000/alpha/"),
        ({"hub_bind": "::1"}, "http://[::1]:8000/alpha/"),
        ({**TLS, "hub_bind": "0.0.0.0"}, "https://127.0.0.1:8000/alpha/"),
        ({**TLS, "hub_bind": "::"}, "https://[::1]:8000/alpha/"),
        ({"hub_domain": "Hub.Example.org"}, "https://hub.example.org/"),
        ({"hub_url": "https://example.org/team"}, "https://example.org/team/"),
    ],
)
def test_url(variables: dict[str, Any], url: str) -> None:
    assert hub_of(**variables).url == url


def test_inner_ports() -> None:
    assert hub_of().inner_ports == (8001, 8002, 8003)
    assert hub_of(hub_internal_port=9000).inner_ports == (9000, 9001, 9002)


def test_title() -> None:
    assert hub_of().title == "alpha"
    assert hub_of(hub_title="Alpha").title == "Alpha"
    assert hub_of(hub_title=2026).title == "2026"


def test_values_are_parsed_and_defaults_filled_in() -> None:
    hub = hub_of(hub_idle_timeout="never", hub_sizes=[{"name": "s", "memory": "1.5G"}])
    assert hub["hub_idle_timeout"] == 0
    assert hub["hub_start_timeout"] == 120
    assert (hub.sizes[0].memory, hub.sizes[0].title) == (1610612736, "s")
    assert hub.environments[0].check_output == "42"
    assert (hub.tier, hub.cluster.name, hub.cluster["cluster_platform"]) == ("staging", "machine", "server")


def test_defaults_are_not_shared() -> None:
    """Hubs are data of their own: whoever changes one changes no other."""
    fleet, _found = fleet_of(SOUND, beta={**SOUND, "hub_port": 8100})
    fleet.hubs["alpha"]["hub_admins"].append("eve")
    fleet.hubs["alpha"]["hub_environment_variables"]["A"] = "1"
    assert fleet.hubs["beta"]["hub_admins"] == []
    assert fleet.hubs["beta"]["hub_environment_variables"] == {}
