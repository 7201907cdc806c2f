# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What admins of a hub have set takes the place of the hub's variables, within the operator's limits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.admin_file import AdminPin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import SOUND

REPOSITORY = "https://github.com/coast-lab/hub"
GIVEN: dict[str, Any] = {
    **SOUND,
    "hub_environment_catalogue": {"maps": {}, "r": {}, "secret": {}},
    "hub_environments": ["maps", {"name": "own", "title": "Own"}],
    "hub_announcement": "of the operator",
    "hub_admin_repository": REPOSITORY,
    "hub_admin_may": ["announcement", "environments"],
}


def hub(
    settings: dict[str, Any], key: tuple[str, str] = (REPOSITORY, ""), **variables: Any
) -> tuple[Hub | None, list[str]]:
    """Return a hub whose admins have set this, and what is wrong with it."""
    given = {name: value for name, value in {**GIVEN, **variables}.items() if value is not None}
    pin = AdminPin(*key, "4" * 40, "2026-11-30T09:15:00Z", "Ada", settings)
    hosts = {"alpha": HostInput("alpha", given, frozenset({"staging"}))}
    fleet, problems = validate(FleetInput(hosts, {"one": ["alpha"]}, admins={pin.key: pin}))
    return fleet.hubs.get("alpha"), [problem.line() for problem in problems.of(["alpha"])]


def test_settings_take_the_place_of_variables() -> None:
    made, problems = hub({"announcement": "Monday <script>", "environments": ["own", "maps"]})
    assert made and problems == []
    assert made["hub_announcement"] == "Monday &lt;script&gt;"
    assert [(each.name, each.title) for each in made.environments] == [("own", "Own"), ("maps", "maps")]
    assert made.admin_file == "hub.yml 444444444444 by Ada"


def test_of_another_repository_or_ref_nothing_counts() -> None:
    for key in (("https://github.com/other/hub", ""), (REPOSITORY, "dev")):
        made, problems = hub({"announcement": "Monday"}, key)
        assert made and made["hub_announcement"] == "of the operator" and made.admin_file == "" and problems == []
    made, _problems = hub({"announcement": "Monday"}, (REPOSITORY, "dev"), hub_admin_ref="dev")
    assert made and made["hub_announcement"] == "Monday"


def test_limits_may_be_wider_than_what_the_hub_offers() -> None:
    made, problems = hub({"environments": ["r"]}, hub_admin_limits={"environments": ["maps", "r"]})
    assert made and [each.name for each in made.environments] == ["r"] and problems == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": ["small"]}, "sizes cannot be changed for this hub; possible: announcement, environments"),
        ({"environments": ["maps", "secret"]}, "environments: 'secret' is not allowed"),
        ({"environments": ["map"]}, "environments: 'map' is not allowed; did you mean 'maps'?"),
        ({"announcement": "x " * 101 + "TODO"}, "announcement is a placeholder; set the real value"),
    ],
)
def test_what_is_not_allowed_any_more_is_told(settings: dict[str, Any], message: str) -> None:
    _made, problems = hub(settings)
    assert len(problems) == 1
    assert "hub_admin_may: hub.yml 444444444444 by Ada, in environments.lock.yml: " + message in problems[0]
    assert problems[0].endswith("; run the playbook environments")


def test_what_does_not_fit_names_the_file() -> None:
    catalogue = {**GIVEN["hub_environment_catalogue"], "r": {"interface": "up"}}
    _made, problems = hub({"environments": ["r"]}, hub_environment_catalogue=catalogue, hub_environments=["maps", "r"])
    assert problems
    gone = {"maps": {}}
    _made, problems = hub({"environments": ["r"]}, hub_environment_catalogue=gone, hub_environments=["maps", "r"])
    assert len(problems) == 1 and problems[0].endswith("(hub.yml 444444444444 by Ada)"), problems


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"hub_admin_repository": None}, "hub_admin_may: is set without hub_admin_repository"),
        ({"hub_admin_may": None}, "hub_admin_repository: has no effect without hub_admin_may"),
        ({"hub_admin_repository": "https://ada:secret@example.org/hub"}, "hub_admin_repository: contains a password"),
        (
            {"hub_admin_limits": {"sizes": ["small"]}},
            "hub_admin_limits.sizes: has no effect, since hub_admin_may does not",
        ),
        (
            {"hub_admin_limits": {"environments": ["mapps"]}},
            "'mapps' is not in hub_environment_catalogue; did you mean",
        ),
        ({"hub_admin_may": ["announcements"]}, "'announcements' is not allowed; did you mean 'announcement'?"),
    ],
)
def test_options_that_do_not_fit_together(variables: dict[str, Any], message: str) -> None:
    _made, problems = hub({}, ("", ""), **variables)
    assert any(message in problem for problem in problems), problems
