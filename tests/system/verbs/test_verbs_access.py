# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a deploy, access is what the inventory says, and plans tell it by name."""

from __future__ import annotations

from verbs_fleet import Fleet, wait_for
from verbs_hub import Hub


def test_a_name_that_leaves_the_inventory_loses_access(fleet: Fleet) -> None:
    hub = fleet.hub("trial")
    fleet.set("trial", hub_admins=["Ada"], hub_groups={"staff": {"users": ["ada", "ben"]}})
    fleet.succeed("deploy")
    assert hub.api("GET", "users/ada")[1]["admin"]
    token = hub.token("ben")
    for name in ("ada", "ben"):
        hub.start_server(name)
    kernel = hub.kernel("ada").mark()
    fleet.set("trial", hub_allowed_users=["ada"], hub_admins=None, hub_groups={"staff": {"users": ["ada"]}})
    told = "access: ben is no longer allowed to log in; ada is no longer admin; ben is no longer in the group staff"
    assert told in fleet.succeed("plan").planned()["trial"]
    fleet.succeed("deploy")
    assert not hub.knows(token) and not hub.api("GET", "users/ada")[1]["admin"]
    wait_for("the end of ben's server", lambda: not hub.api("GET", "users/ben")[1]["servers"])
    assert kernel.survives()
    assert "nothing to change" in fleet.succeed("deploy").output


def test_grants_of_the_admin_panel_are_drift(fleet: Fleet) -> None:
    hub = fleet.hub("trial")
    fleet.set("trial", hub_admins=["ada"])
    fleet.succeed("deploy")
    make_admin(hub, "carol")
    before = hub.pids
    told = "drifted: access: carol is made admin in the admin panel; to be taken back"
    assert fleet.succeed("plan").planned()["trial"] == told
    fleet.succeed("deploy")
    assert not hub.api("GET", "users/carol")[1]["admin"]
    after = hub.pids
    assert after["hub"] != before["hub"] and after["proxy"] == before["proxy"]
    assert "nothing to change" in fleet.succeed("deploy").output


def test_grants_that_are_kept_are_told(fleet: Fleet) -> None:
    hub = fleet.hub("trial")
    fleet.set("trial", hub_admins=["ada"], hub_keep_panel_grants=True)
    fleet.succeed("deploy")
    make_admin(hub, "dora")
    result = fleet.succeed("deploy")
    assert "hub trial: dora is made admin in the admin panel; kept" in result.output
    assert "nothing to change" in result.output and hub.api("GET", "users/dora")[1]["admin"]


def make_admin(hub: Hub, name: str) -> None:
    """Let ada, who is an admin, make a new user an admin, as the admin panel does."""
    status, text = hub.request("POST", f"hub/api/users/{name}", hub.token("ada"), {"admin": True})
    assert status == 201, text
