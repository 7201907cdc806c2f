# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One choice of one hub, tried as a user would: from creating the user to deleting it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Callable

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import hub_api
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.client import HubClient
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.kernel import run_code, start_kernel
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.names import new_name
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import ChoiceResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.steps import step
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, Choice
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.texts import CheckFailure
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import Deadline, run_to_end

INTERRUPTED_SECONDS = 17.0  # with the grace for a request under way: 20 s at most
INSIST_SECONDS = 15.0


class Visit:
    """The visit of one temporary user.

    say: called with one line for people at every turn. cleanup_problems: filled with one line
    when the user could not be removed.
    """

    def __init__(
        self,
        client: HubClient,
        choice: Choice,
        options: CheckOptions,
        overall: Deadline,
        say: Callable[[str], None],
    ) -> None:
        self.client = client
        self.choice = choice
        self.options = options
        self.overall = overall
        self.say = say
        self.user = new_name(client)
        self.result = ChoiceResult(choice)
        self.cleanup_problems: list[str] = []
        self._messages: list[str] = []
        self._may_exist = False

    async def run(self) -> ChoiceResult:
        """All steps. A failure is in the result; when cancelled, clean up first (20 s)."""
        try:
            try:
                await self._act()
            except CheckFailure as failure:
                self._failed(failure)
                self.result.log_lines = await self._log()
            await self._leave()
        except asyncio.CancelledError:
            await run_to_end(self._vanish(INTERRUPTED_SECONDS))
            raise
        self._finish()
        return self.result

    def _step(self, name: str, limit: Deadline, late: str) -> AbstractAsyncContextManager[Deadline]:
        """A step that counts towards the time of the whole check."""
        return step(self.result.steps, name, limit, late, self.overall)

    async def _act(self) -> None:
        """From creating the user to comparing the output."""
        client, user, options, choice = self.client, self.user, self.options, self.choice
        short, no_answer = options.request_timeout, "the hub did not answer"
        async with self._step("create user", Deadline(short), no_answer) as limit:
            self._may_exist = True
            await hub_api.create_user(client, user, limit)
        starting = Deadline(options.start_timeout)
        async with self._step("start", starting, no_answer) as limit:
            await hub_api.start_server(client, user, choice.options, limit)
        async with self._step("progress", starting, "the server was not ready") as limit:
            await hub_api.follow_start(client, user, self._messages, limit)
        self.say(f"{choice.title} started in {self.result.seconds('start', 'progress'):.1f} s")
        async with self._step("token", Deadline(short), no_answer) as limit:
            lifetime = 2 * options.kernel_timeout + short + 60
            token = await hub_api.issue_token(client, user, lifetime, limit)
        waiting = options.kernel_timeout
        async with self._step("kernel", Deadline(waiting), "no kernel was started") as limit:
            url = await hub_api.server_url(client, user, limit)
            kernel = await start_kernel(client, url, token, choice.kernel, limit)
        async with self._step("run", Deadline(waiting), "the code did not come to its end"):
            await run_code(client, url, token, kernel, choice.code, choice.expect)

    async def _leave(self) -> None:
        """Stop the server and delete the user, as steps; where that fails, insist."""
        if not self._may_exist:
            return
        client, user, steps = self.client, self.user, self.result.steps
        try:
            limit = Deadline(self.options.stop_timeout)
            async with step(steps, "stop", limit, "the server did not stop"):
                await hub_api.stop_server(client, user, limit)
            limit = Deadline(self.options.request_timeout)
            async with step(steps, "delete user", limit, "the user was not deleted"):
                await hub_api.delete_user(client, user, limit)
            self._may_exist = False
        except CheckFailure as failure:
            self._failed(failure)
            await self._vanish(INSIST_SECONDS)

    async def _vanish(self, seconds: float) -> None:
        """Remove the user by every means, without steps."""
        if not self._may_exist:
            return
        problem = await hub_api.remove_user(self.client, self.user, seconds)
        if problem:
            self.cleanup_problems.append(problem)
            self.say(f"{self.choice.title}: left behind: {problem}")
        else:
            self._may_exist = False

    async def _log(self) -> list[str]:
        """The server's last log lines, else what its spawner reported."""
        lines: list[str] = []
        if self._may_exist:
            lines = await hub_api.server_log(self.client, self.user)
        return lines or self.client.cleaner.lines(self._messages, hub_api.LOG_LINES)

    def _failed(self, failure: CheckFailure) -> None:
        """Note the first failure, with the step that was last begun."""
        if self.result.error is None:
            self.result.failed_step = self.result.steps[-1].name
            self.result.error = self.client.cleaner.line(str(failure))

    def _finish(self) -> None:
        result = self.result
        result.ok = result.error is None
        if result.ok:
            self.say(f"{self.choice.title} passed in {result.seconds():.1f} s")
        else:
            self.say(f"{self.choice.title} failed in step {result.failed_step}: {result.error}")
