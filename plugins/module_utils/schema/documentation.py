# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate the option reference from the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ..common.text import markdown_table
from .addon_options import ADDON_SETTINGS
from .authenticators import AUTHENTICATORS, Authenticator
from .cluster_options import CLUSTER_CHAPTERS
from .hub_options import CHAPTERS
from .option import KINDS, Option
from .units import format_duration, format_memory


def limits(option: Option) -> list[str]:
    """Return sentences about the format and the limits of a value."""
    sentences = []
    if option.kind not in ("str", "int", "number", "bool", "list", "dict", "port"):
        what = KINDS[option.kind]
        sentences.append(f"{what[0].upper()}{what[1:]}.")
    least, most = _amount(option, option.minimum), _amount(option, option.maximum)
    if least and most:
        sentences.append(f"From {least} to {most}.")
    elif least:
        sentences.append(f"At least {least}.")
    return sentences


def _amount(option: Option, value: Any) -> str:
    if value is None:
        return ""
    if option.kind == "memory":
        return format_memory(int(value))
    if option.kind == "duration":
        return format_duration(int(value)) if value else "0"
    return f"{value:g}"


def written_default(option: Option) -> Any:
    """Return the default as it is written in an inventory."""
    if option.kind == "duration":
        return format_duration(option.default)
    return list(option.default) if isinstance(option.default, tuple) else option.default


def option_reference() -> str:
    """Return docs/options.md."""
    lines = [
        "<!-- Generated from the schema by `make generate`; do not edit. -->",
        "# Options",
        "",
        "Set variables of hubs (`hub_*`) in `inventory/host_vars/HUB.yml`, and those of clusters (`cluster_*`) in",
        "`group_vars/CLUSTER.yml`. Settings that several hubs share can be in any group that contains them.",
        "Options for one platform only are marked with its name.",
        "",
        "Put names, versions and dates in quotes: YAML reads `0123` as 83, `12:30` as 750, `1.10` as 1.1 and `NO` as",
        "false. A value that YAML reads as something else than what is written is an error, as are numbers in lists of",
        "names, durations without a unit, and names that start or end with white space.",
        "",
    ]
    for title, chapter in CHAPTERS:
        lines += [f"## {title}", "", *_table(chapter)]
        for option in chapter:
            lines += _keys(option)
    lines += ["## Settings of authenticators", "", "Keys of `hub_authenticator_settings`.", ""]
    for authenticator in AUTHENTICATORS:
        lines += _authenticator(authenticator)
    lines += ["## Settings of add-ons", "", "Keys of `hub_addons.NAME.settings`.", ""]
    for name, settings in ADDON_SETTINGS.items():
        lines += [f"### {name}", "", *_table(settings)]
    for title, options in CLUSTER_CHAPTERS:
        lines += [f"## {title}", "", *_table(options)]
    return "\n".join(lines).rstrip() + "\n"


def _table(options: Iterable[Option]) -> list[str]:
    rows = []
    for option in options:
        text = " ".join([_markdown(sentence) for sentence in option.text])
        if option.example:
            text += f" Example: `{option.example}`"
        rows.append((f"`{option.name}`" + _needed(option), text, _form(option), _default(option)))
    return [*markdown_table(("option", "description", "format", "default"), rows), ""]


def _needed(option: Option) -> str:
    if option.required:
        needed = " **required**"
    else:
        needed = f" **required on {' and '.join(option.required_on)}**" if option.required_on else ""
    return needed + (f" *{', '.join(option.platforms)}*" if option.platforms else "")


def _form(option: Option) -> str:
    if option.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in option.choices)
    form = option.pattern_text if option.pattern and option.kind == "str" else KINDS[option.kind]
    if option.kind == "list" and option.elements:
        form = f"a list; each: {option.elements.pattern_text or KINDS[option.elements.kind]}"
    found = [sentence.rstrip(".") for sentence in limits(option) if sentence.startswith(("From", "At least"))]
    return "; ".join([form, *(limit[0].lower() + limit[1:] for limit in found)])


def _default(option: Option) -> str:
    if option.required or option.default in (None, (), {}, ""):
        return ""
    value = written_default(option)
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _keys(option: Option) -> list[str]:
    """Return the table of the keys of an option, if it has any."""
    inner = option.elements.options if option.elements else option.options
    # Entries of a hub itself have the keys of the catalogue, and a name.
    if not inner or option.by_name:
        return []
    lines = [f"Keys of {'an entry of ' if option.elements else ''}`{option.name}`:", "", *_table(inner)]
    for key in inner:
        if key.options or (key.elements and key.elements.options):
            lines += ["", *_keys(key)]
    return lines


def _authenticator(authenticator: Authenticator) -> list[str]:
    rules = ", ".join(f"`{rule}`" for rule in ("hub_allowed_users", *authenticator.rules))
    lines = [
        f"### {authenticator.name}",
        "",
        _markdown(authenticator.text),
        "",
        f"Allow rules: {rules}, `hub_allow_everyone`.",
        "",
    ]
    return lines + (_table(authenticator.settings) if authenticator.settings else [])


def _markdown(sentence: str) -> str:
    """Turn Ansible's markup into Markdown: ``O(hub_url)`` -> `hub_url`."""
    return re.sub(r"\b[OVC]\(((?:[^()]|\([^()]*\))*)\)", r"`\1`", sentence)
