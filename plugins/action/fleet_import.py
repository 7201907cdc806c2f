# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_import."""

from __future__ import annotations

import os
from typing import Any

from ansible.utils.display import Display
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    MARKDOWN,
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.report import summary
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import (
    Charts,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import (
    RECORDED_CHARTS,
    RECORDED_JUPYTERHUB,
    chart_cache,
    chart_code,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import BulkAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain

display = Display()

_ARGUMENTS = ("source", "format", "directory", "hub", "cluster", "tier", "overwrite")


class ActionModule(BulkAction):
    """Create an inventory from the files of existing hubs; see the module's documentation."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Import, and print a summary."""
        super().run(tmp, task_vars)
        given = {key: plain(value) for key, value in self._task.args.items()}
        try:
            request = _request(given, bool(self._task.check_mode))
            charts = Charts(RECORDED_CHARTS, os.path.join(request.directory, "inventory"), chart_cache())
            imported = import_fleet(
                request, chart_code(), charts, display.display, jupyterhub_records=RECORDED_JUPYTERHUB
            )
        except FleetImportError as problem:
            return {"failed": True, "msg": f"{problem}; nothing was written"}
        _print_summary(imported, request)
        return {"changed": bool(imported.changed), "report": imported.report.content(), "files": imported.changed}


def _request(given: dict[str, Any], check: bool) -> ImportRequest:
    """Return what is asked for; raises FleetImportError."""
    for name in given:
        if name not in _ARGUMENTS:
            raise FleetImportError(f"{name}: unknown argument{nearest(name, _ARGUMENTS, 'known')}")
    paths = _paths(given.get("source") or [])
    texts = {name: str(given.get(name) or "") for name in ("format", "directory", "hub", "cluster", "tier")}
    overwrite = given.get("overwrite") or False
    if str(overwrite).lower() not in ("true", "false"):
        raise FleetImportError("import_overwrite: must be true or false")
    texts["directory"] = os.path.expanduser(texts["directory"])
    return ImportRequest(
        paths=paths,
        overwrite=str(overwrite).lower() == "true",
        check=check,
        **texts,
    )


def _paths(source: Any) -> list[str]:
    """Return the source's paths: a list, or text with commas between them; raises FleetImportError."""
    if not isinstance(source, list):
        source = [str(source)] if os.path.exists(os.path.expanduser(str(source))) else str(source).split(",")
    paths = [os.path.expanduser(str(path).strip()) for path in source]
    if len(paths) > 1 and "" in paths:
        # What follows a space is another argument to the command line, and would be missed.
        raise FleetImportError("import_source: contains an empty name between commas; write the names without spaces")
    return [path for path in paths if path]


def _print_summary(imported: ImportResult, request: ImportRequest) -> None:
    """Print a line per hub, problems, and where the report is."""
    for line in summary(imported.report):
        display.display(line)
    for problem in imported.report.problems:
        display.display(f"to fix: {problem}", color="yellow")
    where = os.path.join(request.directory, MARKDOWN)
    if not imported.changed:
        display.display(f"{request.directory} is up to date")
    elif request.check:
        display.display(f"{len(imported.changed)} files would be written to {request.directory}")
    else:
        display.display(f"{len(imported.changed)} files were written; {where} lists what was not imported")
