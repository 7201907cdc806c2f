# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of an entry of ``hub_profiles``: the profile list on Kubernetes."""

from __future__ import annotations

from .catalogue_options import CHOICE_PATTERN, CHOICE_TEXT
from .option import Option, element, names

_NAMES = element("str", pattern=CHOICE_PATTERN, pattern_text=CHOICE_TEXT)

PROFILE = (
    Option("title", "str", ("Name that users see.",), prose=True, required=True),
    Option("description", "str", ("Description that users see.",), prose=True),
    Option(
        "slug",
        "str",
        ("Identifier of the profile in links and saved selections; defaults to one made from the title.",),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("default", "bool", ("Whether the profile is preselected; by default, the first profile is.",)),
    Option(
        "allowed_groups",
        "list",
        ("JupyterHub groups whose members see the profile; unset, all users see it.",),
        elements=names(),
    ),
    Option(
        "environments",
        "list",
        (
            "Names of environments in O(hub_environment_catalogue).",
            "With a single name, the profile uses it; with several, the user selects one.",
        ),
        elements=_NAMES,
    ),
    Option("default_environment", "str", ("Preselected environment; defaults to the first one.",)),
    Option(
        "environment_option",
        "str",
        (
            "Identifier of the environment option in links and saved selections.",
            "If it is set, users see the option even with a single environment.",
        ),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("environment_title", "str", ("Label of the environment option.",), prose=True, default="Image"),
    Option(
        "unlisted_image",
        "dict",
        ("Allows users to enter an image of their own.",),
        options=(
            Option("title", "str", ("Label of the input field.",), prose=True, default="Custom image"),
            Option(
                "pattern",
                "str",
                ("Regular expression that the image must match, from its start; end it with C($).",),
                default="^.+:.+$",
            ),
            Option(
                "message",
                "str",
                ("Message to users if the image does not match.",),
                prose=True,
                default="Must be a publicly available docker image, of form <image-name>:<tag>",
            ),
            Option("choice_title", "str", ("Title of the choice that opens the input field.",), prose=True),
            Option("choice_description", "str", ("Description of that choice.",), prose=True),
            Option(
                "allowed_groups", "list", ("JupyterHub groups whose members may enter an image.",), elements=names()
            ),
        ),
        example="{title: Another image}",
    ),
    Option(
        "sizes",
        "list",
        (
            "Names of sizes in O(hub_size_catalogue).",
            "With a single name, the profile uses it; with several, the user selects one.",
        ),
        elements=_NAMES,
    ),
    Option("default_size", "str", ("Preselected size; defaults to the first one.",)),
    Option(
        "size_option",
        "str",
        (
            "Identifier of the size option in links and saved selections.",
            "If it is set, users see the option even with a single size.",
        ),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("size_title", "str", ("Label of the size option.",), prose=True, default="Size"),
    Option(
        "override",
        "dict",
        ("Additional traits of KubeSpawner for every session of the profile, as in C(kubespawner_override).",),
    ),
    Option(
        "options",
        "dict",
        ("Additional options, as in KubeSpawner's C(profile_options); merged over the environment and size options.",),
    ),
    Option("extra", "dict", ("Additional keys of the profile in KubeSpawner's profile list, for custom forms.",)),
)
