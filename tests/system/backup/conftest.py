# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a hub with everything that is backed up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# What runs verbs and asks hubs is there already.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verbs"))

from backup_hub import READER, REMEMBERING, Vault
from verbs_fleet import CHECKOUT, Fleet


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    """The deployed fleet with a running server."""
    if not (CHECKOUT / ".ansible" / "collections").is_dir():
        pytest.skip("this checkout is not set up: scripts/setup")
    fleet = Fleet("vault")
    try:
        fleet.set(
            cluster_backup_repository=str(fleet.directory / "repository"),
            cluster_backup_password=fleet.encrypted(Vault.password),
            cluster_backup_schedule="daily 02:30",
        )
        reader = {"name": "reader", "api_token": fleet.encrypted(READER)}
        role = {"name": "reader", "scopes": ["admin:auth_state", "read:users"], "services": ["reader"]}
        fleet.add("lab", "staging", hub_jupyterhub_config=REMEMBERING, hub_services=[reader], hub_roles=[role])
        fleet.write()
        fleet.use_prebuilt().succeed("deploy")
        made = Vault(fleet)
        made.work()
        yield made
    finally:
        fleet.end()
