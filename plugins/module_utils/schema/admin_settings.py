# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the admins of a hub may change without the operator, and what that makes of the hub's variables."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..environments.admin_file import ADMIN_FILE, SETTINGS, AdminKey, AdminPin, Settings
from ..environments.pins import LOCK_FILE
from ..redaction.places import holds_credentials
from .model import ValuePath
from .option import Option, element, names
from .placeholders import unfinished
from .problems import nearest
from .values import is_name

#: Settings of hub.yml -> options.
OPTION_OF = {"announcement": "hub_announcement", "environments": "hub_environments", "sizes": "hub_sizes"}

ADMIN_OPTIONS = (
    Option(
        "hub_admin_repository",
        "str",
        (
            f"Git repository with a file C({ADMIN_FILE}) at its top, in which the admins of the hub set what"
            " O(hub_admin_may) allows: a URL, an address of SSH, or a path, absolute or relative to the inventory"
            " directory.",
            "The playbook C(environments) reads it, and writes what it says to C(environments.lock.yml).",
        ),
        pattern=r"[^-\s]\S*",
        pattern_text="a URL such as https://github.com/ORGANIZATION/NAME, git@HOST:PATH, or a path",
        example="https://github.com/coast-lab/hub",
    ),
    Option(
        "hub_admin_ref",
        "str",
        ("Branch or tag of O(hub_admin_repository); unset, its default branch.",),
        pattern=r"[^-\s]\S*",
        pattern_text="a branch or a tag",
    ),
    Option(
        "hub_admin_may",
        "list",
        (
            "What the file may set: C(announcement), as plain text, C(environments) and C(sizes), by their names.",
            "It replaces the hub's own variables.",
        ),
        default=(),
        elements=element("str", choices=tuple(SETTINGS)),
        example="[announcement, environments]",
    ),
    Option(
        "hub_admin_limits",
        "dict",
        (f"Names that C({ADMIN_FILE}) may use; unset, those that the hub offers in the inventory.",),
        options=(
            Option(
                "environments", "list", ("Names of environments in O(hub_environment_catalogue).",), elements=names()
            ),
            Option("sizes", "list", ("Names of sizes in O(hub_size_catalogue).",), elements=names()),
        ),
        example="{environments: [python, maps, geo]}",
    ),
)


class AdminRules:
    """What a hub allows its admins. options: ADMIN_OPTIONS, checked. given: the hub's variables in the inventory."""

    def __init__(self, options: Mapping[str, Any], given: Mapping[str, Any]):
        self.may = tuple(options["hub_admin_may"] or ())
        self.limits = options["hub_admin_limits"] or {}
        repository = options["hub_admin_repository"]
        #: None if nobody may change anything.
        self.key: AdminKey | None = (repository, options["hub_admin_ref"] or "") if repository and self.may else None
        self._given = given

    def problems(self, settings: Settings) -> Iterator[str]:
        """Yield what is not allowed, in words for those who wrote the file."""
        for name, value in settings.items():
            if name not in self.may:
                yield f"{name} cannot be changed for this hub; possible: {', '.join(self.may)}"
            elif isinstance(value, list):
                allowed = self._allowed(name)
                for each in value:
                    if each not in allowed:
                        yield f"{name}: {each[:60]!r} is not allowed{nearest(each[:60], allowed, 'allowed')}"
            elif unfinished(value, code=False):
                yield f"{name} {unfinished(value, code=False)}"

    def values(self, settings: Settings) -> dict[str, Any]:
        """Return the variables that allowed settings take the place of, with their values."""
        changed: dict[str, Any] = {}
        for name, value in settings.items():
            option = OPTION_OF[name]
            if isinstance(value, list):
                own = {_name(entry): entry for entry in self._listed(option)}
                changed[option] = [own.get(each, each) for each in value]
            else:
                # The hub shows it as HTML, so that operators can set links.
                changed[option] = html.escape(value)
        return changed

    def _allowed(self, name: str) -> list[str]:
        limits = self.limits.get(name)
        return list(limits) if limits is not None else [_name(entry) for entry in self._listed(OPTION_OF[name])]

    def _listed(self, option: str) -> list[Any]:
        value = self._given.get(option)
        return value if isinstance(value, list) else []


def check_rules(options: Mapping[str, Any], given: Mapping[str, Any], report: Callable[[ValuePath, str], None]) -> None:
    """Report options for admins that do not fit together. options: ADMIN_OPTIONS, checked."""
    repository, may = options["hub_admin_repository"], options["hub_admin_may"]
    if repository and holds_credentials(repository):
        message = (
            f"contains a password, which {LOCK_FILE} would show; let git find it, with a credential helper or a key"
        )
        report(("hub_admin_repository",), message)
    for name in ("hub_admin_may", "hub_admin_ref"):
        if options[name] and not repository:
            report((name,), "is set without hub_admin_repository")
    if repository and not may:
        report(("hub_admin_repository",), f"has no effect without hub_admin_may; possible there: {', '.join(SETTINGS)}")
    for name in options["hub_admin_limits"] or {}:
        if (options["hub_admin_limits"] or {}).get(name) is not None and name not in (may or ()):
            report(("hub_admin_limits", name), f"has no effect, since hub_admin_may does not have {name}")
    if given.get("hub_profiles"):
        for index, name in enumerate(may or ()):
            if SETTINGS.get(name):
                report(
                    ("hub_admin_may", index), f"{name} of a hub are those of hub_profiles, which admins cannot change"
                )


def admin_values(
    rules: AdminRules, pins: Mapping[AdminKey, AdminPin], report: Callable[[ValuePath, str], None]
) -> tuple[dict[str, Any], str]:
    """Return the variables that a hub's admins have set, and the commit and author; {} and "" if there is nothing.

    pins: what the lock file has of admins.
    """
    pin = pins.get(rules.key) if rules.key else None
    if not pin:
        return {}, ""
    wrong = list(rules.problems(pin.settings))
    for message in wrong:
        report(("hub_admin_may",), f"{pin.shown}, in {LOCK_FILE}: {message}; run the playbook environments")
    return ({}, "") if wrong else (rules.values(pin.settings), pin.shown)


def _name(entry: Any) -> str:
    return str(entry) if is_name(entry) else str(entry.get("name")) if isinstance(entry, dict) else ""
