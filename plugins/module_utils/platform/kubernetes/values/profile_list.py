# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users start: images, sizes and profiles, in KubeSpawner's schema.

Source: KubeSpawner's documentation of ``profile_list``, and the chart's of ``singleuser``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ....schema.model import Environment, Hub, Profile, Size
from ....schema.profile_options import PROFILE
from ....schema.units import MEMORY_UNITS, Memory
from ...traits import interface_path
from .layers import merge
from .profile_texts import as_html
from .settings import Setting, literal_variables, setting

GPU = "nvidia.com/gpu"
ENVIRONMENT_OPTION, SIZE_OPTION = "image", "size"
#: Memory that the chart guarantees every session by default.
_CHART_GUARANTEE = MEMORY_UNITS["G"]
#: What a profile's unlisted image says that sets nothing.
_UNLISTED = {
    option.name: option.default
    for profile_option in PROFILE
    if profile_option.name == "unlisted_image"
    for option in profile_option.options
}


def profile_list_settings(hub: Hub) -> Iterator[Setting]:
    """Yield what every session is, and what users choose from."""
    profiles = hub.profiles or _one_per_environment(hub)
    if hub.profiles or not profiles:
        yield from _every_session(hub)
    if profiles:
        source = "hub_profiles" if hub.profiles else "hub_environments"
        made = [_profile(profile) for profile in profiles]
        if hub["hub_defaults_source"] == "collection":
            made = [as_html(profile) for profile in made]
        yield setting("singleuser.profileList", made, source)


def _every_session(hub: Hub) -> Iterator[Setting]:
    # Of several there is none that every session is.
    for environment in hub.environments if len(hub.environments) == 1 else ():
        name, tag = split_image(environment.image)
        yield setting("singleuser.image.name", name, "hub_environments")
        yield setting("singleuser.image.tag", tag, "hub_environments")
        if environment.image_pull_policy:
            yield setting("singleuser.image.pullPolicy", environment.image_pull_policy, "hub_environments")
        if environment.interface:
            yield setting("singleuser.defaultUrl", interface_path(environment.interface), "hub_environments")
        if environment.variables:
            yield setting("singleuser.extraEnv", literal_variables(dict(environment.variables)), "hub_environments")
    for size in hub.sizes if len(hub.sizes) == 1 else ():
        for path, amount in (
            ("memory.limit", _specification(size.memory)),
            ("memory.guarantee", _specification(_guarantee(size))),
            ("cpu.limit", size.cpu),
            ("cpu.guarantee", size.cpu_guarantee),
        ):
            if amount is not None:
                yield setting(f"singleuser.{path}", amount, "hub_sizes")
        if size.gpu:
            for bound in ("limits", "guarantees"):
                yield Setting(("singleuser", "extraResource", bound, GPU), str(size.gpu), ("hub_sizes",))
        if size.node_selector:
            yield setting("singleuser.nodeSelector", dict(size.node_selector), "hub_sizes")


def split_image(image: str) -> tuple[str, str]:
    """Return name and tag as the chart takes them: it joins both by a colon, also before a digest."""
    name, _colon, tag = image.rpartition(":")
    return name, tag


def _one_per_environment(hub: Hub) -> list[Profile]:
    """Return the profiles of a hub that has none of its own: none where there is nothing to choose."""
    simple = len(hub.environments) <= 1 and len(hub.sizes) <= 1
    if not hub.environments or (simple and not hub["hub_unlisted_image"] and not _needs_profile(hub)):
        return []
    found = [
        _made_profile(
            environment.title,
            environment.name,
            (environment,),
            hub.sizes,
            description=environment.description or None,
            allowed_groups=environment.allowed_groups,
            extra=environment.extra,
        )
        for environment in hub.environments
    ]
    if hub["hub_unlisted_image"]:
        found.append(_made_profile("Other image", "other", (), hub.sizes, unlisted_image=dict(_UNLISTED)))
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
        override.update(_overrides(entries[0]))
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
    return {**choice, "kubespawner_override": _overrides(entry), **(entry.extra or {})}


def _overrides(entry: Environment | Size) -> dict[str, Any]:
    made = _size_overrides(entry) if isinstance(entry, Size) else _environment_overrides(entry)
    return merge({key: value for key, value in made.items() if value is not None}, entry.override or {})


def _size_overrides(size: Size) -> dict[str, Any]:
    return {
        "mem_limit": _specification(size.memory),
        "mem_guarantee": _specification(_guarantee(size)),
        "cpu_limit": size.cpu,
        "cpu_guarantee": size.cpu_guarantee,
        "extra_resource_limits": {GPU: str(size.gpu)} if size.gpu else None,
        "node_selector": dict(size.node_selector) if size.node_selector else None,
    }


def _guarantee(size: Size) -> int | None:
    """Return the guaranteed memory: Kubernetes refuses the chart's default where it is above the limit."""
    if size.memory_guarantee is None and size.memory is not None and size.memory < _CHART_GUARANTEE:
        return size.memory
    return size.memory_guarantee


def _environment_overrides(environment: Environment) -> dict[str, Any]:
    return {
        "image": environment.image,
        "image_pull_policy": environment.image_pull_policy,
        "working_dir": environment.working_directory,
        "default_url": interface_path(environment.interface) if environment.interface else None,
        "environment": literal_variables(dict(environment.variables)) or None,
    }


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


def _specification(amount: int | None) -> Any:
    return amount.specification if isinstance(amount, Memory) else amount


def has_groups(profile_list: Any) -> bool:
    """Tell whether anything in a profile list is for members of groups only."""
    if isinstance(profile_list, dict):
        return "allowed_groups" in profile_list or any(map(has_groups, profile_list.values()))
    return isinstance(profile_list, list) and any(map(has_groups, profile_list))
