# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the import as an operator does, and reads back what it wrote as the other playbooks do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret, VaultSecretsContext
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    chart_values,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import chart_code
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import read_inventory

PROJECT = Path(__file__).resolve().parents[2]

#: The one key that only the collection sets: what makes the chart keep to allowed_groups.
GROUPS_CONFIG = "hubfleet-allowed-groups"

#: What secrets are encrypted with.
PASSWORD = "correct horse battery staple"
SECRETS = [(DEFAULT_VAULT_IDENTITY, VaultSecret(PASSWORD.encode()))]

# What the command line programs do first.
init_plugin_loader()
VaultSecretsContext.initialize(VaultSecretsContext(SECRETS))


def run_import(place: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook in ``place``; ``extra`` are its variables."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(place / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), str(PROJECT / "playbooks" / "import_fleet.yml"), *arguments]
    for name, value in extra.items():
        command += ["-e", f"import_{name}={value}"]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def read_back(fleet: Path) -> FleetInput:
    """Return the inventory of an imported fleet, read by Ansible."""
    loader = DataLoader()
    loader.set_vault_secrets(SECRETS)
    loader.set_basedir(str(PROJECT / "playbooks"))
    inventory = InventoryManager(loader, [str(fleet / "inventory")])
    variables = VariableManager(loader, inventory)
    HostVars(inventory, variables, loader)  # makes itself known to ``variables``
    task_vars = variables.get_vars(host=inventory.get_hosts("all")[0])
    # As the command line option -i sets it.
    return read_inventory({**task_vars, "ansible_inventory_sources": [str(fleet / "inventory")]})


def rendered(fleet: Path) -> dict[str, dict[str, Any]]:
    """Return the values for the chart of every hub of an imported fleet."""
    found = read_back(fleet)
    hubs, problems = validate(found)
    lines = [problem.line() for problem in problems.of(found.hosts)]
    assert lines == []
    return {name: chart_values(hub, found.directory, chart_code()).merged for name, hub in hubs.hubs.items()}


def without_ours(values: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return values without the one key that only the collection sets, where the source has none of that name."""
    found = {**values, "hub": {**values.get("hub", {})}} if isinstance(values.get("hub", {}), dict) else values
    code = found["hub"].get("extraConfig") if isinstance(found["hub"], dict) else None
    source_hub = wanted.get("hub") or {}
    if isinstance(code, dict) and GROUPS_CONFIG in code and GROUPS_CONFIG not in (source_hub.get("extraConfig") or {}):
        found["hub"]["extraConfig"] = {key: text for key, text in code.items() if key != GROUPS_CONFIG}
        if not found["hub"]["extraConfig"] and "extraConfig" not in source_hub:
            del found["hub"]["extraConfig"]
    return found if found["hub"] or "hub" in wanted else {key: value for key, value in found.items() if key != "hub"}


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the places where two values differ, types included."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        missing = [f"{path}.{key} only once" for key in keys if (key in one) != (key in other)]
        both = [key for key in keys if key in one and key in other]
        return missing + [line for key in both for line in differences(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [line for index, item in enumerate(one) for line in differences(item, other[index], f"{path}[{index}]")]
    return [] if type(one) is type(other) and one == other else [path]
