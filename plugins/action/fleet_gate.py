# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_gate."""

from __future__ import annotations

import re
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.order import (
    Gate,
    gate,
    usual_waves,
    waves,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import BulkAction, display
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import (
    broken_clusters,
    failed_hubs,
    limit_of,
)


class ActionModule(BulkAction):
    """Select the hubs that continue; see the module's documentation."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the hubs of a stage that may be deployed, and the waves that they are deployed in."""
        super().run(tmp, task_vars)
        given = {key: plain(value) for key, value in self._task.args.items()}
        changes, machines = given["changes"], given.get("machines") or []
        found = gate(
            given["stage"],
            changes,
            failed_hubs(changes, machines, task_vars),
            broken_clusters(machines, task_vars),
            limit_of(given.get("max_failures")),
        )
        if not given.get("quiet", False):
            _tell(found)
        try:
            sizes = _listed(given.get("waves")) or usual_waves(len(found.hubs))
            batches = [len(wave) for wave in waves(found.hubs, sizes)]
        except ValueError as error:
            raise AnsibleActionFail(f"deploy_waves: {error}; nothing was changed") from None
        _make_sure_of_soak(given.get("soak"))
        return {"changed": False, "hubs": found.hubs, "skipped": found.skipped, "waves": batches}


def _tell(found: Gate) -> None:
    for remark in found.remarks:
        display.display(remark)
    for hub, why in found.skipped.items():
        display.display(f"{hub}: skipped, {why}", color="yellow")


def _make_sure_of_soak(value: Any) -> None:
    """A soak time that is not understood must not become none at all."""
    if value is not None and not re.fullmatch(r"\d+", str(value).strip()):
        raise AnsibleActionFail(f"deploy_soak: {value!r} is not a whole number of seconds; nothing was changed")


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, list) else [] if value is None else [value]
