# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start page shows of environments, in profiles of KubeSpawner's schema: keys that spawners ignore.

The page is hubfleet_runtime/start_page.py, for both platforms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..schema.model import Environment

#: Most packages that are listed.
_MOST = 200
_NAME = re.compile(r"[A-Za-z0-9][-\w.]*(\[[^\]]*\])?\s*((~=|===?|!=|<=?|>=?).*)?")
_FILES = (".whl", ".zip", ".tar.gz")
_COMMENT = re.compile(r"(^|\s)#.*")
#: What follows the version in a requirements file: hashes and other options, environment markers.
_BESIDE = re.compile(r"\s--.*|\s*;.*")


def shown_of(environment: Environment, built: bool = True) -> dict[str, Any]:
    """Return the icon (a data URL), link and packages of an environment, without what it does not have.

    built: it has the packages that the inventory says, since it is not an image that others made.
    """
    packages = list(_packages(environment)) if built else []
    found = {"icon": environment.icon, "link": environment.link, "packages": packages}
    return {key: value for key, value in found.items() if value}


def _packages(environment: Environment) -> Iterator[str]:
    """Yield the packages that are asked for; not addresses, which may be those of private servers."""
    whole_lines = re.sub(r"\s*\\\n\s*", " ", environment.requirements).splitlines()
    texts = [_BESIDE.sub("", _COMMENT.sub("", line)).strip() for line in (*environment.packages, *whole_lines)]
    names = [re.split(r"\s*@\s", text)[0] for text in texts]
    yield from [name for name in names if _NAME.fullmatch(name) and not name.endswith(_FILES)][:_MOST]
