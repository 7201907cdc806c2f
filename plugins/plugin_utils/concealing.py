# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hide, in what a plan shows, the texts that the inventory keeps encrypted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import HubPlan
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.redacted import (
    parts_of,
    shown_text,
    shown_without,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.mask import MASK


def concealed(planned: HubPlan, encrypted: Collection[str]) -> HubPlan:
    """Return the plan of a hub on a machine with stars for secrets in the texts of its differences.

    encrypted: texts that the inventory keeps encrypted now, and what it makes of them. What runs may hold older ones,
    of which nobody knows any more that they were: of what was before, stars also stand for what has stars now, and for
    every environment variable that is another one now. Of hub_jupyterhub_config, each text has only what is public.
    """
    after = shown_without(planned.after, encrypted) if planned.after else ""
    before = _earlier(planned.before, after, encrypted) if planned.before else ""
    return dataclasses.replace(planned, before=before, after=after)


def concealed_earlier(earlier: str, now: str, encrypted: Collection[str]) -> str:
    """Return an earlier configuration as :func:`concealed` shows what was before; ``now`` is what it should be now.

    Raises ValueError where it is no JSON, since nobody knows what it holds then.
    """
    return _earlier(earlier, shown_without(now, encrypted), encrypted)


def _earlier(text: str, after: str, encrypted: Collection[str]) -> str:
    config, public = parts_of(shown_without(text, encrypted))
    return shown_text(_counterpart(config, parts_of(after)[0] if after else None, False), public)


def _counterpart(before: Any, after: Any, private: bool) -> Any:
    """Return what was before as far as it may be shown; ``private`` tells that only what has not changed may be."""
    if isinstance(before, dict):
        now = after if isinstance(after, dict) else {}
        return {
            key: _counterpart(item, now.get(key), private or key == "environment" or after == MASK)
            for key, item in before.items()
        }
    if isinstance(before, list):
        same = isinstance(after, list) and len(after) == len(before)
        others = after if same else [None] * len(before)
        # Items cannot be told apart where their number changed.
        hide = private or after == MASK or (not same and MASK in json.dumps(after))
        return [_counterpart(item, other, hide) for item, other in zip(before, others)]
    return MASK if after == MASK or private and before != after else before
