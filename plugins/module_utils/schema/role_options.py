# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry points of the roles, and their options besides those of the schema."""

from __future__ import annotations

from dataclasses import dataclass

from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS
from .option import PLATFORMS, Option


@dataclass(frozen=True)
class EntryPoint:
    """One entry point of a role: a title, a sentence, and its options."""

    title: str
    text: str
    options: tuple[Option, ...]


def _end_sessions(verb: str) -> Option:
    return Option(f"{verb}_end_sessions", "bool", ("Continue even if users have open sessions.",), default=False)


REMOVE_DATA = Option(
    "remove_data",
    "bool",
    ("Also remove the hub's homes, database, secrets and accounts. This cannot be undone.",),
    default=False,
)
REMOVE_EXPORT = Option(
    "remove_export", "bool", ("Export a copy of the data before O(remove_data) removes it.",), default=True
)
ROLLBACK_TO = Option("rollback_to", "int", ("Number of the deploy; if unset, the one before the last.",))
ROLLBACK_UNDO = Option(
    "rollback_undo",
    "bool",
    ("Fail unless the last deploy changed the version of the hub; for rollbacks of a failed deploy.",),
    default=False,
)
BACKUP_LIST = Option("backup_list", "bool", ("Only list the backups.",), default=False)
RESTORE_FROM = Option("restore_from", "str", ("Id of the backup.",), default="latest")
RESTORE_REPLACE = Option("restore_replace", "str", ("Names of existing hubs to replace, with commas between them.",))
DRILL_FROM = Option("drill_from", "str", ("Id of the backup.",), default="latest")
STOP_SERVERS = Option(
    "stop_servers",
    "bool",
    ("Also stop the servers of users; otherwise they keep running.",),
    default=False,
)
CLUSTER_PLAN = Option(
    "cluster_plan",
    "dict",
    ("The entry of the cluster in RV(hubfleet.jupyterhub.fleet_plan#module:machines).",),
    required=True,
)
REPOSITORY = (
    Option("fleet_repository_directory", "str", ("Directory of the repository.",), required=True),
    Option(
        "fleet_repository_platform",
        "str",
        ("Platform of the first cluster.",),
        default="server",
        choices=PLATFORMS,
    ),
    Option(
        "fleet_repository_cluster",
        "str",
        ("Name of the first cluster.", "If unset, C(machine) on a server and C(cloud) on Kubernetes."),
    ),
    Option(
        "fleet_repository_hub",
        "str",
        ("Name of the production hub; C(-staging) is appended for the staging hub.",),
        default="research",
    ),
    Option(
        "fleet_repository_ci",
        "str",
        ("Which workflows to write.",),
        default="both",
        choices=("github", "gitlab", "both", "none"),
    ),
)
ENVIRONMENT_REPOSITORY = (
    Option("environment_repository_directory", "str", ("Directory of the repository.",), required=True),
    Option(
        "environment_repository_packages",
        "str",
        ("What lists the packages - C(requirements.txt) or C(environment.yml).",),
        default="python",
        choices=("python", "conda"),
    ),
    Option(
        "environment_repository_ci",
        "str",
        ("Which workflows to write.",),
        default="both",
        choices=("github", "gitlab", "both", "none"),
    ),
)

#: Role -> entry point.
ROLES = {
    "hub": {
        "main": EntryPoint("Deploy one hub", "Writes the hub's files and starts its services.", HUB_OPTIONS),
        "stop": EntryPoint("Stop one hub", "Stops its services.", (STOP_SERVERS, _end_sessions("stop"))),
        "remove": EntryPoint(
            "Remove one hub",
            "Stops its services and its users' servers.",
            (REMOVE_DATA, REMOVE_EXPORT, _end_sessions("remove")),
        ),
        "rollback": EntryPoint("Roll back one hub", "Deploys an earlier deploy again.", (ROLLBACK_TO, ROLLBACK_UNDO)),
        "backup": EntryPoint("Back up one hub", "Saves its data, and schedules further backups.", (BACKUP_LIST,)),
        "restore": EntryPoint(
            "Restore one hub",
            "Restores a backup; a deploy then starts the hub.",
            (RESTORE_FROM, RESTORE_REPLACE, _end_sessions("restore")),
        ),
        "drill": EntryPoint(
            "Test a backup of one hub",
            "Restores it next to the hub, checks the restored hub and removes it.",
            (DRILL_FROM,),
        ),
    },
    "cluster": {
        "main": EntryPoint(
            "Prepare a cluster",
            "Installs what the hubs of a cluster share - tools, environments and the supervisor.",
            (CLUSTER_PLAN, *CLUSTER_OPTIONS),
        ),
        "prune": EntryPoint(
            "Prune a cluster", "Removes environments and tools that are no longer needed.", (CLUSTER_PLAN,)
        ),
    },
    "fleet_repository": {
        "main": EntryPoint(
            "Create the repository of a fleet",
            "Writes the repository of a new fleet - an example inventory, and workflows. Keeps existing files.",
            REPOSITORY,
        ),
    },
    "environment_repository": {
        "main": EntryPoint(
            "Create the repository of an environment",
            "Writes the repository of an environment - packages, tests, and workflows. Keeps existing files.",
            ENVIRONMENT_REPOSITORY,
        ),
    },
}
