# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn an inventory into a fleet, and report everything that is wrong with it."""

from __future__ import annotations

from . import cross_checks, kubernetes_checks, reverse_proxy_checks
from .cluster_options import CLUSTER_OPTIONS
from .extra_variables import check_extra_variables
from .group_checks import check_groups
from .host_check import HostCheck, SharedValues
from .model import Fleet, FleetInput
from .problems import Problems
from .values import shown


def validate(inventory: FleetInput) -> tuple[Fleet, Problems]:
    """Return the fleet and its problems.

    The fleet holds only hubs whose own values are sound enough to build them; a hub with
    problems must not be deployed even if it is there.
    """
    problems = Problems()
    fleet = Fleet({}, {})
    shared = SharedValues()
    check_groups(inventory, problems)
    check_extra_variables(inventory, problems)
    for repeated in inventory.repeated_keys:
        message = (
            f"{repeated.key!r} stands twice, first in line {repeated.line}, which has no effect; remove one of them"
        )
        problems.add((), message, repeated.origin, repeated.host)
    for cluster_name, members in inventory.clusters.items():
        checks = [HostCheck(inventory.hosts[host_name], inventory, problems, shared) for host_name in members]
        for check in checks:
            hub = check.hub(cluster_name, fleet)
            if hub is not None:
                fleet.hubs.setdefault(hub.name, hub)
        _check_cluster(cluster_name, checks)
    cross_checks.check_fleet(fleet, inventory, problems)
    reverse_proxy_checks.check_fleet(fleet, inventory, problems)
    kubernetes_checks.check_fleet(fleet, inventory, problems)
    return fleet, problems


def _check_cluster(cluster: str, checks: list[HostCheck]) -> None:
    """Report settings of a cluster that differ between its hubs; they stop all of them."""
    everyone = [check.host.name for check in checks]
    for option in CLUSTER_OPTIONS:
        sound = [check for check in checks if option.name not in check.broken]
        values = [check.cluster_options[option.name] for check in sound]
        unset = [value for value, check in zip(values, sound) if option.name not in check.host.variables]
        if all(value is values[0] or value == values[0] for value in values):
            continue
        # If no value has a majority, the one in host_vars is reported.
        shared = [value for value, check in zip(values, sound) if "host_vars/" not in check.host.locate((option.name,))]
        usual = max(values, key=lambda value: (values.count(value), value in unset, value in shared), default=None)
        for check, value in zip(sound, values):
            if value != usual:
                check.report(
                    (option.name,),
                    f"is {shown(option, value)} here and {shown(option, usual)} for other hubs of cluster {cluster}; "
                    f"set it once, in group_vars/{cluster}.yml",
                    everyone,
                )
