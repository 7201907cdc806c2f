# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admins of a hub change some of its options in a repository of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from environment_repository import Repository
from verbs_fleet import Fleet

LOCK = "environments.lock.yml"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet of its own: a hub whose admins may set an announcement, and select environments."""
    made = Fleet("delta")
    try:
        catalogue = {"python": {"title": "Python"}, "other": {"title": "Other"}, "costly": {"title": "Costly"}}
        # alone it is sound, but not for a hub that stops idle servers so soon
        catalogue["slow"] = {"variables": {"JUPYTERHUB_ACTIVITY_INTERVAL": "900"}}
        made.clusters["delta"]["hub_environment_catalogue"] = catalogue
        made.add(
            "lab",
            "staging",
            hub_environments=["python"],
            hub_admin_repository="../hub",
            hub_admin_may=["announcement", "environments"],
            hub_admin_limits={"environments": ["python", "other", "slow"]},
            hub_idle_timeout="20m",
        )
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


def test_admins_change_what_they_may(fleet: Fleet) -> None:
    repository = Repository(fleet.directory / "hub")
    repository.commit({"hub.yml": "announcement: Low water <b>at noon</b>\n", "README.md": "Of the coast lab\n"})
    output = fleet.succeed("environments").output
    assert "hub.yml  ../hub" in output and "  new" in output
    assert fleet.succeed("deploy").outcomes() == {"lab": "deployed"}
    _status, page = fleet.hub("lab").request("GET", "hub/login")
    assert "Low water &lt;b&gt;at noon&lt;/b&gt;" in page
    commit = repository.git("rev-parse", "HEAD")[:12]
    assert f"hub.yml {commit} by " in fleet.succeed("status", "-e", "status_history=true").output

    output = fleet.succeed("explain", "-e", "explain_option=hub_announcement").output
    assert f"hub.yml {commit} by " in output and "Low water" in output
    before = (fleet.directory / LOCK).read_text()
    repository.commit({"hub.yml": "announcement: Low water\nenvironments: [python, costly]\n"})
    output = fleet.succeed("environments").output
    assert "environments: 'costly' is not allowed" in output and f"what {commit} says stays" in output.replace(
        "\n", " "
    )
    assert (fleet.directory / LOCK).read_text() == before
    assert "nothing to change" in fleet.succeed("deploy").output

    repository.commit({"hub.yml": "environments: [slow]\n"})
    output = fleet.succeed("environments").output.replace("\n", " ")
    assert "what it said before stays" in output and "JUPYTERHUB_ACTIVITY_INTERVAL" in output, output
    assert (fleet.directory / LOCK).read_text() == before

    repository.commit({"hub.yml": "environments: [other, python]\n"})
    fleet.succeed("environments")
    assert "other to build" in fleet.succeed("plan").output
