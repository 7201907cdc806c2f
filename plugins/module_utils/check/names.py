# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the check's own users, and the removal of those that an earlier check left behind.

A name is hubfleet-check-TIME-RANDOM; TIME is when it was created (seconds since 1970 by the hub's
own clock, base 36). A killed check cannot clean up; the next check of the hub recognizes its users
by their age and leaves those of checks that may be running alone.
"""

from __future__ import annotations

import re
import secrets
import time

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.client import HubClient
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.hub_api import remove_user, user_names
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import Deadline

PREFIX = "hubfleet-check-"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
OLD = 15 * 60.0
_NAME = re.compile(re.escape(PREFIX) + r"([0-9a-z]{6,7})-[0-9a-z]{6}")


def base36(number: int) -> str:
    """Digits of a number that is not negative."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if not number:
            return digits


def new_name(client: HubClient) -> str:
    """A name that no other check uses, of 28 characters."""
    now = int(time.time() + client.clock_offset)
    return f"{PREFIX}{base36(now)}-{''.join(secrets.choice(DIGITS) for _each in range(6))}"


def created(name: str) -> float | None:
    """When a user of a check was created (seconds since 1970), None for all other names."""
    match = _NAME.fullmatch(name)
    return float(int(match.group(1), 36)) if match else None


async def sweep(client: HubClient, age: float, deadline: Deadline, result: HubResult) -> None:
    """Remove users of checks that are older than age seconds, and than OLD.

    The names go to result.swept; for those that could not be removed, one line on why goes to
    result.cleanup_problems. Fails only when users cannot be listed.
    """
    oldest = time.time() + client.clock_offset - max(OLD, age)
    for name in await user_names(client, PREFIX, deadline):
        moment = created(name)
        if moment is None or moment > oldest:
            continue
        problem = await remove_user(client, name, min(20.0, deadline.remaining))
        if problem:
            result.cleanup_problems.append(problem)
        else:
            result.swept.append(name)
