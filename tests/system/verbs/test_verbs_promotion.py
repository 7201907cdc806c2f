# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new build is for staging hubs only, until it is promoted: after a deploy, and a check that acts like a user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from environment_repository import Repository
from verbs_fleet import Fleet

UPDATE = ("-e", "environments_update=true", "-e", "environments_promotion=pull-request")
PROMOTE = ("-e", "environments_promote=true")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet of its own: a staging hub and a production hub with the same environment."""
    made = Fleet("reef")
    try:
        maps = {"repository": "../maps", "check_code": "print('charted')", "check_output": "charted"}
        made.clusters["reef"]["hub_environment_catalogue"] = {"maps": maps}
        made.add("trial", "staging", hub_environments=["maps"])
        made.add("main", "production", hub_environments=["maps"])
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


def locked(fleet: Fleet) -> Any:
    """Return the content of the lock file."""
    return yaml.safe_load((fleet.directory / "environments.lock.yml").read_text())


def release(fleet: Fleet, hub: str) -> str:
    """Return which release of the environment users of a hub get."""
    kernel_hub = fleet.hub(hub)
    kernel_hub.start_server("ada")
    told = kernel_hub.kernel("ada").run("import os; print(open(os.environ['REPO_DIR'] + '/release').read())")
    kernel_hub.stop_server("ada")
    return told.strip()


def test_production_gets_what_staging_has_tried(fleet: Fleet) -> None:
    repository = Repository(fleet.directory / "maps")
    first = repository.commit({"release": "first\n", "postBuild": "#!/bin/sh\n"})
    fleet.succeed("environments", "-e", "environments_promotion=pull-request")
    assert "staging" not in locked(fleet)
    fleet.succeed("deploy")

    second = repository.commit({"release": "second\n"})
    output = fleet.succeed("environments", *UPDATE).output
    assert f"maps on staging  ../maps  (default branch)  (all of it)  {second[:12]}" in output
    assert "once they are deployed, run this with -e environments_promote=true" in " ".join(output.split())
    content = locked(fleet)
    assert [entry["commit"] for entry in content["repositories"]] == [first]
    assert [entry["commit"] for entry in content["staging"]["repositories"]] == [second]
    assert "nothing to change" in fleet.succeed("environments").output

    refused = fleet.run("environments", *PROMOTE)
    assert refused.code == 2 and "staging hubs differ from the inventory; deploy them before" in refused.output
    assert fleet.succeed("deploy").outcomes() == {"trial": "deployed", "main": "unchanged"}
    assert [release(fleet, "trial"), release(fleet, "main")] == ["second", "first"]

    catalogue = fleet.clusters["reef"]["hub_environment_catalogue"]["maps"]
    catalogue["check_output"] = "lost"
    fleet.write()
    failed = fleet.run("environments", *PROMOTE)
    assert failed.code == 2 and "trial" in failed.output and "not 'lost'" in failed.output
    assert locked(fleet) == content
    catalogue["check_output"] = "charted"
    fleet.write()
    # a hub that failed a check has to pass one
    assert fleet.run("environments", *PROMOTE).code == 2
    fleet.succeed("deploy")

    assert "would be written" in fleet.succeed("environments", "--check", *PROMOTE).output
    fleet.succeed("environments", *PROMOTE)
    assert "staging" not in locked(fleet)
    assert [entry["commit"] for entry in locked(fleet)["repositories"]] == [second]
    assert fleet.succeed("deploy").outcomes() == {"trial": "unchanged", "main": "deployed"}
    assert release(fleet, "main") == "second"
    assert "staging hubs have nothing to promote" in fleet.succeed("environments", *PROMOTE).output


def test_what_cannot_be_promoted_is_told(fleet: Fleet) -> None:
    nobody = fleet.run("environments", *PROMOTE, "--limit", "main")
    assert nobody.code == 2 and "no staging hub was selected" in nobody.output
    wrong = fleet.run("environments", "-e", "environments_promotion=by-hand")
    assert wrong.code == 2 and "'by-hand' is not one of automatic, pull-request" in wrong.output
    # what is not valid could offer anything
    port, fleet.hubs["trial"]["hub_port"] = fleet.hubs["trial"]["hub_port"], "nonsense"
    fleet.write()
    unknown = fleet.run("environments", *UPDATE, "--limit", "main")
    assert unknown.code == 2 and "staging hub trial is not valid" in unknown.output
    fleet.hubs["trial"]["hub_port"] = port
    # a variable of the inventory would promote whenever the playbook runs
    fleet.clusters["reef"]["environments_promote"] = True
    fleet.write()
    unchecked = fleet.run("environments")
    assert unchecked.code == 2 and "environments_promote is not given with -e" in unchecked.output
    del fleet.clusters["reef"]["environments_promote"]
    fleet.write()
    both = fleet.run("environments", *PROMOTE, "-e", "environments_update=true")
    assert both.code == 2 and "more than one of environments_report" in " ".join(both.output.split())
