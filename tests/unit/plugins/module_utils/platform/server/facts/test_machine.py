# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of a cluster become on machines of every kind, and what cannot be there."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts import (
    machine as machines,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import (
    Machine,
    resolve,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.system import System
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.cluster_options import (
    CLUSTER_OPTIONS,
)

BOOTED = Machine(
    root=True,
    home="/root",
    system=System("Debian GNU/Linux 12", "apt-get install"),
    systemd=True,
    user_systemd=False,
    bubblewrap=True,
    control_groups=False,
    kernel="6.1.0",
    node="/usr/bin/node",
)
BARE = replace(BOOTED, systemd=False)
PERSONAL = replace(BOOTED, root=False, home="/home/ada", user_systemd=True)


def options(**given: str) -> dict[str, Any]:
    """Options of a cluster as the schema fills them in."""
    return {**{option.name: option.default for option in CLUSTER_OPTIONS}, **given}


@pytest.mark.parametrize(
    ("machine", "given", "isolation", "supervisor", "units"),
    [
        (BOOTED, {}, "system-users", "systemd", True),
        (BOOTED, {"cluster_isolation": "systemd"}, "systemd", "systemd", True),
        (BOOTED, {"cluster_supervisor": "supervisord"}, "system-users", "supervisord", False),
        (BARE, {}, "system-users", "supervisord", False),
        (PERSONAL, {"cluster_isolation": "none"}, "none", "systemd", False),
    ],
)
def test_what_it_becomes(machine: Machine, given: dict[str, str], isolation: str, supervisor: str, units: bool) -> None:
    setup = resolve("lab", options(**given), machine)
    assert (setup.isolation, setup.supervisor, setup.units) == (isolation, supervisor, units)
    assert setup.limits.endswith("by systemd") == units
    assert setup.open_homes == (isolation == "system-users")


@pytest.mark.parametrize(
    ("machine", "given", "message"),
    [
        (PERSONAL, {}, "cluster_isolation: systemd needs root; run as root, or use bubblewrap"),
        (BARE, {}, "but it is not this machine's first process; use system-users"),
        (BOOTED, {"cluster_supervisor": "supervisord"}, "but cluster_supervisor is supervisord; use system-users"),
    ],
)
def test_systemd_cannot_keep_users_apart_without_root_and_systemd(
    machine: Machine, given: dict[str, str], message: str
) -> None:
    with pytest.raises(PlatformError, match=message):
        resolve("lab", options(cluster_isolation="systemd", **given), machine)


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ("1\n", "AppArmor forbids user namespaces here: let root give bwrap a profile"),
        ("0\n", "; allow user namespaces, deploy as root"),
        (None, "; allow user namespaces, deploy as root"),
    ],
)
def test_who_forbids_sandboxes_is_told(
    setting: str | None, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "bwrap: setting up uid map: Permission denied\n")

    if setting is not None:
        (tmp_path / "setting").write_text(setting, encoding="ascii")
    monkeypatch.setattr(machines, "APPARMOR_RESTRICTS", str(tmp_path / "setting"))
    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(PlatformError) as told:
        resolve("lab", options(), PERSONAL)
    assert "(bwrap: setting up uid map: Permission denied)" in str(told.value) and advice in str(told.value)
