# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the profiles, and the choices of their options, that a check starts.

They are read from the values that the hub has, since Helm values may replace what options of the inventory make. What
the check calls them, and the code that it runs, are those of the inventory, where they can be found there.

Source: ``_get_initialized_profile_list`` and ``_load_profile`` of KubeSpawner.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import Choice

from ...common.nested import value_at
from ...schema.kubernetes_checks import slug_of
from ...schema.model import Environment, Hub, Size
from ...schema.shared_checks import DIRECTORIES, path_in_home
from .values.layers import Values
from .values.profile_list import ENVIRONMENT_OPTION, POSITION, SIZE_OPTION

Entry = TypeVar("Entry", Environment, Size)
#: Names of options -> names of what is chosen.
Chosen = dict[str, str]

#: The later ones win.
_DEFAULT_URLS = (
    ("singleuser", "defaultUrl"),
    ("hub", "config", "Spawner", "default_url"),
    ("hub", "config", "KubeSpawner", "default_url"),
)
#: What wins comes first.
_PROFILE_LISTS = (("hub", "config", "KubeSpawner", "profile_list"), ("singleuser", "profileList"))


def check_choices(hub: Hub, values: Values, every: bool) -> tuple[list[Choice], list[str]]:
    """Return what a check starts, and warnings of what it cannot start.

    values: the merged ones of the hub. every: each profile with each choice of its options; else what a user gets who
    takes the defaults. The temporary user of a check is in no group, so that it starts nothing that has
    allowed_groups; and it types no value of its own (unlisted_choice).
    """
    profiles = [_Profile(hub, values, profile) for profile in _profile_list(values)]
    if not profiles:
        return [_without_profiles(hub, values)], []
    offered = [profile for profile in profiles if not profile.problem]
    if not offered:
        return [], [f"no server was started: {_why_none(profiles)}"]
    typed = [profile for profile in profiles if profile.problem == TYPED]
    warnings = [f"profile {profile.slug} was not started: {TYPED}" for profile in typed]
    if every:
        restricted = [text for profile in profiles for text in profile.restricted]
        if restricted:
            warnings.append(f"not started, since only members of groups may (allowed_groups): {', '.join(restricted)}")
        return [choice for profile in offered for choice in profile.every_choice()], warnings
    preselected = _preselected([each for each in profiles if each.problem != GROUPS])
    first, user_options = preselected, {}
    if preselected.problem:
        first = _preselected(offered)
        user_options = {"profile": first.slug}
    further = [choice for profile in offered for choice in profile.in_every_check(but_default=profile is first)]
    return [first.default_choice(user_options), *further], warnings if preselected.problem else []


#: Why nothing of a profile can be started.
GROUPS = "every profile is for members of groups (allowed_groups) only"
TYPED = "a value has to be typed (unlisted_choice)"


class _Profile:
    """A profile of the hub's list.

    options: name of an option -> its choices for everybody, in order. hidden: choices for some.
    problem: why nothing of it can be started, "" if something can.
    """

    def __init__(self, hub: Hub, values: Values, profile: dict[str, Any]) -> None:
        self.hub, self.values, self.profile = hub, values, profile
        self.slug: str = profile.get("slug") or slug_of(str(profile.get("display_name", "")))
        self.known = next((each for each in hub.profiles if _slug(each) == self.slug), None)
        self.options: dict[str, dict[str, Any]] = {}
        self.hidden: list[str] = []
        self.problem = "" if _for_all(profile) else GROUPS
        for name, option in _in_order(profile.get("profile_options") or {}).items():
            choices = _in_order(option.get("choices") or {})
            self.options[name] = {key: choice for key, choice in choices.items() if _for_all(choice)}
            self.hidden += [f"{name} {key} of profile {self.slug}" for key in choices if key not in self.options[name]]
            if not self.options[name] and not self.problem:
                unlisted = option.get("unlisted_choice") or {}
                self.problem = TYPED if unlisted.get("enabled") and _for_all(unlisted) else GROUPS

    @property
    def restricted(self) -> list[str]:
        """What of it is for members of groups only."""
        return [f"profile {self.slug}"] if self.problem == GROUPS else self.hidden

    def default_choice(self, user_options: dict[str, str]) -> Choice:
        """Return what is preselected, to be started with these options."""
        return self._choice({name: _default(choices) for name, choices in self.options.items()}, user_options)

    def in_every_check(self, but_default: bool) -> Iterator[Choice]:
        """Yield the choices of environments that checks start in any case, with the defaults of other options."""
        usual = {name: _default(choices) for name, choices in self.options.items()}
        option = self._environment_option
        for key in self.options.get(option, {"": None}):
            chosen = {**usual, option: key} if key else usual
            environment = self._environment(chosen)
            if environment and environment.in_every_check and not (but_default and chosen == usual):
                yield self._choice(chosen, {"profile": self.slug, **chosen})

    def every_choice(self) -> Iterator[Choice]:
        """Yield each combination of the choices of its options."""
        for keys in itertools.product(*self.options.values()):
            chosen = dict(zip(self.options, keys))
            yield self._choice(chosen, {"profile": self.slug, **chosen})

    def _choice(self, chosen: Chosen, user_options: dict[str, str]) -> Choice:
        """Return a choice, called by the names of the inventory for what stands there, else by those of the values."""
        environment_option = self._environment_option
        size_option = (self.known["size_option"] if self.known else None) or SIZE_OPTION
        environment = self._environment(chosen)
        size = _entry((self.known.sizes if self.known else ()) or self.hub.sizes, chosen.get(size_option))
        label = ""
        if self.known or not environment or environment.name != self.slug:
            named = {environment_option: environment, size_option: size}
            entries = [(named.get(option), key) for option, key in chosen.items()]
            label = "/".join([self.slug, *(entry.name if entry else key for entry, key in entries)])
        parts = [self.profile, *(self.options[name][key] for name, key in chosen.items())]
        return _choice(self.hub, self.values, environment, size, user_options, label, _interface(self.values, parts))

    @property
    def _environment_option(self) -> str:
        return (self.known["environment_option"] if self.known else None) or ENVIRONMENT_OPTION

    def _environment(self, chosen: Chosen) -> Environment | None:
        """Return the environment of a choice, if the inventory has it."""
        return _entry(self._environments(), chosen.get(self._environment_option)) or self._by_image(chosen)

    def _environments(self) -> Sequence[Environment]:
        """Return the environments that the profile offers by the inventory."""
        if not self.known:
            return [each for each in self.hub.environments if each.name == self.slug and not self.hub.profiles]
        names_none = not self.known.environments and self.known["unlisted_image"] is None
        return self.hub.environments if names_none else self.known.environments

    def _by_image(self, chosen: Chosen) -> Environment | None:
        """Return the only environment with the image that is started, whatever the profile is called."""
        choices = [self.options[name][key] for name, key in chosen.items()]
        images = [(entry.get("kubespawner_override") or {}).get("image") for entry in (self.profile, *choices)]
        image = next((each for each in reversed(images) if each), None)
        known = {each.name: each for profile in self.hub.profiles for each in profile.environments}
        known.update({each.name: each for each in self.hub.environments})
        found = [each for each in known.values() if each.image == image]
        return found[0] if len(found) == 1 else None


