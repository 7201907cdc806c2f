# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A spawner whose users choose from KubeSpawner's profile list; how it starts is left open."""

from __future__ import annotations

from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Callable, Dict, List, Unicode, Union, default

from hubfleet_runtime import form, profiles


class ProfileListSpawner(LocalProcessSpawner):
    """Shows the profile list as a form, checks what is asked for, and applies it to one start."""

    environments = Dict(value_trait=Unicode(), help="Built environments: name to directory.").tag(config=True)
    image = Unicode(help="Name of the environment to start; the first one when empty.").tag(config=True)
    profile_list = Union(
        [List(Dict()), Callable()],
        help="""What users choose from, as for KubeSpawner;
        or a function of the spawner that gives it.""",
    ).tag(config=True)

    async def profiles(self) -> list[dict[str, Any]]:
        """The profile list for this user."""
        listed = self.profile_list
        if callable(listed):
            listed = await maybe_future(listed(self))
            profiles.validate(listed, self.environments)
        return list(listed)

    @default("options_form")
    def _options_form_default(self) -> Any:
        async def rendered(spawner: ProfileListSpawner) -> str:
            return form.render(await spawner.profiles(), spawner.orm_spawner.user_options)

        return rendered

    @default("options_from_form")
    def _options_from_form_default(self) -> Any:
        async def checked(fields: dict[str, list[str]]) -> dict[str, str]:
            options = profiles.options_from_form(fields)
            await self.overrides(options)  # here, so that the form says what is wrong
            return options

        return checked

    @default("apply_user_options")
    def _apply_user_options_default(self) -> Any:
        async def apply(spawner: ProfileListSpawner, options: dict[str, Any]) -> None:
            spawner.apply_overrides(await spawner.overrides(options or {}))

        return apply

    async def overrides(self, options: dict[str, Any]) -> dict[str, Any]:
        """What the options override; HTTP 400 with the list of choices when they are wrong."""
        listed = await self.profiles()
        try:
            return profiles.choose(listed, options, self.environments)
        except profiles.ChoiceError as error:
            if self._asked_now():
                raise web.HTTPError(400, str(error)) from None
            # saved at an earlier start and no longer offered: must not lock the user out
            self.log.warning(
                "%s: the saved choice is not offered any more (%s); using the default",
                self._log_name,
                error,
            )
            return profiles.choose(listed, {}, self.environments)

    def _asked_now(self) -> bool:
        """Whether the request that starts this server says what to start."""
        request = getattr(self.handler, "request", None)
        if request is None:
            return True
        return bool(request.body.strip() or set(request.query_arguments) - {"next", "_xsrf"})

    def apply_overrides(self, overrides: dict[str, Any]) -> None:
        """Applies a choice to this start only: what an earlier one changed is put back first."""
        for key, value in getattr(self, "_before_choice", {}).items():
            setattr(self, key, value)
        self._before_choice = {key: getattr(self, key) for key in overrides}
        for key, value in overrides.items():
            # a new dict: the old one may be the configuration of all users
            setattr(self, key, {**getattr(self, key), **value} if isinstance(value, dict) else value)
