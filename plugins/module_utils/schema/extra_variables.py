# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about variables from the command line."""

from __future__ import annotations

import difflib

from .model import FleetInput
from .options import PREFIXES
from .problems import Problems

#: Variables that playbooks take by -e; the header of each playbook describes its own.
EXTRA_VARIABLES = (
    "backup_list",
    "check_every",
    "check_parallel",
    "deploy_break_lock",
    "deploy_max_failures",
    "deploy_plan",
    "deploy_rollback",
    "deploy_soak",
    "deploy_waves",
    "drill_from",
    "environment_ci",
    "environment_directory",
    "environment_packages",
    "environments_promote",
    "environments_promotion",
    "environments_report",
    "environments_update",
    "explain_option",
    "ignore_maintenance_window",
    "import_cluster",
    "import_directory",
    "import_format",
    "import_hub",
    "import_overwrite",
    "import_source",
    "import_tier",
    "init_ci",
    "init_cluster",
    "init_directory",
    "init_hub",
    "init_platform",
    "plan_against",
    "plan_drift",
    "plan_exit_code",
    "plan_file",
    "plan_markdown",
    "remove_data",
    "remove_end_sessions",
    "remove_export",
    "remove_export_directory",
    "remove_hubs",
    "render_directory",
    "restore_all",
    "restore_end_sessions",
    "restore_from",
    "restore_replace",
    "rollback_all",
    "rollback_to",
    "status_history",
    "stop_end_sessions",
    "stop_servers",
    "users_action",
    "users_end_sessions",
    "users_names",
    "users_new_name",
    "validate_dry_run",
    "validate_render",
)
#: How similar an unknown name must be to be a misspelling; other variables are the operator's own.
_SIMILARITY = 0.85


def check_extra_variables(inventory: FleetInput, problems: Problems) -> None:
    """Report misspelt variables from the command line, which would have no effect."""
    for name in sorted(inventory.extra_variables.difference(EXTRA_VARIABLES)):
        if name.startswith(PREFIXES):
            continue  # an option of hubs or clusters
        near = difflib.get_close_matches(name.lower().replace("-", "_"), EXTRA_VARIABLES, n=1, cutoff=_SIMILARITY)
        if near:
            problems.add((name,), f"no playbook has such a variable; did you mean {near[0]!r}?")
