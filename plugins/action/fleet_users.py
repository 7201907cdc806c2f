# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_users."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.users import (
    ACTION,
    ACTIONS,
    LIST,
    NAMES,
    NEW_NAME,
    PASSWORD,
    RENAME,
    FoundUsers,
    HubUser,
    Request,
    UserChange,
    changes_of,
    refuse,
    refuse_unknown,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import Platform, PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.access_checks import named_users
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems, nearest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.user_names import parse_user_name
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import for_each_cluster

_HEADINGS = ("hub", "user", "admin", "groups", "last activity", "server", "in inventory")

Clusters = dict[str, tuple[Platform, list[Hub]]]


class ActionModule(FleetAction):
    """Lists the users of all hubs, or changes some; see the module's documentation."""

    ARGUMENTS = frozenset({"action", "names", "new_name", "end_sessions"})
    NEEDS_IMAGES = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """List the users, or change them on all hubs; nothing is changed if anything is refused on any hub."""
        problems = Problems()
        request = self._request(problems)
        for hub in hubs:
            refuse(request, hub, inventory.hosts[hub.name].locate, problems)
        names = [hub.name for hub in hubs]
        if problems.of(names):
            return report_problems(problems.of(names))
        clusters = self.platforms.with_users(hubs)
        if request.action == LIST:
            return _listed(hubs, _found(clusters, tolerant=True))
        found = _found(clusters, tolerant=False)
        refuse_unknown(request, found.users, problems)
        changes = {hub.name: changes_of(request, hub, found.users[hub.name], problems) for hub in hubs}
        if not problems.of(names) and request.action == RENAME:
            _refuse_names(clusters, changes, problems)
        if problems.of(names):
            return report_problems(problems.of(names))
        return self._changed(clusters, changes)

    def _changed(self, clusters: Clusters, changes: dict[str, list[UserChange]]) -> dict[str, Any]:
        """Make the changes, or say in check mode what they would be."""
        done = not self._task.check_mode
        failed: dict[str, list[str]] = {}
        result: dict[str, list[dict[str, Any]]] = {}
        for platform, hubs in clusters.values():
            for hub in hubs:
                asked = changes[hub.name]
                answers = platform.change_users(hub.name, asked) if done and asked else [""] * len(asked)
                made = [change for change, problem in zip(asked, answers) if not problem]
                for change in made:
                    display.display(f"{hub.name}: {change.text(done)}")
                for change, problem in zip(asked, answers):
                    if problem:
                        failed.setdefault(hub.name, []).append(problem)
                        display.display(f"{hub.name}: {change.user}: {problem}", color="red")
                if not asked:
                    display.display(f"{hub.name}: nothing to change")
                if done and any(change.action == PASSWORD for change in made):
                    display.display(f"{hub.name}: {platform.passwords_notice(hub, platform.facts([hub]), new=False)}")
                result[hub.name] = [{**change.as_dict(), "text": change.text(done)} for change in made]
        summary = {"changed": any(result.values()), "hubs": {hub: {"changes": made} for hub, made in result.items()}}
        if failed:
            return {**summary, "failed": True, "msg": f"not everything was changed on {', '.join(failed)}, see above"}
        return summary

    def _request(self, problems: Problems) -> Request:
        """Return what is asked for; add what is wrong with the extra variables."""
        action = str(self.argument("action") or LIST)
        if action not in ACTIONS:
            raise AnsibleActionFail(f"{ACTION}: {action!r} is no action{nearest(action, ACTIONS)}")
        names, new_name = self._names(problems), ""
        if action == LIST and names:
            problems.add((NAMES,), f"is of no use with {ACTION}={LIST}, which lists all users")
        if action != LIST and self.argument("names") in (None, "", []):
            problems.add((NAMES,), f"is required with {ACTION}={action}: names with commas between them")
        given = self.argument("new_name")
        if action == RENAME and given in (None, ""):
            problems.add((NEW_NAME,), f"is required with {ACTION}={RENAME}")
        elif given not in (None, "") and action != RENAME:
            problems.add((NEW_NAME,), f"is only for {ACTION}={RENAME}")
        elif action == RENAME:
            new_name = _parsed(NEW_NAME, given, problems)
            if len(names) > 1:
                problems.add((NAMES,), f"one name is required with {ACTION}={RENAME}, not {len(names)}")
            if new_name in names:
                problems.add((NEW_NAME,), f"{new_name!r} is the name already")
        return Request(action, names, new_name, boolean(self.argument("end_sessions", False)))

    def _names(self, problems: Problems) -> list[str]:
        given = self.argument("names")
        if given in (None, ""):
            return []
        texts = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else [given]
        found = [_parsed(NAMES, text, problems) for text in texts]
        return list(dict.fromkeys(filter(None, found)))


