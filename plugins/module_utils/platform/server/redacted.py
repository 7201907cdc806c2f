# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a hub on a machine: hub.json, and hub_jupyterhub_config but for lines that may hold a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...redaction.private_lines import mask_private_lines
from ...redaction.redactor import Redactor

#: Key of hub.json with the numbers of the lines of extra.py that may hold a secret; it is there where extra.py has any.
PRIVATE_LINES = "private_lines"
#: Key of hub.json with the names on such lines that are no secret; the hub tells them where they are wrong.
PUBLIC_NAMES = "public_names"


@dataclass(frozen=True)
class HubContent:
    """The content of hub.json, extra.py without its private lines, and what the culler is started with."""

    config: dict[str, Any]
    code: str = ""
    culler: tuple[str, ...] = ()

    @classmethod
    def read(cls, config: dict[str, Any] | None, extra: str, culler: tuple[str, ...] = ()) -> HubContent:
        """Return the content of files; an older hub.json does not say which lines of extra.py are private."""
        config = config or {}
        return cls(config, mask_private_lines(extra, config.get(PRIVATE_LINES)), culler)

    def text(self) -> str:
        """Return it for people."""
        shown = {key: value for key, value in self.config.items() if key not in (PRIVATE_LINES, PUBLIC_NAMES)}
        culler = "".join(f"  {setting}\n" for setting in self.culler)
        code = f"hub_jupyterhub_config:\n{self.code}" if self.code else ""
        return f"{json.dumps(shown, indent=2)}\n" + (f"culler:\n{culler}" if culler else "") + code


def mask_content(redactor: Redactor, content: HubContent) -> str:
    """Return the content of a hub as text, with secrets masked."""
    return _text(redactor, content, redactor.mask(content.config))


def mask_change(redactor: Redactor, before: HubContent, after: HubContent) -> tuple[str, str]:
    """Return both sides of a change as texts, with secrets of now and of before masked."""
    earlier, now = redactor.mask_change(before.config, after.config)
    return _text(redactor, before, earlier), _text(redactor, after, now)


def mask_earlier(redactor: Redactor, earlier: str, now: HubContent) -> str:
    """Return an earlier hub.json, masked as the left side of a change; raises ValueError if it is damaged."""
    config = json.loads(earlier)
    if not isinstance(config, dict):
        raise ValueError("hub.json is not a mapping")
    return mask_change(redactor, HubContent(config), now)[0]


def _text(redactor: Redactor, content: HubContent, masked: dict[str, Any]) -> str:
    return HubContent(masked, redactor.mask_lines(content.code), content.culler).text()
