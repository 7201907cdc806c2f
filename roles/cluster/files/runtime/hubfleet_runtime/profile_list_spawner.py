# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A spawner with KubeSpawner's profile list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Callable, Dict, List, Unicode, Union, default

from hubfleet_runtime import profiles
from hubfleet_runtime.allowed_groups import AllowedGroups
from hubfleet_runtime.start_page import StartPage

_TEMPLATE = str(Path(__file__).parent / "templates" / "start_page.html")


class ProfileListSpawner(LocalProcessSpawner):
    """Show the profile list as a form, validate the user's choice, and apply it to one start."""

    environments = Dict(value_trait=Unicode(), help="Directory of each environment.").tag(config=True)
    image = Unicode(help="Name of the environment to start; the first one if empty.").tag(config=True)
    profile_list = Union(
        [List(Dict()), Callable()],
        help="The choices of users, as of KubeSpawner, or a function of the spawner that returns them.",
    ).tag(config=True)

    async def profiles(self) -> list[dict[str, Any]]:
        """Return the profiles that this user may start. Raises HTTPError 403 if these are none."""
        listed = self.profile_list
        if callable(listed):
            listed = await maybe_future(listed(self))
            profiles.validate(listed, self.environments)
        return await AllowedGroups.visible(list(listed), self)

    @default("options_form")
    def _options_form_default(self) -> Any:
        async def render(spawner: ProfileListSpawner) -> str:
            ready = profiles.initialized(await spawner.profiles())
            return StartPage.render(_TEMPLATE, ready, spawner.orm_spawner.user_options)

        return render

    @default("options_from_form")
    def _options_from_form_default(self) -> Any:
        async def validate(fields: dict[str, list[str]]) -> dict[str, str]:
            options = profiles.options_from_form(fields)
            await self.overrides(options)  # so that the form shows errors
            return options

        return validate

    @default("apply_user_options")
    def _apply_user_options_default(self) -> Any:
        async def apply(spawner: ProfileListSpawner, options: dict[str, Any]) -> None:
            spawner.apply_overrides(await spawner.overrides(options or {}))

        return apply

    async def overrides(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the overrides of user options. Raises HTTPError 400 with the possible choices."""
        listed = await self.profiles()
        try:
            return profiles.choose(listed, options, self.environments)
        except profiles.ChoiceError as error:
            if self._is_new_choice():
                raise web.HTTPError(400, str(error)) from None
            # of an earlier start and no longer offered: the user must be able to start a server
            self.log.warning(
                "%s: the saved choice is no longer offered (%s); using the default",
                self._log_name,
                error,
            )
            return profiles.choose(listed, {}, self.environments)

    def _is_new_choice(self) -> bool:
        """Return whether the request that starts this server contains user options."""
        request = getattr(self.handler, "request", None)
        if request is None:
            return True
        return bool(request.body.strip() or set(request.query_arguments) - {"next", "_xsrf"})

    def apply_overrides(self, overrides: dict[str, Any]) -> None:
        """Apply a choice to this start only, after undoing an earlier one."""
        for key, value in getattr(self, "_before_choice", {}).items():
            setattr(self, key, value)
        self._before_choice = {key: getattr(self, key) for key in overrides}
        for key, value in overrides.items():
            # a new dictionary: the old one may belong to the configuration of all users
            setattr(self, key, {**getattr(self, key), **value} if isinstance(value, dict) else value)
