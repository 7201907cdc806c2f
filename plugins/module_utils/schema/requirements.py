# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the packages of an environment: what its build would refuse, after everything else was changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..common.errors import reason
from ..redaction.places import holds_credentials
from .model import ValuePath

Report = Callable[[ValuePath, str], None]

#: References to other files in a requirements file; only the file itself is copied to the machine.
REFERENCE = re.compile(r"\s*(-[rce]|--(?:requirement|constraint|editable)(?=[\s=]|$))")
PLAIN_REQUIREMENT = (
    "contains a password in plain text; set the URL in cluster_package_index, encrypted with ansible-vault"
)

#: Source: the grammar of dependency specifiers (PEP 508), and of versions in them (PEP 440).
_VERSION = r"\s*(~=|===?|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+\s*"
_SPECIFIER = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*(\[[^\]]*\])?\s*"
    rf"(@\s*\S.*|\(?({_VERSION}(,{_VERSION})*,?)?\)?\s*(;.*)?)"
)
#: Files of wheels and sources, which pip and uv take as well.
_FILE = re.compile(r"([A-Za-z0-9+.-]+://|[.~]?/)\S+.*|\S+\.(whl|zip|tar\.gz)\b.*")
#: One equals sign is conda's.
_OF_CONDA = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*([0-9][^=\s]*)(=.*)?")
#: Keys of environment files of conda.
_CONDA_FILE = re.compile(r"(name|channels|dependencies|prefix)\s*:")


def check_packages(entry: dict[str, Any], path: ValuePath, report: Report) -> None:
    """Report packages of an environment entry that pip does not understand."""
    for index, package in enumerate(entry["packages"] or ()):
        wrong = _wrong_requirement(package)
        if wrong:
            report((*path, "packages", index), f"{package!r} {wrong}")


def check_requirements(entry: dict[str, Any], path: ValuePath, directory: str, report: Report) -> str:
    """Check the requirements file of an environment entry; return its text, "" if there is none."""
    name = entry["requirements"]
    if not name:
        return ""
    if entry["packages"]:
        report((*path, "requirements"), "is set together with packages; remove one of them")
    try:
        with open(os.path.join(directory, os.path.expanduser(name)), encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no file name at all
        why = reason(error) if isinstance(error, OSError) else "it is not UTF-8 text"
        report((*path, "requirements"), f"{name!r} cannot be read: {why}")
        return ""
    for message in _wrong_lines(text, name):
        report((*path, "requirements"), message)
    return text


def _wrong_lines(text: str, name: str) -> Iterator[str]:
    """Yield messages about lines of a requirements file; only one if it is a file of another kind."""
    if any(map(_CONDA_FILE.match, text.splitlines())):
        yield f"{name!r} is an environment file of conda; list the packages one per line, as in numpy==2.3.5"
        return
    continued = False
    for number, line in enumerate(text.splitlines(), 1):
        reference = REFERENCE.match(line)
        requirement = re.sub(r"(^|\s)#.*", "", line).strip()
        if reference:
            yield (
                f"line {number} of {name!r} is {reference[1]!r}, which refers to another file; "
                "list the packages in this file"
            )
        elif holds_credentials(line):
            yield f"line {number} of {name!r} {PLAIN_REQUIREMENT}"
        elif requirement and not requirement.startswith("-") and not continued:
            wrong = _wrong_requirement(re.split(r"\s--|\s*\\$", requirement, maxsplit=1)[0])
            if wrong:
                yield f"line {number} of {name!r} {wrong}"
                return
        continued = line.rstrip().endswith("\\")


def _wrong_requirement(text: str) -> str:
    """Return what is wrong with a requirement specifier, or ""."""
    if _SPECIFIER.fullmatch(text) or _FILE.fullmatch(text):
        name = re.match(r"[A-Za-z0-9._-]+", text)
        return _PYTHON if name and name[0].lower() == "python" else ""
    if "::" in text:
        return "names a channel of conda; packages are installed from PyPI, as in numpy==2.3.5"
    conda = _OF_CONDA.fullmatch(text)
    if conda and conda[1].lower() == "python":
        return _PYTHON
    if conda:
        exact = conda[2] + ("" if conda[3] or conda[2].count(".") > 1 else ".*")
        return f"is written as for conda; write {conda[1]}=={exact}"
    return "is not a requirement such as numpy==2.3.5"


_PYTHON = "is Python itself, which is not a package of PyPI; set cluster_python for all environments of the machine"
