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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.files import STARS, is_one_of
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.leaves import map_leaves


def concealed(planned: HubPlan, encrypted: Collection[str]) -> HubPlan:
    """Return the plan of a hub on a machine with stars for secrets in the texts of its differences.

    encrypted: texts that the inventory keeps encrypted now. What runs may hold older ones, of which nobody knows any
    more that they were: of what was before, stars also stand for what has stars now, and for every environment
    variable that is another one now.
    """
    after = _hidden(json.loads(planned.after), encrypted) if planned.after else None
    before = _earlier(planned.before, after, encrypted) if planned.before else None
    return dataclasses.replace(planned, before=_text(before), after=_text(after))


def concealed_earlier(earlier: str, now: str, encrypted: Collection[str]) -> str:
    """Return an earlier configuration as :func:`concealed` shows what was before; ``now`` is what it should be now.

    Raises ValueError where it is no JSON, since nobody knows what it holds then.
    """
    return _text(_earlier(earlier, _hidden(json.loads(now), encrypted), encrypted))


def _earlier(text: str, after: Any, encrypted: Collection[str]) -> Any:
    return _counterpart(_hidden(json.loads(text), encrypted), after, False)


def _text(config: Any) -> str:
    return "" if config is None else json.dumps(config, indent=2) + "\n"


def _hidden(value: Any, encrypted: Collection[str]) -> Any:
    return map_leaves(value, lambda leaf: STARS if is_one_of(str(leaf), encrypted) else leaf)


def _counterpart(before: Any, after: Any, private: bool) -> Any:
    """Return what was before as far as it may be shown; ``private`` tells that only what has not changed may be."""
    if isinstance(before, dict):
        now = after if isinstance(after, dict) else {}
        return {
            key: _counterpart(item, now.get(key), private or key == "environment" or after == STARS)
            for key, item in before.items()
        }
    if isinstance(before, list):
        same = isinstance(after, list) and len(after) == len(before)
        others = after if same else [None] * len(before)
        # Items cannot be told apart where their number changed.
        hide = private or after == STARS or (not same and STARS in json.dumps(after))
        return [_counterpart(item, other, hide) for item, other in zip(before, others)]
    return STARS if after == STARS or private and before != after else before
