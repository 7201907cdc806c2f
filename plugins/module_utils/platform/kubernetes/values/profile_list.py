# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users start: images, sizes and profiles, in KubeSpawner's schema.

Source: KubeSpawner's documentation of ``profile_list``, and the chart's of ``singleuser``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ....common.nested import value_at, walk
from ....schema.model import Environment, Hub, Profile, Size
from ....schema.profile_options import PROFILE
from ....schema.units import MEMORY_UNITS
from ...start_page import shown_of
from .layers import Values, merge
from .profile_texts import as_html
from .session_traits import (
    GPU,
    LEAST_MEMORY,
    Guarantees,
    every_session,
    image_settings,
    overrides,
)
from .settings import Setting, setting

Entry = TypeVar("Entry", Environment, Size)

ENVIRONMENT_OPTION, SIZE_OPTION = "image", "size"
#: Key of choices and options: their place in the inventory, where this is not the order of their names.
POSITION = "position"
#: Reserved for a session whose size says nothing of memory, as the chart does.
_PLACEHOLDER_MEMORY = MEMORY_UNITS["G"]
#: What a profile's unlisted image says that sets nothing.
_UNLISTED = {
    option.name: option.default
    for profile_option in PROFILE
    if profile_option.name == "unlisted_image"
    for option in profile_option.options
}


def profile_list_settings(hub: Hub, helm_values: Values) -> Iterator[Setting]:
    """Yield what every session is, and what users choose from.

    With the chart's defaults, nothing is set that the inventory does not set: a single environment or size is then
    below all profiles, and Helm sorts choices by their names.

    helm_values: the operator's; what they guarantee every session holds for sizes that name nothing.
    """
    source = "hub_profiles" if hub.profiles else "hub_environments"
    if hub["hub_defaults_source"] == "chart":
        profiles = hub.profiles or _one_per_environment(hub, hub.sizes)
        if hub.profiles or not profiles:
            yield from every_session(hub.environments, hub.sizes)
        if profiles:
            yield setting("singleuser.profileList", [_profile(profile) for profile in profiles], source)
        return
    guarantees = Guarantees.beside(helm_values)
    sizes = [_described(guarantees.of(size)) for size in hub.sizes]
    profiles = [_completed(profile, hub.environments, sizes, guarantees) for profile in hub.profiles]
    profiles = profiles or _one_per_environment(hub, sizes)
    if profiles or len(sizes) != 1:
        yield setting("singleuser.memory.guarantee", LEAST_MEMORY.specification, "hub_sizes")
    if not profiles:
        yield from every_session(hub.environments, sizes)
    else:
        yield from _default_image(profiles, source)
        listed = [_in_order(as_html({**_shown(profile), **_profile(profile)})) for profile in profiles]
        yield setting("singleuser.profileList", listed, source)
    if hub["hub_user_placeholders"] or value_at(helm_values, ("scheduling", "userPlaceholder", "replicas")):
        size = _default_size(profiles) if profiles else next(iter(sizes), None)
        # Unless the chart reserves what Helm values guarantee every session.
        if guarantees.memory is not None or (size and size.memory_guarantee is not None):
            yield _placeholders(size)


def _completed(
    profile: Profile, environments: Sequence[Environment], sizes: Sequence[Size], guarantees: Guarantees
) -> Profile:
    """Return a profile with the hub's only environment and only size where it names none."""
    own = [_described(guarantees.of(size)) for size in profile.sizes]
    names_none = not profile.environments and profile["unlisted_image"] is None
    offered = environments if names_none and len(environments) == 1 else profile.environments
    return replace(
        profile,
        environments=tuple(map(_described, offered)),
        sizes=tuple(sizes if not own and len(sizes) == 1 else own),
    )


def _shown(profile: Profile) -> dict[str, Any]:
    """Return what the start page shows of the only environment of a profile."""
    if len(profile.environments) != 1:
        return {}
    environment = profile.environments[0]
    return shown_of(environment, environment.builds_image)


