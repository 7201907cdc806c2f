# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of directories and files that the users of a hub share."""

from __future__ import annotations

from .catalogue_options import CHOICE_PATTERN, CHOICE_TEXT, NAME_PATTERN, NAME_TEXT
from .formatted_text import KUBESPAWNER
from .option import SERVER, Option, element, names

PATH = Option(
    "path",
    "machine_path",
    (
        "Where users find it: a path that starts with C(~/), which means the home directory of the user.",
        "On Kubernetes, also an absolute path.",
    ),
    required=True,
    home=True,
)
SUBPATH = Option(
    "subpath",
    "str",
    (
        "On Kubernetes, the subdirectory of the volume that is mounted; C({username}) and the other placeholders of"
        " KubeSpawner are replaced.",
    ),
    placeholders=KUBESPAWNER,
)
READ_ONLY = Option("read_only", "bool", ("Whether users can only read.",))

SHARED = (
    Option(
        "hub_shared_directories",
        "dict",
        (
            "Directories that the users of the hub share, by name.",
            "On a machine, they are kept in C(.shared/NAME) in the directory of the home directories, and users find"
            " links to them. Removing one here does not remove its files.",
            "On Kubernetes, they are in the claim or export of the home directories (O(hub_home_storage)), in the"
            " directory C(subpath), and who may write is the same for all users.",
        ),
        elements=element(
            "dict",
            options=(
                PATH,
                READ_ONLY,
                Option(
                    "allowed_groups",
                    "list",
                    ("Groups whose members find the directory; unset, all users do.",),
                    elements=names(),
                    platforms=(SERVER,),
                ),
                Option(
                    "writable_by_groups",
                    "list",
                    ("Groups whose members can write; all others who find the directory can only read.",),
                    elements=names(),
                    platforms=(SERVER,),
                ),
                Option(
                    "source",
                    "machine_path",
                    (
                        "On a machine, an existing directory that is shared instead; its permissions are not changed,"
                        " and decide what users can do.",
                    ),
                    platforms=(SERVER,),
                ),
                SUBPATH,
            ),
        ),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example="{course: {path: ~/course, subpath: _course, read_only: true},"
        " results: {path: ~/results, allowed_groups: [students, teachers], writable_by_groups: [teachers]}}",
    ),
    Option(
        "hub_files",
        "dict",
        (
            "Files that every user finds, by name; every user can read them, so they must not hold secrets.",
            "On a machine, every start of a server writes them into the home, where users can change them until the"
            " next start; removing one here does not remove it from homes.",
            "On Kubernetes, they are mounted, so that users cannot change them, and are gone when they are removed"
            " here. Directories on their path that the home does not have are made, and belong to root.",
        ),
        elements=element(
            "dict",
            options=(
                PATH,
                Option("content", "str", ("Content of the file.",), prose=True, required=True),
                Option(
                    "mode",
                    "int",
                    ("File mode, such as 0644.",),
                    minimum=0,
                    maximum=0o777,
                    pattern_text="a file mode such as 0644",
                ),
            ),
        ),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
        example="{welcome: {path: ~/welcome.txt, content: Hello}}",
    ),
)
