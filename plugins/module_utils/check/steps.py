# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame around each step: its time limit, its duration, and one kind of error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.client import NETWORK_ERRORS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import StepResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.texts import CheckFailure, explain
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import Deadline, within


@asynccontextmanager
async def step(
    steps: list[StepResult], name: str, limit: Deadline, late: str, overall: Deadline | None = None
) -> AsyncIterator[Deadline]:
    """Run the body as a step; yields the deadline that is in force.

    Appends the step's result to steps. Whatever goes wrong is raised as CheckFailure; late says
    what had not happened when the limit was reached, such as "the server was not ready". overall
    is the limit of the whole check, if it applies.
    """
    whole = overall or Deadline(None)
    deadline = limit.within(whole.remaining)
    overrun = f"the time for the whole check ({whole.seconds:g} s) was used up"
    started, ok = time.monotonic(), False
    try:
        if whole.passed:
            raise CheckFailure(overrun)
        async with within(deadline):
            yield deadline
        ok = True
    except CheckFailure:
        raise
    except Exception as error:
        if isinstance(error, asyncio.TimeoutError) and deadline.passed:
            text = overrun if whole.passed else f"{late} within {limit.seconds:g} s"
            raise CheckFailure(text) from None
        if isinstance(error, NETWORK_ERRORS):
            raise CheckFailure(explain(error)) from None
        # an answer of a form that nobody foresaw must not end the check of the other hubs
        text = f"an answer that cannot be understood ({type(error).__name__}: {error})"
        raise CheckFailure(text) from error
    finally:
        steps.append(StepResult(name, time.monotonic() - started, ok))
