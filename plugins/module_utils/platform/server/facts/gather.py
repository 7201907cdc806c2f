# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a cluster's machine."""

from __future__ import annotations

import dataclasses
import functools
import os
import platform
from dataclasses import dataclass, field
from typing import Any

from ....common.errors import reason
from ....fleet.lock_owner import machine_identity
from ..layout import Layout
from ..reverse_proxy.apply import observed_reverse_proxy
from ..reverse_proxy.desired import ReverseProxy, desired_reverse_proxy
from .certificates import CertificateError, certificate_digest, inspect
from .machine import Machine, Setup, resolve


@dataclass(frozen=True)
class MachineFacts:
    """What has to be known of a cluster's machine before anything is decided.

    setup: the cluster's settings there. identity: what distinguishes the machine from all others, or "".
    architecture: of its processor, as uname has it.
    reverse_proxy: the cluster's reverse proxy there. served: hubs that it was asked to serve.
    certificates: hub -> digest of its own certificate and key. unusable: hub -> what is wrong with these.
    expiring: hub -> when its own certificate expires, if that is soon.
    """

    setup: Setup
    identity: str
    architecture: str
    reverse_proxy: ReverseProxy
    served: list[str]
    certificates: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    expiring: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-able data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MachineFacts:
        """Return the facts that :meth:`as_dict` returned."""
        setup = values["setup"]
        layout, packages = Layout(**setup["layout"]), tuple(setup["packages"])
        made = Setup(**{**setup, "layout": layout, "packages": packages})
        return cls(**{**values, "setup": made, "reverse_proxy": ReverseProxy(**values["reverse_proxy"])})

    def playbook_variables(self) -> dict[str, Any]:
        """Return what roles need to know of the machine."""
        return self.setup.as_dict()


def gather_facts(
    cluster: str,
    options: dict[str, Any],
    authority: str,
    certificates: dict[str, dict[str, str]],
    repositories: bool = False,
) -> MachineFacts:
    """Gather facts of the machine this runs on; raises PlatformError where it cannot hold the cluster.

    options: the cluster's. authority: certificates (PEM) that the system does not know.
    certificates: hub -> where its own certificate and key are, and the host that they are for.
    repositories: whether hubs offer environments of git repositories.
    """
    machine = _this_machine()
    setup = resolve(cluster, options, machine, repositories)
    reverse_proxy = desired_reverse_proxy(options, authority, setup.layout, machine)
    found = MachineFacts(
        setup, machine_identity(), platform.machine(), reverse_proxy, sorted(observed_reverse_proxy(setup.layout).sites)
    )
    for hub, own in certificates.items():
        try:
            warning = inspect(own["certificate"], own["key"], own["host"])
            if warning:
                found.expiring[hub] = warning
            found.certificates[hub] = certificate_digest(own["certificate"], own["key"])
        except CertificateError as error:
            found.unusable[hub] = f"hub_tls_certificate: {error}"
        except OSError as error:
            broken = "key" if os.access(own["certificate"], os.R_OK) else "certificate"
            found.unusable[hub] = f"hub_tls_{broken}: {own[broken]} cannot be read: {reason(error)}"
    return found


@functools.cache
def _this_machine() -> Machine:
    """Return the machine; several clusters on one machine read it once."""
    return Machine.read()