def _described(entry: Entry) -> Entry:
    """Return an entry with its description in the title: KubeSpawner's own form shows only titles of choices."""
    return replace(entry, title=f"{entry.title} – {entry.description}", description="") if entry.description else entry


def _default_of(entries: Sequence[Any], name: str | None) -> Any:
    """Return the entry of this name, or the first; None if there is none."""
    return next((entry for entry in entries if entry.name == name), next(iter(entries), None))


def _default_profile(profiles: Sequence[Profile]) -> Profile:
    return next((profile for profile in profiles if profile["default"]), profiles[0])


def _default_size(profiles: Sequence[Profile]) -> Size | None:
    profile = _default_profile(profiles)
    size: Size | None = _default_of(profile.sizes, profile["default_size"])
    return size


def _default_image(profiles: Sequence[Profile], source: str) -> Iterator[Setting]:
    """Yield the image that most sessions have, since the chart's would be pulled on every node for nothing."""
    if all(profile.environments or profile["unlisted_image"] is not None for profile in profiles):
        named = [profile for profile in (_default_profile(profiles), *profiles) if profile.environments]
        for profile in named[:1]:
            environment = _default_of(profile.environments, profile["default_environment"])
            yield from image_settings(environment.image, source)


def _placeholders(size: Size | None) -> Setting:
    """Return what a placeholder reserves: what the default session is guaranteed, or else may use."""
    memory = size.memory_guarantee if size else None
    if memory is None or memory == LEAST_MEMORY:
        memory = (size.memory if size else None) or _PLACEHOLDER_MEMORY
    resources: dict[str, dict[str, Any]] = {"requests": {"memory": str(int(memory))}}
    if size and size.cpu_guarantee:
        resources["requests"]["cpu"] = size.cpu_guarantee
    if size and size.gpu:
        resources["requests"][GPU] = str(size.gpu)
        resources["limits"] = {GPU: str(size.gpu)}
    return setting("scheduling.userPlaceholder.resources", resources, "hub_user_placeholders")


def _one_per_environment(hub: Hub, sizes: Sequence[Size]) -> list[Profile]:
    """Return the profiles of a hub that has none of its own: none where there is nothing to choose."""
    simple = len(hub.environments) <= 1 and len(sizes) <= 1
    if simple and not hub["hub_unlisted_image"] and not _needs_profile(hub):
        return []
    found = [
        _made_profile(
            environment.title,
            environment.name,
            (environment,),
            sizes,
            description=environment.description or None,
            allowed_groups=environment.allowed_groups,
            extra=environment.extra,
        )
        for environment in hub.environments
    ]
    if not found and sizes:
        found = [_made_profile(hub.title, "default", (), sizes)]
    if hub["hub_unlisted_image"]:
        found.append(_made_profile("Other image", "other", (), sizes, unlisted_image=dict(_UNLISTED)))
    return found


def _needs_profile(hub: Hub) -> bool:
    """Tell whether the only environment or size has what ``singleuser`` has no place for."""
    entries: list[Environment | Size] = [*hub.environments, *hub.sizes]
    return any(entry.override or entry.extra or entry.allowed_groups for entry in entries) or any(
        environment.working_directory for environment in hub.environments
    )


def _made_profile(
    title: str, slug: str, environments: Sequence[Environment], sizes: Sequence[Size], **more: Any
) -> Profile:
    options = {option.name: option.default for option in PROFILE}
    options.update(title=title, slug=slug, **more)
    if len(sizes) > 1:
        options["size_option"] = SIZE_OPTION
    return Profile(options, tuple(environments), tuple(sizes))


def _profile(profile: Profile) -> dict[str, Any]:
    """Return one entry of ``profileList``."""
    made: dict[str, Any] = {"display_name": profile["title"]}
    for key in ("description", "slug", "default", "allowed_groups"):
        if profile[key] is not None:
            made[key] = profile[key]
    override: dict[str, Any] = {}
    options: dict[str, Any] = {}
    _choose(profile, "environment", profile.environments, override, options)
    _choose(profile, "size", profile.sizes, override, options)
    override = merge(override, profile["override"] or {})
    options = merge(options, profile["options"] or {})
    if override:
        made["kubespawner_override"] = override
    if options:
        made["profile_options"] = options
    return {**made, **(profile["extra"] or {})}


