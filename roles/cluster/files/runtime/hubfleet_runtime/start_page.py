# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start page: the form on which users choose an environment and its options, such as a size.

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from jupyterhub.utils import maybe_future
from markupsafe import Markup
from traitlets.config import Config


class StartPage:
    """In one class, so that other configuration cannot redefine a part of it by accident."""

    #: What a profile, an option or a choice tells users; KubeSpawner's own form has it as HTML.
    TEXTS = (
        "display_name",
        "description",
        "display_name_in_choices",
        "description_in_choices",
        "validation_message",
    )
    UNLISTED = "--unlisted-choice"
    #: Traits with which an operator has a template of their own.
    OWN_TEMPLATES = ("profile_form_template", "additional_profile_form_template_paths")
    #: What the places of an icon and a link may begin with; others could be code.
    ICONS = ("data:image/", "https://", "http://", "/")
    LINKS = ("https://", "http://", "/")

    @classmethod
    def render(cls, template: str, profiles: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any] | None) -> str:
        """Return the HTML inside of JupyterHub's form element; "" if there is nothing to choose.

        template: the path of the file. profiles: with slugs and defaults, as spawners initialize them. chosen: the user
        options of the last start, which are preselected if they are still offered.
        """
        if not cls._is_choice(profiles):
            return ""
        # Whoever uses the API may have saved anything.
        last = {name: value for name, value in chosen.items() if isinstance(value, str)} if chosen else {}
        default = next(profile["slug"] for profile in profiles if profile.get("default"))
        selected = last["profile"] if last.get("profile") in {profile["slug"] for profile in profiles} else default
        shown = [
            cls._shown(profile, last if profile["slug"] == last.get("profile", default) else {}) for profile in profiles
        ]
        return cls._template(template).render(profiles=shown, selected=selected)

    @classmethod
    def _is_choice(cls, profiles: Sequence[Mapping[str, Any]]) -> bool:
        options = [option for profile in profiles for option in (profile.get("profile_options") or {}).values()]
        return len(profiles) > 1 or any(
            len(option.get("choices") or {}) > 1 or cls._typed(option) for option in options
        )

    @staticmethod
    def _typed(option: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what an option says of values that users type; None if they cannot."""
        unlisted = option.get("unlisted_choice") or {}
        return unlisted if unlisted.get("enabled") else None

    @classmethod
    def _shown(cls, profile: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
        """Return a profile as the template needs it. last: the user options of the last start in this profile."""
        options = []
        for name, option in (profile.get("profile_options") or {}).items():
            choices = option.get("choices") or {}
            typed = cls._typed(option)
            usual = next((key for key, choice in choices.items() if choice.get("default")), "")
            made = {
                "display_name": option.get("display_name") or name,
                "field": f"profile-option-{profile['slug']}--{name}",
                "choices": choices,
                "selected": last[name] if last.get(name) in choices else usual,
                "typed": typed,
                "text": last.get(name + cls.UNLISTED, "") if typed else "",
            }
            options.append(made)
        packages = profile.get("packages")
        return {
            **profile,
            "options": options,
            "packages": packages if isinstance(packages, (list, tuple)) else (),
            "icon": cls._address(profile.get("icon"), cls.ICONS),
            "link": cls._address(profile.get("link"), cls.LINKS),
        }

    @staticmethod
    def _address(value: Any, beginnings: tuple[str, ...]) -> str:
        return value if isinstance(value, str) and value.lower().startswith(beginnings) else ""

    @staticmethod
    @functools.cache
    def _template(path: str) -> jinja2.Template:
        with open(path, encoding="utf-8") as file:
            return jinja2.Environment(autoescape=True).from_string(file.read())

    @classmethod
    def marked_as_html(cls, entry: Any) -> Any:
        """Return profiles whose texts are shown as the HTML that they are, not escaped."""
        if isinstance(entry, Mapping):
            return {
                key: Markup(value) if key in cls.TEXTS and isinstance(value, str) else cls.marked_as_html(value)
                for key, value in entry.items()
            }
        return [cls.marked_as_html(each) for each in entry] if isinstance(entry, list) else entry

    @classmethod
    def configure(cls, c: Config, template: str) -> None:
        """Take the place of KubeSpawner's form, unless the configuration has one of its own."""
        spawners = c.KubeSpawner
        own_form = any("options_form" in section for section in (c.Spawner, spawners))
        if own_form or not spawners.get("profile_list") or any(spawners.get(name) for name in cls.OWN_TEMPLATES):
            return

        async def options_form(spawner: Any) -> str:
            listed = spawner.profile_list
            if isinstance(listed, Mapping):
                listed = [listed[key] for key in sorted(listed)]
            profiles = await maybe_future(listed(spawner)) if callable(listed) else listed
            ready = cls.marked_as_html(spawner._get_initialized_profile_list(profiles)) or []
            page = cls.render(template, ready, spawner.orm_spawner.user_options)
            if not page:
                # The server starts at once, with what was chosen the last time: KubeSpawner refuses what is gone.
                spawner.orm_spawner.user_options = None
            return page

        c.KubeSpawner.options_form = options_form
