# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show profiles, and choices in them, that have allowed_groups to members of these groups only.

Groups are those that JupyterHub knows of a user, and with GitHub also organization:team; their case does not matter. A
choice that is hidden cannot be started through the API either, since spawners look choices up in the filtered list.

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from jupyterhub.utils import maybe_future
from tornado import web
from traitlets.config import Config


class AllowedGroups:
    """A filter of profile lists; in one class, so that other configuration cannot redefine a part of it by accident."""

    @classmethod
    async def visible(cls, profiles: Sequence[dict[str, Any]], spawner: Any) -> list[dict[str, Any]]:
        """Return the profiles that the user of a spawner may start. Raises HTTPError 403 if these are none."""
        groups = await cls.groups_of(spawner.user)
        allowed = [cls._without_hidden(profile, groups) for profile in profiles if cls._allows(profile, groups)]
        found = [profile for profile in allowed if profile is not None]
        if profiles and not found:
            # an empty list would start the spawner's default, which nobody offered
            raise web.HTTPError(403, "None of your groups may start a server on this hub.")
        return found

    @staticmethod
    async def groups_of(user: Any) -> set[str]:
        """Return the groups of a user, without case."""
        names = {group.name.casefold() for group in user.groups}
        state = await user.get_auth_state() or {}
        for team in state.get("teams") or ():
            try:
                names.add(f"{team['organization']['login']}:{team['slug']}".casefold())
            except (KeyError, TypeError):
                continue
        return names

    @staticmethod
    def _allows(entry: dict[str, Any], groups: set[str]) -> bool:
        wanted = entry.get("allowed_groups")
        return wanted is None or any(str(group).casefold() in groups for group in wanted)

    @classmethod
    def _without_hidden(cls, profile: dict[str, Any], groups: set[str]) -> dict[str, Any] | None:
        """Return a copy without the choices of others; None if nothing is left to choose, and so to start."""
        profile = copy.deepcopy(profile)
        for option in (profile.get("profile_options") or {}).values():
            if "choices" in option:
                option["choices"] = {
                    name: choice for name, choice in option["choices"].items() if cls._allows(choice, groups)
                }
            unlisted = option.get("unlisted_choice")
            if unlisted and not cls._allows(unlisted, groups):
                unlisted = option.pop("unlisted_choice")
            if not option.get("choices") and not (option.get("unlisted_choice") or {}).get("enabled"):
                return None
        return profile

    @classmethod
    def configure(cls, c: Config) -> None:
        """Filter the profile list of KubeSpawner, if there is one."""
        # not by its attribute, which exists, and is true, also if it was not set
        listed = c.KubeSpawner.get("profile_list")
        if not listed:
            return

        async def profile_list(spawner: Any) -> list[dict[str, Any]]:
            profiles = await maybe_future(listed(spawner)) if callable(listed) else listed
            return await cls.visible(profiles, spawner)

        c.KubeSpawner.profile_list = profile_list