def _choose(
    profile: Profile,
    what: str,
    entries: tuple[Environment, ...] | tuple[Size, ...],
    override: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """Add the environments or sizes of a profile: the only one to what it is, several to what can be chosen."""
    option = profile[f"{what}_option"]
    unlisted = profile["unlisted_image"] if what == "environment" else None
    # What is for some only stays a choice, so that it is hidden from the others, unless the profile is for the same.
    for_all = all(not entry.allowed_groups or entry.allowed_groups == profile["allowed_groups"] for entry in entries)
    if len(entries) == 1 and not option and unlisted is None and for_all:
        override.update(overrides(entries[0]))
        return
    if not entries and unlisted is None:
        return
    made: dict[str, Any] = {"display_name": profile[f"{what}_title"]}
    if entries:
        default = profile[f"default_{what}"]
        made["choices"] = {entry.choice or entry.name: _choice(entry, entry.name == default) for entry in entries}
    if unlisted is not None:
        made["unlisted_choice"] = _unlisted(unlisted)
    options[option or (ENVIRONMENT_OPTION if what == "environment" else SIZE_OPTION)] = made


def _choice(entry: Environment | Size, default: bool) -> dict[str, Any]:
    choice: dict[str, Any] = {"display_name": entry.title}
    if entry.description:
        choice["description"] = entry.description
    if default:
        choice["default"] = True
    if entry.allowed_groups:
        choice["allowed_groups"] = entry.allowed_groups
    return {**choice, "kubespawner_override": overrides(entry), **(entry.extra or {})}


def _unlisted(given: dict[str, Any]) -> dict[str, Any]:
    made = {
        "enabled": True,
        "display_name": given["title"],
        "validation_regex": given["pattern"],
        "validation_message": given["message"],
        "display_name_in_choices": given["choice_title"],
        "description_in_choices": given["choice_description"],
        "allowed_groups": given["allowed_groups"],
        "kubespawner_override": {"image": "{value}"},
    }
    return {key: value for key, value in made.items() if value is not None}


def _in_order(profile: dict[str, Any]) -> dict[str, Any]:
    """Return a profile whose options and choices say their position, since Helm sorts mappings by key."""
    options = profile.get("profile_options")
    if not isinstance(options, dict):
        return profile
    return {**profile, "profile_options": _positioned({key: _with_default(option) for key, option in options.items()})}


def _with_default(option: Any) -> Any:
    """Return an option whose default does not depend on the order of its choices."""
    choices = option.get("choices") if isinstance(option, dict) else None
    if not isinstance(choices, dict) or len(choices) < 2 or not _are_mappings(choices):
        return option
    if not any(choice.get("default") for choice in choices.values()):
        first = next(iter(choices))
        choices = {**choices, first: {**choices[first], "default": True}}
    return {**option, "choices": _positioned(choices)}


def _positioned(entries: Mapping[str, Any]) -> dict[str, Any]:
    if list(entries) == sorted(entries) or not _are_mappings(entries):
        return dict(entries)
    return {key: {**entry, POSITION: index} for index, (key, entry) in enumerate(entries.items())}


def _are_mappings(entries: Mapping[str, Any]) -> bool:
    return all(isinstance(entry, dict) for entry in entries.values())


def has_groups(profile_list: Any) -> bool:
    """Tell whether anything in a profile list is for members of groups only."""
    return any(path[-1] == "allowed_groups" for path, _value in walk(profile_list))


def has_positions(profile_list: Any) -> bool:
    """Tell whether a profile list has to be put in order, once Helm has sorted it."""
    return any(path[-1] == POSITION for path, _value in walk(profile_list))
