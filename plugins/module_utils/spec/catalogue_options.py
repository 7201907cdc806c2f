# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the catalogues' entries: environments and sizes."""

from __future__ import annotations

from .option import Option, element, names
from .units import MEMORY_UNITS

NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?"
NAME_TEXT = "a short name of lower-case letters, digits and '-'"
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"
VARIABLE_TEXT = "the name of an environment variable"
_MEBIBYTE = MEMORY_UNITS["M"]

_VARIABLES = Option(
    "variables",
    "dict",
    ("Environment variables of servers started in this environment.",),
    elements=element("str"),
    pattern=VARIABLE_PATTERN,
    pattern_text=VARIABLE_TEXT,
)
INTERFACE = Option(
    "interface",
    "str",
    ("What opens first; overrides O(hub_interface).",),
    pattern=r"lab|notebook|/\S*",
    pattern_text="lab, notebook or a path that starts with '/'",
)

ENVIRONMENT = (
    Option("title", "str", ("Name that users see.",)),
    Option("description", "str", ("A sentence that users see.",), default=""),
    Option(
        "packages",
        "list",
        (
            "Python packages on top of JupyterLab, as pip takes them.",
            "Pin them; what was installed is recorded beside the environment in C(lock.txt).",
        ),
        default=(),
        elements=names(r"[A-Za-z0-9][^\n]*", "a requirement such as numpy==2.3.5"),
        example='["numpy==2.3.5"]',
    ),
    Option(
        "requirements",
        "inventory_path",
        ("A requirements file, absolute or relative to the inventory directory, instead of packages.",),
    ),
    INTERFACE,
    _VARIABLES,
    Option(
        "check_code",
        "python",
        ("What the check runs in a kernel of this environment.",),
        default="print(6 * 7)",
    ),
    Option("check_output", "str", ("What O(check_code) must print.",), default="42"),
)

SIZE = (
    Option("title", "str", ("Name that users see.",)),
    Option("description", "str", ("A sentence that users see.",), default=""),
    Option(
        "memory",
        "memory",
        ("Most memory of a session.",),
        required=True,
        minimum=128 * _MEBIBYTE,
        maximum=64 * MEMORY_UNITS["T"],
    ),
    Option(
        "memory_guarantee",
        "memory",
        ("Memory set aside for a session; at most O(memory).",),
        minimum=1 * _MEBIBYTE,
    ),
    Option("cpu", "number", ("Most CPUs of a session.",), minimum=0.05, maximum=1024),
    Option("cpu_guarantee", "number", ("CPUs set aside for a session; at most O(cpu).",), minimum=0.01),
)


def named(entry: tuple[Option, ...], what: str) -> Option:
    """Return the option of a list element that is a catalogue name or a whole entry of its own."""
    name = Option(
        "name",
        "str",
        (f"Name of the {what}.",),
        required=True,
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
    )
    return element("dict", options=(name, *entry))
