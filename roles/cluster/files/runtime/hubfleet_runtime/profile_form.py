# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the form on which users choose an environment and a size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from hubfleet_runtime import profiles

_templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


def render(profile_list: Iterable[Mapping[str, Any]], chosen: Mapping[str, Any] | None = None) -> str:
    """Return the HTML inside of JupyterHub's form element; "" if there is nothing to choose.

    chosen: the user options of the last start, which are preselected if they are still offered.
    """
    if profiles.single_choice(profile_list):
        return ""
    ready = profiles.initialized(profile_list)
    last = dict(chosen or {})
    default = next(profile["slug"] for profile in ready if profile.get("default"))
    slugs = {profile["slug"] for profile in ready}
    selected = last["profile"] if last.get("profile") in slugs else default
    for profile in ready:
        for name, option in profile["profile_options"].items():
            before = last.get(name) if profile["slug"] == selected else None
            usual = next((key for key, choice in option["choices"].items() if choice.get("default")), "")
            option["selected"] = before if before in option["choices"] else usual
    return _templates.get_template("profiles.html").render(
        profiles=ready, selected=selected, unlisted=profiles.UNLISTED
    )
