# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_drill: starts the drill, acts like a user on it, and removes it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, recorded_target
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import value_at
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.drill import (
    VALUES,
    Drill,
    DrillRefused,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.check import (
    CheckedHub,
    check_hubs,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.lease import ClusterLock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.observe import DRILL_SUFFIX
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import KubernetesPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import Values, merge
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import (
    backup_settings,
    drill_summary,
    kubernetes_backups,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import names_of


class ActionModule(KubernetesAction):
    """Drills one hub; see the module's documentation."""

    ARGUMENTS = frozenset({"backup", "break_lock"})
    #: A drill changes no hub.
    NEEDS_LOCK = False

    def work(self, change: Change) -> dict[str, Any]:
        """Start, check and remove; the removal comes in any case."""
        settings = backup_settings(self.hub)
        if self._task.check_mode:
            return {"changed": False, "summary": "would be drilled"}
        hub, platform = self._beside()
        place = platform.place(hub)
        refuse_database_of_hub(platform.desired(hub).values)
        lock = ClusterLock(change.api, [place.namespace], place.cluster)
        desired = platform.desired(hub)
        desired = replace(desired, values=merge(desired.values, VALUES), addons=[])
        target = platform.check_targets([hub], None)[0]
        drill = Drill(
            replace(change, place=place, lock=lock),
            desired,
            replace(kubernetes_backups(hub, platform, settings), values=desired.values),
            platform.charts,
            place.cluster in names_of(self.argument("break_lock")),
        )
        try:
            found = drill.start(str(self.argument("backup", "latest")), recorded_target(target))
            checked = CheckedHub(target, place.namespace, place.release, through_cluster=True)
            found["check_seconds"] = _check(change, checked)
        except DrillRefused:
            raise
        except BaseException:
            with contextlib.suppress(PlatformError):  # the first error is worth more
                drill.clear()
            raise
        drill.clear()
        return {**found, "changed": False, "summary": drill_summary(found)}

    def _beside(self) -> tuple[Hub, KubernetesPlatform]:
        """Return the hub of the drill, in a namespace of its own that nothing outside of it reaches."""
        hub = self.hub
        namespace = f"{hub.namespace[: 63 - len(DRILL_SUFFIX)]}{DRILL_SUFFIX}"
        cluster = replace(hub.cluster, options={**hub.cluster.options, "cluster_exposure": "none"})
        elsewhere = {
            "hub_namespace": namespace,
            "hub_release": hub.release,
            "hub_domain": None,
            "hub_url": f"http://proxy-public.{namespace}{urlsplit(hub.url).path or '/'}",
        }
        beside = replace(hub, cluster=cluster, options={**hub.options, **elsewhere})
        known = self.platform
        return beside, KubernetesPlatform(cluster, known.inventory, known.charts, known.code, files=known.files)


def refuse_database_of_hub(values: Values) -> None:
    """Raise DrillRefused where the hub of a drill would work on the database of the hub itself, outside of claims."""
    kind = str(value_at(values, ("hub", "db", "type")) or "sqlite")
    if value_at(values, ("hub", "config", "JupyterHub", "db_url")) or not kind.startswith("sqlite"):
        raise DrillRefused(
            "its database is not in a claim of the hub, so that the hub of a drill would change the one that is in use"
        )


def _check(change: Change, hub: CheckedHub) -> float:
    """Act like a user; return the seconds that it took. Raises PlatformError where the check fails."""
    started = time.monotonic()
    try:
        checked = check_hubs(change.api, [hub], CheckOptions(parallel_hubs=1))
    except RuntimeError as error:
        raise PlatformError(f"the check of the drill could not run: {error}") from None
    problems = [*checked.problems.values(), *(result.problem for result in checked.results if not result.ok)]
    if problems:
        raise PlatformError(f"the check of the drill failed: {problems[0]}")
    return round(time.monotonic() - started, 1)
