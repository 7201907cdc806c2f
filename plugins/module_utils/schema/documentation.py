# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate the argument specs of the roles and the option reference from the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ..common.nested import map_leaves
from ..common.text import markdown_table
from .addon_options import ADDON_SETTINGS
from .authenticators import AUTHENTICATORS, Authenticator
from .cluster_options import CLUSTER_CHAPTERS, CLUSTER_OPTIONS
from .hub_options import CHAPTERS, HUB_OPTIONS
from .option import KINDS, PLATFORMS, Option
from .units import format_duration, format_memory

#: Kind -> type in Ansible, where it is not str; the engine parses amounts itself.
_ANSIBLE_TYPES = {
    "number": "float",
    "port": "int",
    "bool": "bool",
    "int": "int",
    "list": "list",
    "dict": "dict",
    "values": "dict",
}


def role_argument_specs() -> dict[str, dict[str, Any]]:
    """Return role name -> content of its meta/argument_specs.yml."""
    hub = {
        "main": _entry_point("Deploy one hub", "Writes the hub's files and lets its services run.", HUB_OPTIONS),
        "stop": _entry_point("Stop one hub", "Stops its services.", (STOP_SERVERS, _end_sessions("stop"))),
        "remove": _entry_point(
            "Remove one hub",
            "Stops its services and its users' servers.",
            (REMOVE_DATA, REMOVE_EXPORT, _end_sessions("remove")),
        ),
        "rollback": _entry_point("Roll back one hub", "Deploys an earlier deploy again.", (ROLLBACK_TO, ROLLBACK_UNDO)),
        "backup": _entry_point("Back up one hub", "Saves its data, and schedules further backups.", (BACKUP_LIST,)),
        "restore": _entry_point(
            "Restore one hub",
            "Puts a backup in place; a deploy starts the hub.",
            (RESTORE_FROM, RESTORE_REPLACE, _end_sessions("restore")),
        ),
        "drill": _entry_point(
            "Test a backup of one hub", "Restores it beside the hub, checks and removes it.", (DRILL_FROM,)
        ),
    }
    text = "Installs what the hubs of a cluster share - tools, environments and the supervisor."
    cluster = {
        "main": _entry_point("Prepare a cluster", text, (CLUSTER_PLAN, *CLUSTER_OPTIONS)),
        "prune": _entry_point(
            "Prune a cluster", "Removes environments and tools that are not needed.", (CLUSTER_PLAN,)
        ),
    }
    text = "Writes the repository of a new fleet - an example inventory, and workflows. Keeps existing files."
    repository = {"main": _entry_point("Create the repository of a fleet", text, REPOSITORY)}
    roles = {"hub": hub, "cluster": cluster, "fleet_repository": repository}
    return {role: {"argument_specs": entry_points} for role, entry_points in roles.items()}


REMOVE_DATA = Option(
    "remove_data",
    "bool",
    ("Also remove the hub's homes, database, secrets and accounts. This cannot be undone.",),
    default=False,
)
REMOVE_EXPORT = Option(
    "remove_export", "bool", ("Export a copy of the data before O(remove_data) removes it.",), default=True
)
ROLLBACK_TO = Option("rollback_to", "int", ("Number of the deploy; if unset, the one before the last.",))
ROLLBACK_UNDO = Option(
    "rollback_undo",
    "bool",
    ("Fail unless the last deploy changed the version of the hub; for rollbacks of a failed deploy.",),
    default=False,
)
BACKUP_LIST = Option("backup_list", "bool", ("Only list the backups.",), default=False)
RESTORE_FROM = Option("restore_from", "str", ("Id of the backup.",), default="latest")
RESTORE_REPLACE = Option("restore_replace", "str", ("Names of existing hubs to replace, with commas between them.",))
DRILL_FROM = Option("drill_from", "str", ("Id of the backup.",), default="latest")
STOP_SERVERS = Option(
    "stop_servers",
    "bool",
    ("Also stop the servers of users; otherwise they keep running.",),
    default=False,
)
CLUSTER_PLAN = Option(
    "cluster_plan",
    "dict",
    ("The entry of the cluster in RV(hubfleet.jupyterhub.fleet_plan#module:machines).",),
    required=True,
)
REPOSITORY = (
    Option("fleet_repository_directory", "str", ("Directory of the repository.",), required=True),
    Option(
        "fleet_repository_platform",
        "str",
        ("Platform of the first cluster.",),
        default="server",
        choices=PLATFORMS,
    ),
    Option(
        "fleet_repository_cluster",
        "str",
        ("Name of the first cluster.", "If unset, C(machine) on a server and C(cloud) on Kubernetes."),
    ),
    Option(
        "fleet_repository_hub",
        "str",
        ("Name of the production hub; C(-staging) is appended for the staging hub.",),
        default="research",
    ),
    Option(
        "fleet_repository_ci",
        "str",
        ("Which workflows to write.",),
        default="both",
        choices=("github", "gitlab", "both", "none"),
    ),
)


