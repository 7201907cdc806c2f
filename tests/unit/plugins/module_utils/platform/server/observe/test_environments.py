# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was built on a machine, who offers it, and who used it last."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.environments import FoundEnvironments, LastUse
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.environments import (
    environments,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import history
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import AUTHOR

OLD, NEW, HALF = "maps-aaaaaaaaaaaa", "maps-bbbbbbbbbbbb", "maps-cccccccccccc"


@pytest.fixture(name="layout")
def _layout(tmp_path: Path) -> Layout:
    """A machine with two builds of an environment, and one that is not complete."""
    for number, name in enumerate((OLD, NEW, HALF)):
        (tmp_path / "environments" / name).mkdir(parents=True)
        (tmp_path / "environments" / name / "data").write_bytes(b"x" * 8192)
        if name != HALF:
            marker = tmp_path / "environments" / name / ".complete"
            marker.write_text("{}")
            os.utime(marker, (1_800_000_000 + number, 1_800_000_000 + number))
    os.link(tmp_path / "environments" / NEW / "data", tmp_path / "environments" / NEW / "again")
    (tmp_path / "environments/maps").symlink_to(NEW)
    return Layout(str(tmp_path))


def deploy(layout: Layout, hub: str, *builds: str) -> None:
    Path(layout.hub(hub).directory).mkdir(parents=True, exist_ok=True)
    history.begin(layout.hub(hub), {**AUTHOR, "fingerprint": str(builds), "builds": list(builds)}, {"hub.json": b"{}"})


def use(layout: Layout, hub: str, *rows: tuple[str, str | None, str | None]) -> None:
    """Write a database with servers: user, last activity, options."""
    database = sqlite3.connect(layout.hub(hub).path("jupyterhub.sqlite"))
    database.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    database.execute("CREATE TABLE spawners (user_id INTEGER, last_activity TEXT, started TEXT, user_options TEXT)")
    for number, (user, when, options) in enumerate(rows):
        database.execute("INSERT INTO users VALUES (?, ?)", (number, user))
        database.execute("INSERT INTO spawners VALUES (?, ?, NULL, ?)", (number, when, options))
    database.commit()
    database.close()


def test_builds(layout: Layout) -> None:
    deploy(layout, "lab", OLD)
    deploy(layout, "lab", NEW)
    deploy(layout, "field", OLD)
    found = FoundEnvironments.from_dict(environments(layout, ["lab", "field", "gone"]).as_dict())
    assert [(each.directory, each.hubs, each.earlier) for each in found.built] == [
        (OLD, ["field"], ["lab"]),
        (NEW, ["lab"], []),
    ]
    assert [each.built for each in found.built] == ["2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z"]
    assert found.built[0].size == found.built[1].size >= 8192


def test_uses(layout: Layout) -> None:
    deploy(layout, "lab", NEW)
    use(
        layout,
        "lab",
        ("ada", "2026-11-30 10:00:00.123456", '{"profile": "maps", "size": "small"}'),
        ("ben", "2026-11-30 11:00:00", "{}"),
        ("cleo", "2026-11-29 10:00:00", "not JSON"),
        ("dora", None, '{"profile": "maps"}'),
        ("hubfleet-check-1", "2026-12-01 00:00:00", '{"profile": "maps"}'),
    )
    found = environments(layout, ["lab", "gone"])
    assert found.uses == [
        LastUse("lab", "ada", "maps", "2026-11-30T10:00:00Z"),
        LastUse("lab", "ben", "", "2026-11-30T11:00:00Z"),
        LastUse("lab", "cleo", "", "2026-11-29T10:00:00Z"),
    ]
    assert found.last_use("maps", {"lab": "python"}) == found.uses[0]
    assert found.last_use("maps", {"lab": "maps"}) == found.uses[1]
    assert found.last_use("maps", {"field": "maps"}) is None


def test_nothing_was_built(tmp_path: Path) -> None:
    assert environments(Layout(str(tmp_path)), []) == FoundEnvironments()
