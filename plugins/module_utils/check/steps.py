# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all steps of a check have in common: a time limit, a duration and one class of errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .client import NETWORK_ERRORS
from .messages import CheckFailure, explain
from .results import StepResult
from .waiting import Deadline, within


@asynccontextmanager
async def step(
    steps: list[StepResult], name: str, limit: Deadline, timeout_message: str, overall: Deadline | None = None
) -> AsyncIterator[Deadline]:
    """Run the body as a step, append its result to ``steps``, and yield the deadline that applies.

    timeout_message: what had not happened when the limit was reached, such as "the server was not ready". overall: the
    limit of the whole check, if it applies. Raises CheckFailure for every error.
    """
    whole = overall or Deadline(None)
    deadline = limit.within(whole.remaining)
    overrun = f"the time limit of the whole check ({whole.seconds:g} s) was reached"
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
            text = overrun if whole.passed else f"{timeout_message} within {limit.seconds:g} s"
            raise CheckFailure(text) from None
        if isinstance(error, NETWORK_ERRORS):
            raise CheckFailure(explain(error)) from None
        # An answer of an unexpected form must not end the check of the other hubs.
        text = f"unexpected answer ({type(error).__name__}: {error})"
        raise CheckFailure(text) from error
    finally:
        steps.append(StepResult(name, time.monotonic() - started, ok))
