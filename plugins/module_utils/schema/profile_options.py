# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of an entry of ``hub_profiles``: what users choose from on Kubernetes."""

from __future__ import annotations

from .catalogue_options import CHOICE_PATTERN, CHOICE_TEXT
from .option import Option, element, names

_NAMES = element("str", pattern=CHOICE_PATTERN, pattern_text=CHOICE_TEXT)

PROFILE = (
    Option("title", "str", ("Name that users see.",), required=True),
    Option("description", "str", ("A sentence that users see.",)),
    Option(
        "slug",
        "str",
        ("The profile's word in links and saved choices; made from the title when unset.",),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("default", "bool", ("Whether the profile is preselected; the first one when none is.",)),
    Option(
        "allowed_groups",
        "list",
        ("Only members of these groups of JupyterHub see the profile; everyone when unset.",),
        elements=names(),
    ),
    Option(
        "environments",
        "list",
        (
            "Names of environments in O(hub_environment_catalogue).",
            "One is what the profile starts; of several the user chooses.",
        ),
        elements=_NAMES,
    ),
    Option("default_environment", "str", ("The preselected environment; the first one when unset.",)),
    Option(
        "environment_option",
        "str",
        (
            "The word for the choice of the environment in links and saved choices.",
            "Set, there is a choice even of one.",
        ),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("environment_title", "str", ("What stands above the choice of the environment.",), default="Image"),
    Option(
        "unlisted_image",
        "dict",
        ("Lets users name an image of their own.",),
        options=(
            Option("title", "str", ("What stands above the field.",), default="Custom image"),
            Option("pattern", "str", ("Regular expression that the image must match.",), default="^.+:.+$"),
            Option(
                "message",
                "str",
                ("What users read when it does not.",),
                default="Must be a publicly available docker image, of form <image-name>:<tag>",
            ),
            Option("choice_title", "str", ("The entry among the environments that opens the field.",)),
            Option("choice_description", "str", ("A sentence under that entry.",)),
            Option("allowed_groups", "list", ("Only members of these groups may.",), elements=names()),
        ),
        example="{title: Another image}",
    ),
    Option(
        "sizes",
        "list",
        ("Names of sizes in O(hub_size_catalogue).", "One is what the profile starts; of several the user chooses."),
        elements=_NAMES,
    ),
    Option("default_size", "str", ("The preselected size; the first one when unset.",)),
    Option(
        "size_option",
        "str",
        ("The word for the choice of the size in links and saved choices.", "Set, there is a choice even of one."),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
    ),
    Option("size_title", "str", ("What stands above the choice of the size.",), default="Size"),
    Option(
        "override",
        "dict",
        ("More traits of KubeSpawner for every session of the profile, as in C(kubespawner_override).",),
    ),
    Option(
        "options",
        "dict",
        ("More choices, as in KubeSpawner's C(profile_options); merged over the ones above.",),
    ),
    Option("extra", "dict", ("More keys of the profile, for forms of your own.",)),
)
