# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input of a check: hubs, choices to try on them, and limits. Pure data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ..common.persisted import from_persisted
from ..environments.program import LONGEST_START


@dataclass(frozen=True)
class Choice:
    """One choice of a hub's profile list.

    options: user_options to start the server with, as the hub's spawner expects them.
    code, expect: code to run in a kernel, and what it must print to stdout; white space at the ends is ignored.
    label: displayed name; empty means ENVIRONMENT/SIZE.
    kernel: name of the kernel, None for the server's default.
    terminal_command: command that must succeed in a terminal, "" for none.
    shared_directories: path in the home -> whether the user of the check must be able to write there.
    interface: path in the server that users are led to and that must answer, "" if it is not known.
    interface_start: seconds that the program behind it may take to start, 0 for JupyterLab and the like.
    """

    environment: str
    size: str
    options: dict[str, Any] = field(default_factory=dict)
    code: str = "print(6 * 7)"
    expect: str = "42"
    label: str = ""
    kernel: str | None = None
    terminal_command: str = ""
    shared_directories: dict[str, bool] = field(default_factory=dict)
    interface: str = ""
    interface_start: float = 0.0

    @property
    def title(self) -> str:
        """The label, or ENVIRONMENT/SIZE."""
        return self.label or "/".join(part for part in (self.environment, self.size) if part)


@dataclass(frozen=True)
class HubTarget:
    """One hub to check.

    url: public address including the base path, such as https://hub.example.org/team/
    token: API token of a hub service with the scopes admin:users, admin:servers, tokens,
        access:servers, list:users and read:hub. It is not part of repr().
    verify_tls: True (the machine's authorities), False (accept anything), or the path of a PEM
        file with the authorities to accept.
    authorities: certificates (PEM) of more authorities to accept.
    authority_file: path of a further one, which may not exist yet.
    machine: host and port to connect to where the hub's domain cannot be resolved.
    connect_to: host and port to connect to whatever name the hub has, such as a port that leads there.
    renews: whether its certificate is renewed automatically.
    warnings: what the check cannot try, and why.
    """

    name: str
    cluster: str
    url: str
    token: str = field(repr=False)
    choices: list[Choice] = field(default_factory=list)
    verify_tls: bool | str = True
    authorities: str = ""
    authority_file: str = ""
    machine: tuple[str, int] | None = None
    connect_to: tuple[str, int] | None = None
    renews: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """The address, ending in exactly one slash."""
        return self.url.rstrip("/") + "/"


@dataclass(frozen=True)
class CheckOptions:
    """Limits of a check; all times in seconds.

    request_timeout: for each short step (connect, create user, token, delete user).
    start_timeout: from the request until the server is ready.
    kernel_timeout: for starting the kernel, and again for running the code, for the terminal, and for the interface.
    stop_timeout: until the server has stopped.
    deadline: for the whole check, without cleaning up; None means no limit.
    """

    request_timeout: float = 30.0
    start_timeout: float = 180.0
    kernel_timeout: float = 60.0
    stop_timeout: float = 60.0
    deadline: float | None = None
    parallel_hubs: int = 10
    parallel_servers_per_hub: int = 1

    @property
    def longest_choice(self) -> float:
        """The longest time in seconds that all steps of one choice can take."""
        interface = max(self.kernel_timeout, LONGEST_START)
        waiting = self.start_timeout + 3 * self.kernel_timeout + interface + 2 * self.stop_timeout
        return 4 * self.request_timeout + waiting


def recorded_target(target: HubTarget) -> dict[str, Any]:
    """Return a target as JSON-able data without its token; :func:`target_of` reads it, in later releases as well."""
    return {key: value for key, value in dataclasses.asdict(target).items() if key != "token"}


def target_of(values: dict[str, Any]) -> HubTarget:
    """Return the target that ``dataclasses.asdict`` or :func:`recorded_target` made the values from."""
    machine = values.get("machine")
    choices = [from_persisted(Choice, choice) for choice in values["choices"]]
    given = {"token": "", **values, "choices": choices, "machine": tuple(machine) if machine else None}
    return from_persisted(HubTarget, given)