def _why_none(profiles: Sequence[_Profile]) -> str:
    if all(profile.problem == GROUPS for profile in profiles):
        return GROUPS
    return "; ".join(f"profile {each.slug}: {each.problem}" for each in profiles if each.problem != GROUPS)


def _profile_list(values: Values) -> list[dict[str, Any]]:
    lists = [value_at(values, path) for path in _PROFILE_LISTS]
    found = next((each for each in lists if isinstance(each, list)), [])
    return [profile for profile in found if isinstance(profile, dict)]


def _without_profiles(hub: Hub, values: Values) -> Choice:
    """Return what every session is where users have no choice."""
    environment, size = _entry(hub.environments, None), _entry(hub.sizes, None)
    names = [entry.name for entry in (environment, size) if entry]
    return _choice(hub, values, environment, size, {}, "" if names else "default", _interface(values, []))


def _choice(
    hub: Hub,
    values: Values,
    environment: Environment | None,
    size: Size | None,
    user_options: dict[str, str],
    label: str,
    interface: str,
) -> Choice:
    """Return a choice. Programs such as pip are not tried: an image need not have any that a check could know."""
    made = Choice(
        environment=environment.name if environment else "",
        size=size.name if size else "",
        options=dict(user_options),
        label=label,
        interface=interface,
        interface_start=environment.program.start_timeout if environment and environment.program else 0,
        shared_directories=_shared_directories(hub, values),
    )
    return _with_code(made, environment) if environment and environment.check_code else made


def _interface(values: Values, parts: Sequence[dict[str, Any]]) -> str:
    """Return the path that sessions lead to, "" where the image decides, or what only KubeSpawner knows.

    parts: the profile and what is chosen of it, which may override it.
    """
    found = [value_at(values, path) for path in _DEFAULT_URLS]
    found += [value_at(part, ("kubespawner_override", "default_url")) for part in parts]
    path = next((each for each in reversed(found) if isinstance(each, str)), "")
    return path if path.startswith("/") and not set(path.replace("{username}", "")) & set("{}") else ""


def _with_code(choice: Choice, environment: Environment) -> Choice:
    return replace(choice, code=environment.check_code, expect=environment.check_output)


def _shared_directories(hub: Hub, values: Values) -> dict[str, bool]:
    """Return the paths in homes of shared directories -> whether users can write there.

    Sessions are of one account, whoever uses them: where the user of a check cannot write, nobody can.
    """
    found = {}
    home = hub["hub_home_mount_path"].rstrip("/") + "/"
    for name, entry in (hub[DIRECTORIES] or {}).items():
        path = entry["path"]
        relative = path_in_home(path)
        if relative is None and path.startswith(home):
            relative = posixpath.normpath(path[len(home) :])
        mounted = isinstance(value_at(values, ("singleuser", "storage", "extraVolumeMounts", name)), dict)
        if relative and mounted:
            found[relative] = not entry.get("read_only")
    return found


def _for_all(entry: dict[str, Any]) -> bool:
    return entry.get("allowed_groups") is None


def _in_order(entries: dict[str, Any]) -> dict[str, Any]:
    """Return options or choices in the order that the hub has: Helm sorts them, and the hub sorts by position."""
    alphabetic = sorted((key, entry) for key, entry in entries.items() if isinstance(entry, dict) and key)
    return dict(sorted(alphabetic, key=lambda item: item[1].get(POSITION, len(entries))))


def _default(choices: dict[str, Any]) -> str:
    return next((key for key, choice in choices.items() if choice.get("default")), next(iter(choices)))


def _preselected(profiles: Sequence[_Profile]) -> _Profile:
    return next((each for each in profiles if each.profile.get("default")), profiles[0])


def _slug(profile: Any) -> str:
    slug: str = profile["slug"] or slug_of(profile["title"])
    return slug


def _entry(entries: Sequence[Entry], key: str | None) -> Entry | None:
    """Return the entry that a choice is, else the only one; None where neither is there."""
    for entry in entries:
        if key is not None and key in (entry.choice or entry.name, entry.name):
            return entry
    return entries[0] if len(entries) == 1 else None
