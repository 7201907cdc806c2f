# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the catalogues' entries: environments and sizes."""

from __future__ import annotations

from ..environments.program import LONGEST_START
from .option import KUBERNETES, SERVER, Option, element, names
from .units import MEMORY_UNITS

NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?"
NAME_TEXT = "a short name of lower-case letters, digits and '-'"
#: An identifier in saved selections and links; imported ones need not follow NAME_PATTERN.
CHOICE_PATTERN = r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
CHOICE_TEXT = "a word of letters, digits, '-', '_' and '.'"
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"
VARIABLE_TEXT = "the name of an environment variable"
_MEBIBYTE = MEMORY_UNITS["M"]

_VARIABLES = Option(
    "variables",
    "dict",
    ("Environment variables of servers started in this environment.",),
    elements=element("str", prose=True),
    pattern=VARIABLE_PATTERN,
    pattern_text=VARIABLE_TEXT,
)
_PROGRAM = (
    Option(
        "command",
        "list",
        (
            "Program and its arguments, started when a user opens it, in the home.",
            "C({unix_socket}) is replaced by the socket that it must listen on, or C({port}) by a port of 127.0.0.1.",
            "C({base_url}) is replaced by the path of the user's server, C(/user/NAME/); the program's own follows it.",
            "All users of the environment can read it, so that it must not hold secrets.",
        ),
        required=True,
        elements=element("str", prose=True),
        example='[streamlit, run, app.py, --server.address, "unix://{unix_socket}"]',
    ),
    Option(
        "path",
        "str",
        ("Path in a user's server that the program has; defaults to the name of the environment.",),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
    ),
    Option("title", "str", ("Name in JupyterLab's launcher; defaults to the title of the environment.",), prose=True),
    Option(
        "start_timeout",
        "duration",
        ("Time that the program may take until it answers.",),
        default=60,
        minimum=1,
        maximum=LONGEST_START,
    ),
    Option(
        "whole_path",
        "bool",
        ("Whether the program is sent the whole path of a request, and not only what comes after its own.",),
        default=False,
    ),
    Option(
        "open_port",
        "bool",
        (
            "Whether the program may use C({port}) on a machine, where users of all hubs could then reach it without"
            " logging in.",
        ),
        default=False,
        platforms=(SERVER,),
    ),
)
INTERFACE = Option(
    "interface",
    "interface",
    (
        "Interface that a server opens with; overrides O(hub_interface): C(lab), C(notebook), a path, or a program.",
        "A program is served through Jupyter Server Proxy, which is added to the packages. An image that is not built"
        " must serve it at this path itself.",
    ),
    placeholders=("username",),
    pattern=r"lab|notebook|/\S*",
    pattern_text="lab, notebook or a path that starts with '/'",
    options=_PROGRAM,
    example='{command: [streamlit, run, app.py, --server.address, "unix://{unix_socket}"], title: Map viewer}',
)


def _allowed_groups(what: str) -> Option:
    return Option(
        "allowed_groups",
        "list",
        (f"JupyterHub groups whose members see and may start the {what}; unset, all users may.",),
        elements=names(),
    )


def _on_kubernetes(what: str, base: str) -> tuple[Option, ...]:
    """Return the keys of entries of both catalogues that are for Kubernetes only."""
    return (
        Option(
            "choice",
            "str",
            (f"Identifier of the {what} in links and saved selections; defaults to its name.",),
            pattern=CHOICE_PATTERN,
            pattern_text=CHOICE_TEXT,
            platforms=(KUBERNETES,),
        ),
        Option(
            "override",
            "dict",
            (f"Additional traits of KubeSpawner for sessions of this {base}, as in C(kubespawner_override).",),
            platforms=(KUBERNETES,),
            example="{extra_resource_limits: {example.org/fpga: 1}}",
        ),
        Option(
            "extra",
            "dict",
            ("Additional keys of the choice in KubeSpawner's profile list, for custom forms.",),
            platforms=(KUBERNETES,),
        ),
    )


