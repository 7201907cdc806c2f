# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound hubs to break, one on each platform, and what validation says of them."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Fleet,
    FleetInput,
    HostInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import (
    KUBERNETES,
    PLATFORMS,
    SERVER,
    Option,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate

SOUND: dict[str, Any] = {
    "hub_port": 8000,
    "hub_authenticator": "shared-password",
    "hub_allowed_users": ["ada"],
    "hub_environment_catalogue": {"python": {}},
    "hub_environments": ["python"],
    "hub_size_catalogue": {"small": {"memory": "1G"}},
    "hub_sizes": ["small"],
}

SOUND_ON_KUBERNETES: dict[str, Any] = {
    "cluster_platform": "kubernetes",
    "cluster_storage_class": "standard",
    "cluster_exposure": "ingress",
    "cluster_certificate_issuer": "letsencrypt",
    "hub_domain": "alpha.example.org",
    "hub_authenticator": "native",
    "hub_allowed_users": ["ada"],
    "hub_environment_catalogue": {"python": {"image": "quay.io/jupyter/scipy-notebook:2025-11-10"}},
    "hub_environments": ["python"],
    "hub_size_catalogue": {"small": {"memory": "1G"}},
    "hub_sizes": ["small"],
    "hub_profiles": [{"title": "CPU", "environments": ["python"], "sizes": ["small"]}],
}


def sound_for(option: Option) -> list[dict[str, Any]]:
    """Return the sound hubs of the platforms that an option is for."""
    hubs = {SERVER: SOUND, KUBERNETES: SOUND_ON_KUBERNETES}
    return [hubs[platform] for platform in PLATFORMS if option.applies_to(platform)]


def fleet_of(variables: dict[str, Any], **others: dict[str, Any]) -> tuple[Fleet, list[str]]:
    """Validate the hub alpha, and others beside it; return the fleet and what is wrong with it."""
    hosts = {"alpha": variables, **others}
    inventory = FleetInput(
        {name: HostInput(name, values, frozenset({"staging"})) for name, values in hosts.items()},
        {"machine": list(hosts)},
    )
    fleet, problems = validate(inventory)
    return fleet, [problem.line() for problem in problems.of(hosts)]


def lines(variables: dict[str, Any], **others: dict[str, Any]) -> list[str]:
    """Return what is wrong."""
    return fleet_of(variables, **others)[1]


def hub_of(**variables: Any) -> Hub:
    """Return a sound hub with some variables of its own."""
    fleet, found = fleet_of({**SOUND, **variables})
    assert found == []
    return fleet.hubs["alpha"]
