# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be known of a machine before anything is decided: one look, the same for all that follows."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import platform
from dataclasses import dataclass, field
from typing import Any

from .deploy_lock import machine_identity
from .layout import Layout
from .machine import Machine, Setup, resolve


@dataclass(frozen=True)
class Survey:
    """A cluster's machine.

    setup: the cluster's settings there. identity: what tells the machine from all others, or "".
    architecture: of its processor, as uname has it.
    digests: path of a file that was asked for -> its SHA-256. unreadable: path -> why it cannot be read.
    """

    setup: Setup
    identity: str
    architecture: str
    digests: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        setup = {**dataclasses.asdict(self.setup), "layout": self.setup.layout.root}
        return {**{each.name: getattr(self, each.name) for each in dataclasses.fields(self)}, "setup": setup}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Survey:
        """Return what :meth:`as_dict` was made from."""
        setup = values["setup"]
        layout, packages = Layout(setup["layout"]), tuple(setup["packages"])
        return cls(**{**values, "setup": Setup(**{**setup, "layout": layout, "packages": packages})})


def survey(cluster: str, options: dict[str, Any], paths: list[str]) -> Survey:
    """Look at the machine this runs on; raises PlatformError where it cannot hold the cluster.

    options: the cluster's. paths: files whose content matters, such as certificates.
    """
    setup = resolve(cluster, options, _this_machine())
    found = Survey(setup, machine_identity(), platform.machine())
    for path in paths:
        try:
            found.digests[path] = file_digest(path)
        except OSError as error:
            found.unreadable[path] = str(error.strerror)
    return found


def file_digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@functools.cache
def _this_machine() -> Machine:
    """Several clusters on one machine look at it once."""
    return Machine.read()
