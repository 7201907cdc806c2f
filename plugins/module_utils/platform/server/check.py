# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act like a user on hubs of the machine this runs on, with the tokens that lie there, and remember how it went."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import Progress, run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    HubTarget,
    target_of,
)

from ...common import files
from ...common.errors import reason
from ..base import CheckResults, PlatformError
from .layout import HubLayout
from .observe.services import running
from .revisions.history import APPLYING, CHECKED, FAILED, finish, newest


def check_hubs(
    hubs: Sequence[tuple[HubTarget, str]], options: CheckOptions, progress: Progress | None = None
) -> CheckResults:
    """Check hubs, given by targets without a token, and their directories. RuntimeError without aiohttp.

    A target without an address is replaced by the one that was recorded when the hub was deployed.
    """
    found, targets, layouts = CheckResults(), [], []
    for target, directory in hubs:
        layout = HubLayout(directory)
        try:
            tried = target if target.url else _recorded(target.name, layout)
            targets.append(dataclasses.replace(tried, token=_token(target.name, layout)))
            layouts.append(layout)
        except PlatformError as error:
            found.problems[target.name] = str(error)
    results = run_checks(targets, options, progress) if targets else []
    for layout, result in zip(layouts, results):
        _note(layout, result.ok)
    found.results.extend(results)
    return found


def not_deployed(hub: str) -> str:
    """Return what is said of a hub that is not there yet."""
    return f"hub {hub} is not deployed; run the playbook deploy first"


def _token(hub: str, layout: HubLayout) -> str:
    """Return the token that the check acts with; raises PlatformError where there is no hub yet."""
    path = layout.secret("check_token")
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        raise PlatformError(not_deployed(hub)) from None
    except OSError as error:
        raise PlatformError(
            f"hub {hub}: {path} cannot be read: {reason(error)}; check as the account that deployed it"
        ) from None


def _recorded(hub: str, layout: HubLayout) -> HubTarget:
    """Return what the last deploy, or the one that it went back to, recorded for its check; PlatformError if nothing.

    The inventory may have other environments, another address or other certificates by now.
    """
    record = newest(layout)
    if record is None or not record.check:
        raise PlatformError(f"hub {hub}: what was deployed does not say how it is checked; deploy it again")
    return target_of(record.check)


def _note(layout: HubLayout, passed: bool) -> None:
    """Remember on the machine whether what runs now passed its check; the next plan asks."""
    record = newest(layout)
    # A deploy that passed once can be rolled back to, even if the hub fails today.
    if record and record.result not in (APPLYING, CHECKED):
        finish(layout, record.number, CHECKED if passed else FAILED)
    if passed:
        files.write(layout.checked, running(layout, "hub").digest.encode())
    elif os.path.exists(layout.checked):
        os.unlink(layout.checked)
