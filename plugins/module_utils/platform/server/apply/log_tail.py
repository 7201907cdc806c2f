# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the end of a service's log with secrets masked: programs may log what they were given."""

from __future__ import annotations

import ast
import json
import os
import warnings
from collections.abc import Iterator
from typing import Any

from ....common import files, nested
from ....redaction.mask import SHORT, mask_inside, secret_forms
from ....redaction.private_lines import lines_of
from ..desired.services import Service
from ..layout import HubLayout
from ..redacted import PRIVATE_LINES


def log_size(service: Service) -> int:
    """Return the size of a service's log in bytes."""
    try:
        return os.path.getsize(service.layout.log(service.role))
    except OSError:
        return 0


def last_lines(service: Service, count: int = 15, start: int = 0) -> str:
    """Return the end of a service's log, with the secrets of its hub masked.

    start: size of the log before the service started, to leave out what earlier processes wrote.
    """
    try:
        with open(service.layout.log(service.role), "rb") as file:
            size = file.seek(0, 2)
            # A log that is smaller was rotated meanwhile.
            file.seek(max(start if start <= size else 0, size - 16384))
            text = "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
    return mask_inside(text, _secrets(service.layout))


def _secrets(layout: HubLayout) -> set[str]:
    """Return the secret texts of a hub that are known on its machine."""
    found = [*nested.texts(_json(layout.config("secrets.json"))), *_generated(layout), *_constants(layout)]
    return {form for text in found for form in secret_forms(text) if len(form) > SHORT}


def _json(path: str) -> Any:
    try:
        return json.loads(files.read(path) or b"{}")
    except ValueError:
        return {}


def _generated(layout: HubLayout) -> Iterator[str]:
    """Yield the secrets that were generated on the machine."""
    directory = layout.path("secrets")
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        yield (files.read(layout.secret(name)) or b"").decode(errors="replace")


def _constants(layout: HubLayout) -> Iterator[str]:
    """Yield the string constants in private lines of hub_jupyterhub_config."""
    code = (files.read(layout.config("extra.py")) or b"").decode(errors="replace")
    private = set(_json(layout.config("hub.json")).get(PRIVATE_LINES, range(1, len(lines_of(code)) + 1)))
    if not private:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about invalid escapes in the operator's code
            tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return  # nothing of it ran, and the hub reports only the line
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            place = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if not private.isdisjoint(place):
                yield node.value if isinstance(node.value, str) else node.value.decode(errors="replace")
