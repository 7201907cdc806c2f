# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions that the restricted Pod Security Standard accepts, like the other pods of the chart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....common.nested import value_at, walk
from .layers import Values
from .settings import Setting, setting

#: Of the session's container alone: containers that Helm values add may need more.
_CONTEXT = {
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_PLACE = "hub.config.KubeSpawner.container_security_context"
#: Where sessions may be given another user or more rights.
_PLACES = (("singleuser",), ("hub", "config", "Spawner"), ("hub", "config", "KubeSpawner"))
#: Part of the keys of code that this collection adds.
_OURS = "hubfleet-"
_CODE = re.compile(r"\buid\b|privilege|security_context")


def pod_security_settings(values: Values) -> Iterator[Setting]:
    """Yield the security context of sessions, unless the merged values let sessions run as root or gain rights."""
    code = value_at(values, ("hub", "extraConfig"), {})
    theirs = [str(text) for key, text in code.items() if _OURS not in key] if isinstance(code, dict) else []
    if not any(map(_CODE.search, theirs)) and not any(_loosens(value_at(values, place, {})) for place in _PLACES):
        yield setting(_PLACE, _CONTEXT, "hub_defaults_source")


def _loosens(given: Any) -> bool:
    for path, value in walk(given):
        if path[-1] in ("uid", "runAsUser") and not value:
            return True  # root, or the user of the image, which may have no number
        if path[-1] in ("allowPrivilegeEscalation", "allow_privilege_escalation", "privileged") and value is not False:
            return True
    return False
