# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Titles and descriptions of a profile list: KubeSpawner puts them into HTML as they are.

Source: KubeSpawner's ``templates/form.html``, which is rendered without escaping.
"""

from __future__ import annotations

import html
from typing import Any

from ....schema.kubernetes_checks import has_own_slug, slug_of

_TEXTS = ("display_name", "description", "display_name_in_choices", "description_in_choices", "validation_message")


def as_html(profile: dict[str, Any]) -> dict[str, Any]:
    """Return a profile whose texts users see as they are written, and one slug, which it had if it had one."""
    escaped = _escaped(profile)
    if escaped["display_name"] != profile["display_name"] or has_own_slug(profile["display_name"]):
        escaped.setdefault("slug", slug_of(profile["display_name"]))
    options = {name: _option(option) for name, option in (profile.get("profile_options") or {}).items()}
    return {**escaped, "profile_options": options} if options else escaped


def _option(option: Any) -> Any:
    if not isinstance(option, dict):
        return option
    made = _escaped(option)
    if isinstance(option.get("choices"), dict):
        made["choices"] = {name: _escaped(choice) for name, choice in option["choices"].items()}
    if "unlisted_choice" in option:
        made["unlisted_choice"] = _escaped(option["unlisted_choice"])
        made.setdefault("choices", {})  # KubeSpawner's form needs them
    return made


def _escaped(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {key: _text(key, value) if key in _TEXTS else value for key, value in entry.items()}


def _text(key: str, value: Any) -> Any:
    # Only the message is an attribute, in double quotes.
    return html.escape(value, quote=key == "validation_message") if isinstance(value, str) else value
