# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the cases, writes their inventories, and validates them the way the action does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret, VaultSecretsContext
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import read_inventory
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import Validated, validated

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
PASSWORD = HERE / "vault_password"
SECRETS = [(DEFAULT_VAULT_IDENTITY, VaultSecret(PASSWORD.read_bytes().strip()))]

# What the command line programs do first.
init_plugin_loader()
VaultSecretsContext.initialize(VaultSecretsContext(SECRETS))


@dataclass(frozen=True)
class Case:
    """One inventory: the files that differ from the base, and the lines that must be printed."""

    name: str
    files: dict[str, str | None]
    expect: list[str]
    base: str = "base"

    def write(self, directory: Path) -> None:
        """Write the whole inventory into an empty directory."""
        shutil.copytree(HERE / self.base, directory, dirs_exist_ok=True)
        for name, text in self.files.items():
            path = directory / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def read_cases() -> list[Case]:
    """Return every case, by path below cases/."""
    found = []
    for path in sorted((HERE / "cases").rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        expect = content.pop("expect", "").splitlines()
        base = f"base_{content.pop('base')}" if "base" in content else "base"
        found.append(Case(str(path.relative_to(HERE / "cases").with_suffix("")), content, expect, base))
    return found


def problems(directory: Path, limit: str = "all") -> list[str]:
    """Return the lines that validate prints for the inventory, in this process."""
    return [problem.line() for problem in validated_inventory(directory, limit).problems]


def validated_inventory(directory: Path | str, limit: str = "all") -> Validated:
    """Return what an inventory says, read as ansible-playbook reads it."""
    loader = DataLoader()
    loader.set_vault_secrets(SECRETS)
    loader.set_basedir(str(PROJECT / "playbooks"))
    inventory = InventoryManager(loader, [str(directory)])
    variables = VariableManager(loader, inventory)
    HostVars(inventory, variables, loader)  # makes itself known to ``variables``
    inventory.subset(limit)
    selected = [host.name for host in inventory.get_hosts("all")]
    task_vars = variables.get_vars(host=inventory.get_host(selected[0]))
    # As the command line option -i sets it.
    fleet = read_inventory({**task_vars, "ansible_inventory_sources": [str(directory)]})
    return validated(fleet, selected)


def playbook(directory: Path, *arguments: str, name: str = "validate") -> subprocess.CompletedProcess[str]:
    """Run a playbook as an operator does."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(PASSWORD),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(directory.parent / "ansible"),
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", ".", str(PROJECT / "playbooks" / f"{name}.yml"), *arguments]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def printed(output: str) -> list[str]:
    """Return what actions printed: all lines before the failure or the end, but for Ansible's own."""
    play = re.split(r"^(?:fatal: |\[ERROR\]|PLAY RECAP)", output, maxsplit=1, flags=re.MULTILINE)[0]
    return [line for line in play.splitlines() if line and not line.startswith(("PLAY [", "TASK [", "ok: "))]


def content(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
