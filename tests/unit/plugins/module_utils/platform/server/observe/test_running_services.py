# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which account and which rights services are started with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    desired_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
    reverse_proxy_service,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    ASSETS,
    SETUP,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_reverse_proxy import (
    ORDINARY,
    ROOT,
    door,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of

OF_ROOT = replace(SETUP, isolation="system-users", proxy_account="hubfleet-proxy")
TLS = {"hub_tls_certificate": "/etc/ssl/hub.pem", "hub_tls_key": "/etc/ssl/private/hub.key"}


def options(service: Service) -> list[str]:
    """Return the launcher's part of a command line."""
    return list(service.command[: service.command.index("--")])


def started(setup: Any = OF_ROOT, **variables: Any) -> dict[str, Service]:
    """Return the services of a hub."""
    return {service.role: service for service in desired_hub(hub_of(**variables), setup, ASSETS, {}).services}


def account(service: Service) -> str:
    """Return what a service runs as, "" for who deploys."""
    words = options(service)
    return words[words.index("--account") + 1] if "--account" in words else ""


@pytest.mark.parametrize("variables", [{}, TLS, {"hub_port": 443}, {"hub_port": 443, **TLS}])
def test_a_proxy_is_never_roots(variables: dict[str, Any]) -> None:
    accounts = {role: account(service) for role, service in started(**variables).items()}
    assert accounts == {"proxy": "hubfleet-proxy", "hub": "", "culler": "hubfleet-proxy"}
    assert not any(map(account, started(SETUP, **variables).values()))


@pytest.mark.parametrize(
    ("variables", "low"),
    [
        ({}, False),
        ({"hub_port": 1024}, False),
        ({"hub_port": 1023, "hub_internal_port": 8001}, True),
        ({"hub_internal_port": 1021}, True),
        ({"hub_internal_port": 1023}, False),
    ],
)
def test_a_proxy_has_the_right_to_its_own_ports(variables: dict[str, Any], low: bool) -> None:
    services = started(**variables)
    assert ("--low-ports" in options(services["proxy"])) == low
    assert "--low-ports" not in options(services["culler"])


def test_a_proxy_is_handed_its_key() -> None:
    service = started(**TLS)["proxy"]
    words = options(service)
    handed = [words[number + 1] for number, word in enumerate(words) if word == "--pass-file"]
    assert handed == list(TLS.values())
    # The launcher finds them in these words.
    assert {f"--ssl-cert={handed[0]}", f"--ssl-key={handed[1]}"} <= set(service.command)
    assert "--pass-file" not in options(started(SETUP, **TLS)["proxy"]), "the account that deploys reads them itself"


def test_a_reverse_proxy_has_the_right_to_low_ports_only() -> None:
    high: dict[str, object] = {"cluster_http_port": 8080, "cluster_https_port": 8443}
    fronts = {"low": door(), "high": door(ROOT, **high), "ordinary": door(ORDINARY, **high)}
    services = {
        name: reverse_proxy_service("lab", reverse_proxy, SETUP, ASSETS) for name, reverse_proxy in fronts.items()
    }
    accounts = {name: account(service) for name, service in services.items()}
    assert accounts == {"low": "hubfleet-reverse-proxy", "high": "hubfleet-reverse-proxy", "ordinary": ""}
    assert [name for name, service in services.items() if "--low-ports" in options(service)] == ["low"]