def _end_sessions(verb: str) -> Option:
    return Option(f"{verb}_end_sessions", "bool", ("Continue even if users have open sessions.",), default=False)


def _entry_point(short: str, description: str, options: Iterable[Option]) -> dict[str, Any]:
    return {
        "short_description": short,
        "description": [description],
        "author": ["Hubfleet contributors (@hubfleet)"],
        "version_added": "0.1.0",
        "options": _without_foreign_names({option.name: _spec(option) for option in options}),
    }


def _without_foreign_names(specs: dict[str, Any]) -> dict[str, Any]:
    """Return specs whose references to options of other roles are written as code."""

    def written(found: re.Match[str]) -> str:
        own = found[1] in specs or not found[1].startswith(("hub_", "cluster_", "fleet_"))
        return found[0] if own else f"C({found[1]})"

    def without(leaf: Any) -> Any:
        return re.sub(r"O\((\w+)\)", written, leaf) if isinstance(leaf, str) else leaf

    return {name: map_leaves(spec, without) for name, spec in specs.items()}


def _spec(option: Option) -> dict[str, Any]:
    spec: dict[str, Any] = {"type": _ANSIBLE_TYPES.get(option.kind, "str")}
    platforms = [f"Only on {' and '.join(option.platforms)}."] if option.platforms else []
    spec["description"] = [*option.text, *_limits(option), *platforms]
    # Not required: the engine reports missing options with a better message, before any role runs.
    if option.default not in (None, (), {}, ""):
        spec["default"] = written_default(option)
    if option.choices:
        spec["choices"] = list(option.choices)
    if option.secret:
        spec["no_log"] = True
    if option.kind == "list" and option.elements:
        mixed = option.by_name is not None
        spec["elements"] = "raw" if mixed else _ANSIBLE_TYPES.get(option.elements.kind, "str")
        if not mixed and option.elements.options:
            spec["options"] = {key.name: _spec(key) for key in option.elements.options}
    if option.kind == "dict" and option.options:
        spec["options"] = {key.name: _spec(key) for key in option.options}
    return spec


def _limits(option: Option) -> list[str]:
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
    limits = [sentence.rstrip(".") for sentence in _limits(option) if sentence.startswith(("From", "At least"))]
    return "; ".join([form, *(limit[0].lower() + limit[1:] for limit in limits)])


def _default(option: Option) -> str:
    if option.required or option.default in (None, (), {}, ""):
        return ""
    value = written_default(option)
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _keys(option: Option) -> list[str]:
    """Return the table of the keys of an option, if it has any."""
    inner = option.elements.options if option.elements else option.options
    # Entries of a hub itself have the keys of the catalogue, and a name.
    return (
        [f"Keys of {'an entry of ' if option.elements else ''}`{option.name}`:", "", *_table(inner)]
        if inner and not option.by_name
        else []
    )


def _authenticator(authenticator: Authenticator) -> list[str]:
    rules = ", ".join(f"`{rule}`" for rule in ("hub_allowed_users", *authenticator.rules))
    lines = [
        f"### {authenticator.name}",
        "",
        authenticator.text,
        "",
        f"Allow rules: {rules}, `hub_allow_everyone`.",
        "",
    ]
    return lines + (_table(authenticator.settings) if authenticator.settings else [])


def _markdown(sentence: str) -> str:
    """Turn Ansible's markup into Markdown: ``O(hub_url)`` -> `hub_url`."""
    return re.sub(r"\b[OVC]\(([^)]*)\)", r"`\1`", sentence)