ENVIRONMENT = (
    Option("title", "str", ("Name that users see.",), prose=True),
    Option("description", "str", ("Description that users see.",), prose=True, default=""),
    Option("link", "url", ("Page that tells users more; the start page links to it.",)),
    Option(
        "icon",
        "inventory_path",
        (
            "Image file that the start page shows beside the title; absolute or relative to the inventory directory.",
            "It is SVG, PNG, JPEG or WebP, of at most 8 KiB.",
        ),
    ),
    Option(
        "packages",
        "list",
        (
            "Python packages to install in addition to JupyterLab, as requirement specifiers.",
            "Pin their versions. The installed versions are recorded in C(lock.txt) in the environment.",
        ),
        default=(),
        elements=names(r"[A-Za-z0-9][^\n]*", "a requirement such as numpy==2.3.5"),
        example='["numpy==2.3.5"]',
    ),
    Option(
        "requirements",
        "inventory_path",
        ("Requirements file to use instead of packages; absolute or relative to the inventory directory.",),
    ),
    Option(
        "repository",
        "str",
        (
            "Git repository to build instead of packages, with the files that Binder and repo2docker read, such as"
            " C(requirements.txt): a URL, an address of SSH such as C(git@example.org:team/maps.git), or a path,"
            " absolute or relative to the inventory directory.",
            "The playbook C(environments) pins a commit of it in C(environments.lock.yml).",
        ),
        pattern=r"[^-\s]\S*",
        pattern_text="a URL such as https://github.com/ORGANIZATION/NAME, git@HOST:PATH, or a path",
        example="https://github.com/binder-examples/requirements",
    ),
    Option(
        "ref",
        "str",
        ("Branch, tag or commit of O(repository); unset, its default branch.",),
        pattern=r"[^-\s]\S*",
        pattern_text="a branch, a tag or a whole commit",
    ),
    Option(
        "subdirectory",
        "str",
        ("Directory of O(repository) to build, as if it were a repository of its own; unset, all of it.",),
        pattern=r"(?!\.\.?(/|$))[^/\s:]+(/(?!\.\.?(/|$))[^/\s:]+)*",
        pattern_text="a path in the repository, such as environments/geo",
    ),
    Option(
        "image",
        "image",
        (
            "Container image of sessions on Kubernetes; takes the place of O(packages), O(requirements) and"
            " O(repository) there.",
            "Unset, the playbook C(environments) builds an image of these, with JupyterLab, and pushes it to"
            " O(cluster_image_registry).",
        ),
        platforms=(KUBERNETES,),
        example="quay.io/jupyter/scipy-notebook:2025-11-10",
    ),
    Option(
        "image_pull_policy",
        "str",
        ("When the image is pulled.", "Unset, Kubernetes pulls the tag C(latest) each time, and others once per node."),
        choices=("IfNotPresent", "Always", "Never"),
        platforms=(KUBERNETES,),
    ),
    Option(
        "working_directory",
        "machine_path",
        ("Working directory of a session; defaults to O(hub_home_mount_path).",),
        platforms=(KUBERNETES,),
    ),
    INTERFACE,
    _VARIABLES,
    Option(
        "check_code",
        "python",
        ("Code that the check runs in a kernel of this environment.",),
        default="print(6 * 7)",
    ),
    Option("check_output", "str", ("Output that O(check_code) must print.",), prose=True, default="42"),
    _allowed_groups("environment"),
    *_on_kubernetes("environment", "environment"),
)

SIZE = (
    Option("title", "str", ("Name that users see.",), prose=True),
    Option("description", "str", ("Description that users see.",), prose=True, default=""),
    Option(
        "memory",
        "memory",
        ("Memory limit of a session; required on a server.",),
        required_on=(SERVER,),
        minimum=128 * _MEBIBYTE,
        maximum=64 * MEMORY_UNITS["T"],
    ),
    Option(
        "memory_guarantee",
        "memory",
        (
            "Guaranteed memory of a session; at most O(memory).",
            "On Kubernetes, it is set aside on the node of the session, and decides how many sessions a node takes and"
            " when an autoscaler adds one. A machine sets nothing aside.",
            "Unset, next to nothing is set aside (1M).",
        ),
        minimum=1 * _MEBIBYTE,
    ),
    Option("cpu", "number", ("CPU limit of a session.",), minimum=0.01, maximum=1024),
    Option(
        "cpu_guarantee",
        "number",
        (
            "Guaranteed CPUs of a session; at most O(cpu).",
            "On Kubernetes, they are set aside on the node of the session; unset, 0.001 CPUs are, so nothing.",
            "On a machine, it is the share of the session when all CPUs are busy; unset, O(cpu) is.",
        ),
        minimum=0.001,
    ),
    Option(
        "gpu",
        "int",
        ("Number of GPUs of a session (the resource C(nvidia.com/gpu)).",),
        minimum=1,
        maximum=64,
        platforms=(KUBERNETES,),
    ),
    Option(
        "node_selector",
        "dict",
        ("Labels of the nodes that sessions of this size run on.",),
        elements=element("str"),
        platforms=(KUBERNETES,),
        example="{node.kubernetes.io/instance-type: n2-highmem-4}",
    ),
    _allowed_groups("size"),
    *_on_kubernetes("size", "size"),
)


def named(entry: tuple[Option, ...], what: str) -> Option:
    """Return the option of a list element that is an entry with a name."""
    name = Option(
        "name",
        "str",
        (f"Name of the {what}.",),
        required=True,
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
    )
    return element("dict", options=(name, *entry))
