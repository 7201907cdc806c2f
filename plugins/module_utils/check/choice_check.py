# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check one choice of one hub as a user would: from creating the user to deleting it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Callable

from . import hub_api
from .client import HubClient
from .interface import open_interface
from .kernel import run_code, start_kernel
from .messages import CheckFailure, LastingReason
from .results import ChoiceResult
from .steps import step
from .targets import CheckOptions, Choice
from .terminal import open_terminal, use_terminal
from .users import new_user_name
from .waiting import Deadline, run_to_end

#: Time to clean up after an interruption; with the grace for a request in progress 20 s at most.
INTERRUPTED_SECONDS = 17.0
#: Time to clean up after a step of cleaning up has failed.
RETRY_SECONDS = 15.0
#: After the time that a program may take to start, so that the reason for the end of it is told.
_ANSWER_SECONDS = 10.0
#: Seconds between questions why a server does not start.
ASK_SECONDS = 2.0


class ChoiceCheck:
    """The check of one choice with a temporary user.

    report: called with a line of progress. explain: returns why the server of a user does not start, as far as the
    platform knows, else ""; called in a thread. A LastingReason ends the wait.
    cleanup_problems: filled with one line where the user could not be removed. warnings: filled with what is odd about
    the server. hub_version: of JupyterHub in the hub.
    """

    def __init__(
        self,
        client: HubClient,
        choice: Choice,
        options: CheckOptions,
        overall: Deadline,
        report: Callable[[str], None],
        explain: Callable[[str], str] | None = None,
        hub_version: str = "",
    ) -> None:
        self.client = client
        self.choice = choice
        self.options = options
        self.overall = overall
        self.report = report
        self.explain = explain
        self.user = new_user_name(client)
        self.result = ChoiceResult(choice)
        self.hub_version = hub_version
        self.cleanup_problems: list[str] = []
        self.warnings: list[str] = []
        self._messages: list[str] = []
        self._reason = ""
        self._may_exist = False

    async def run(self) -> ChoiceResult:
        """Run all steps and return the result, failures included; when cancelled, clean up first (20 s)."""
        try:
            try:
                await self._use_server()
            except CheckFailure as failure:
                self._record(failure)
                self.result.log_lines = await self._server_log()
            await self._clean_up()
        except asyncio.CancelledError:
            await run_to_end(self._remove_user(INTERRUPTED_SECONDS))
            raise
        self._finish()
        return self.result

    def _step(self, name: str, limit: Deadline, timeout_message: str) -> AbstractAsyncContextManager[Deadline]:
        """Return the context of a step that counts towards the time of the whole check."""
        return step(self.result.steps, name, limit, timeout_message, self.overall)

    async def _use_server(self) -> None:
        """Run the steps from creating the user to comparing the output."""
        client, user, options, choice = self.client, self.user, self.options, self.choice
        short, no_answer = options.request_timeout, "the hub did not answer"
        async with self._step("create user", Deadline(short), no_answer) as limit:
            self._may_exist = True
            await hub_api.create_user(client, user, limit)
        starting = Deadline(options.start_timeout)
        async with self._step("start", starting, no_answer) as limit:
            await hub_api.start_server(client, user, choice.options, limit)
        async with self._step("progress", starting, "the server was not ready") as limit:
            await self._follow_start(limit)
        self.report(f"{choice.title} started in {self.result.seconds('start', 'progress'):.1f} s")
        async with self._step("token", Deadline(short), no_answer) as limit:
            opening = max(options.kernel_timeout, choice.interface_start and choice.interface_start + _ANSWER_SECONDS)
            lifetime = 3 * options.kernel_timeout + opening + short + 60
            token = await hub_api.issue_token(client, user, lifetime, limit)
        waiting = options.kernel_timeout
        async with self._step("kernel", Deadline(waiting), "no kernel was started") as limit:
            url = await hub_api.server_url(client, user, limit)
            self._compare(await hub_api.server_version(client, url, token, limit))
            kernel = await start_kernel(client, url, token, choice.kernel, limit)
        async with self._step("run", Deadline(waiting), "the code did not finish"):
            await run_code(client, url, token, kernel, choice.code, choice.expect)
        async with self._step("terminal", Deadline(waiting), "the commands did not finish") as limit:
            terminal = await open_terminal(client, url, token, limit)
            if terminal:
                await use_terminal(client, url, token, terminal, choice.terminal_command, choice.shared_directories)
            else:
                self.result.skipped = "no terminal was tried, since servers have none"
        if choice.interface:
            async with self._step("interface", Deadline(opening), "the interface did not answer") as limit:
                await open_interface(client, url, choice.interface.replace("{username}", user), token, limit)

    def _compare(self, version: str) -> None:
        """Warn if an image has another major version of JupyterHub; it most often works, but nobody tests that."""
        if version and self.hub_version and version.partition(".")[0] != self.hub_version.partition(".")[0]:
            self.warnings.append(
                f"{self.choice.title} has JupyterHub {version}, and the hub {self.hub_version};"
                " use an image with the hub's major version"
            )

    async def _follow_start(self, limit: Deadline) -> None:
        """Wait until the server is ready, and ask the platform meanwhile what it waits for."""
        if self.explain is None:
            await hub_api.follow_start(self.client, self.user, self._messages, limit)
            return
        # Asked while it starts, since a spawner soon removes what did not start.
        asking = asyncio.ensure_future(self._ask_why(self.explain))
        following = asyncio.ensure_future(hub_api.follow_start(self.client, self.user, self._messages, limit))
        try:
            await asyncio.wait({asking, following}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                raise CheckFailure("the server does not start")
            following.result()
        finally:
            for task in (asking, following):
                task.cancel()
            await asyncio.gather(asking, following, return_exceptions=True)

    async def _ask_why(self, explain: Callable[[str], str]) -> None:
        """Remember the newest reason, until there is one that lasts."""
        loop = asyncio.get_running_loop()
        while not isinstance(self._reason, LastingReason):
            await asyncio.sleep(ASK_SECONDS)
            self._reason = await loop.run_in_executor(None, explain, self.user) or self._reason

    async def _clean_up(self) -> None:
        """Stop the server and delete the user, as steps; where that fails, try again without steps."""
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
            self._record(failure)
            await self._remove_user(RETRY_SECONDS)

    async def _remove_user(self, seconds: float) -> None:
        """Remove the user and its server, without steps."""
        if not self._may_exist:
            return
        problem = await hub_api.remove_user(self.client, self.user, seconds)
        if problem:
            self.cleanup_problems.append(problem)
            self.report(f"{self.choice.title}: left behind: {problem}")
        else:
            self._may_exist = False

    async def _server_log(self) -> list[str]:
        """Return the last lines of the server's log, else the messages of its spawner."""
        lines: list[str] = []
        if self._may_exist:
            lines = await hub_api.server_log(self.client, self.user)
        return lines or self.client.cleaner.lines(self._messages, hub_api.LOG_LINES)

    def _record(self, failure: CheckFailure) -> None:
        """Record the first failure, with the step that started last."""
        if self.result.error is None:
            self.result.failed_step = self.result.steps[-1].name
            known = self._reason if self.result.failed_step == "progress" else ""
            self.result.error = self.client.cleaner.line("; ".join(filter(None, (str(failure), known))))

    def _finish(self) -> None:
        result = self.result
        result.ok = result.error is None
        if result.ok:
            self.report(f"{self.choice.title} passed in {result.seconds():.1f} s")
        else:
            self.report(f"{self.choice.title} failed in step {result.failed_step}")  # why is told below the table
