# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about environments that are built from a git repository."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..environments.pins import LOCK_FILE, Pin, Source
from ..redaction.places import holds_credentials
from .model import ValuePath

Report = Callable[[ValuePath, str], None]

WITH_PASSWORD = (
    f"contains a password, which {LOCK_FILE} would show; let git find it, with a credential helper or an SSH key"
)


def check_repository(
    entry: dict[str, Any], path: ValuePath, pins: dict[Source, Pin] | None, report: Report
) -> Source | None:
    """Check the repository of an environment entry; return what the entry says of it, None if it has none.

    pins: source -> pin; None where it does not matter, so that none is missing.
    """
    repository = entry["repository"]
    if not repository:
        for key in ("ref", "subdirectory"):
            if entry[key]:
                report((*path, key), "is set without repository")
        return None
    for key in ("packages", "requirements"):
        if entry[key]:
            report((*path, "repository"), f"is set together with {key}; remove one of them")
    if holds_credentials(repository):
        report((*path, "repository"), WITH_PASSWORD)
        return None
    source = (repository, entry["ref"] or "", entry["subdirectory"] or "")
    if pins is not None and source not in pins:
        report(
            (*path, "repository"),
            f"has no commit in {LOCK_FILE} yet; run the playbook environments, and commit the file",
        )
    return source