def _parsed(variable: str, given: Any, problems: Problems) -> str:
    """Return a name as hubs compare it; "" if it is none, which is added to the problems."""
    if not isinstance(given, str):
        problems.add((variable,), f"{given!r} is not text; write names in quotes")
        return ""
    try:
        return str(parse_user_name(given.strip()))
    except ValueError as error:
        problems.add((variable,), str(error) if given.strip() else "a name is empty")
        return ""


def _found(clusters: Clusters, tolerant: bool) -> FoundUsers:
    """Return the users of all hubs. tolerant: return also why some hubs cannot be asked, else raise PlatformError."""

    def read(platform: Platform, hubs: list[Hub]) -> FoundUsers:
        names = [hub.name for hub in hubs]
        try:
            return platform.users(names)
        except PlatformError as error:
            return FoundUsers({}, dict.fromkeys(names, str(error)))

    found = FoundUsers()
    for some in for_each_cluster(clusters, read).values():
        found.users.update(some.users)
        found.problems.update(some.problems)
    if found.problems and not tolerant:
        raise PlatformError("; ".join(dict.fromkeys(found.problems.values())))
    return found


def _refuse_names(clusters: Clusters, changes: dict[str, list[UserChange]], problems: Problems) -> None:
    """Add why hubs cannot rename users, also those whose servers will be stopped: not in vain."""
    for platform, hubs in clusters.values():
        for hub in hubs:
            for change in changes[hub.name]:
                problem = platform.rename_problem(hub.name, change.user, change.new_name)
                if problem:
                    problems.add((NEW_NAME,), f"{change.new_name!r}: {problem}", "", hub.name)


def _listed(hubs: list[Hub], found: FoundUsers) -> dict[str, Any]:
    """Print the table of users, and return it."""
    rows: list[tuple[str, ...]] = []
    result: dict[str, Any] = {}
    for hub in hubs:
        named = named_users(hub)
        users = found.users.get(hub.name, [])
        rows += [_row(hub.name, user, user.name in named) for user in users]
        result[hub.name] = {"users": [{**user.as_dict(), "listed": user.name in named} for user in users]}
    if rows:
        for line in aligned([_HEADINGS, *rows]):
            display.display(line)
    for problem in dict.fromkeys(found.problems.values()):
        display.display(problem, color="red")
    for name in [hub.name for hub in hubs if found.users.get(hub.name) == []]:
        display.display(f"{name}: no users")
    summary = {"changed": False, "hubs": result}
    if found.problems:
        message = f"{len(found.problems)} of {len(hubs)} hubs could not be asked: {', '.join(found.problems)}"
        return {"failed": True, "msg": message, "problems": found.problems}
    return summary


def _row(hub: str, user: HubUser, is_listed: bool) -> tuple[str, ...]:
    servers = ", ".join(f"{name}: {state}" if name else state for name, state in sorted(user.servers.items()))
    return (
        hub,
        user.name,
        "admin" if user.admin else "-",
        ", ".join(user.groups) or "-",
        user.last_activity or "-",
        servers or "-",
        "yes" if is_listed else "no",
    )
