# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs on Kubernetes, what they make of the chart's values, and what is recorded of the chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartCode,
    ChartValues,
    chart_values,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    FleetInput,
    HostInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate

ROLE = Path(__file__).parents[6] / "roles" / "hub" / "files"
CHARTS = str(ROLE / "charts")
RUNTIME = ROLE.parents[1] / "cluster" / "files" / "runtime" / "hubfleet_runtime"
_OWN = ("allowed_groups", "access", "user_expiry", "shared_password", "idle_time", "start_page")
_EXTRA = ("native_login", "profile_order")
CODE = ChartCode(
    titled_page=(RUNTIME / "templates" / "titled_page.html").read_text(encoding="utf-8"),
    start_page_template=(RUNTIME / "templates" / "start_page.html").read_text(encoding="utf-8"),
    package={"hubfleet_runtime/native_login/__init__.py": "# the package\n"},
    **{name: (RUNTIME / f"{name}.py").read_text(encoding="utf-8") for name in _OWN},
    **{name: (ROLE / "extra_config" / f"{name}.py").read_text(encoding="utf-8") for name in _EXTRA},
)

_EMPTY = Lock()


def validated(directory: str = "", lock: Lock | None = _EMPTY, **variables: Any) -> tuple[Hub | None, list[str]]:
    """Return a hub with these variables alone, and homes that need nothing of the cluster; and what is wrong with it.

    None takes a variable away. lock: what the lock file has; None where that does not matter.
    """
    given = {"cluster_platform": "kubernetes", "hub_home_storage": "none", **variables}
    given = {name: value for name, value in given.items() if value is not None}
    host = HostInput("alpha", given, frozenset({"staging"}))
    fleet, problems = validate(FleetInput({"alpha": host}, {"cloud": ["alpha"]}, directory, lock=lock))
    return fleet.hubs.get("alpha"), [problem.line() for problem in problems.of(["alpha"])]


def hub_of(directory: str = "", **variables: Any) -> Hub:
    """Return such a hub, which must be sound; see :func:`validated`."""
    hub, problems = validated(directory, **variables)
    assert hub is not None and problems == [], problems
    return hub


def values_of(directory: str = "", defaults: dict[str, Any] | None = None, **variables: Any) -> ChartValues:
    """Return the chart's values of such a hub; defaults: of the chart."""
    return chart_values(hub_of(directory, **variables), directory, CODE, defaults)


def leaf(values: Any, path: str) -> Any:
    """Return the value at a place written with slashes, which keys of annotations hold as ``~1``."""
    for key in path.split("/"):
        values = values[int(key) if isinstance(values, list) else key.replace("~1", "/")]
    return values
