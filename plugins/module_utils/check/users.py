# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the check's users, and the removal of users that an earlier check left behind.

A name is hubfleet-check-TIME-RANDOM, where TIME is the time of creation by the hub's clock (seconds since 1970, base
36). A check that is killed cannot clean up: the next check of the hub removes its users by their age, and does not
touch users of a check that may be running.
"""

from __future__ import annotations

import re
import secrets
import time

from .client import HubClient
from .hub_api import remove_user, user_names
from .results import HubResult
from .waiting import Deadline

PREFIX = "hubfleet-check-"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Users younger than this many seconds may belong to a running check.
MINIMUM_AGE = 15 * 60.0
_NAME = re.compile(re.escape(PREFIX) + r"([0-9a-z]{6,7})-[0-9a-z]{6}")


def base36(number: int) -> str:
    """Return a number that is not negative in base 36."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if not number:
            return digits


def new_user_name(client: HubClient) -> str:
    """Return a name of 28 characters that no other check uses."""
    now = int(time.time() + client.clock_offset)
    return f"{PREFIX}{base36(now)}-{''.join(secrets.choice(DIGITS) for _each in range(6))}"


def creation_time(name: str) -> float | None:
    """Return when a user of a check was created (seconds since 1970), None for other names."""
    match = _NAME.fullmatch(name)
    return float(int(match.group(1), 36)) if match else None


async def remove_stale_users(client: HubClient, age: float, deadline: Deadline, result: HubResult) -> None:
    """Remove users of earlier checks that are older than ``age`` seconds and than MINIMUM_AGE.

    Adds their names to result.removed_users, and the reason to result.cleanup_problems where a user cannot be removed.
    Raises CheckFailure only where users cannot be listed.
    """
    oldest = time.time() + client.clock_offset - max(MINIMUM_AGE, age)
    for name in await user_names(client, PREFIX, deadline):
        created = creation_time(name)
        if created is None or created > oldest:
            continue
        problem = await remove_user(client, name, min(20.0, deadline.remaining))
        if problem:
            result.cleanup_problems.append(problem)
        else:
            result.removed_users.append(name)
