# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A git repository with an inventory, and the plans of it: in this process, and by the playbook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import Plan
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import read_inventory
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import plan_against
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import validated

PROJECT = Path(__file__).resolve().parents[2]

# What the command line programs do first. Nobody gives a password: plans against a revision need none.
init_plugin_loader()
VaultSecretsContext.initialize(VaultSecretsContext([]))

#: A sound fleet: two hubs on a machine, two on Kubernetes. Paths start at the top of the repository.
BASE = {
    "inventory/hosts.yml": """
all:
  children:
    clusters:
      children:
        machine: {hosts: {alpha: , beta: }}
        cloud: {hosts: {gamma: , delta: }}
    staging: {hosts: {alpha: , gamma: }}
    production: {hosts: {beta: , delta: }}
""",
    "inventory/group_vars/all.yml": """
hub_environment_catalogue:
  python:
    title: Python
    image: quay.io/jupyter/scipy-notebook:2025-11-10
    requirements: ../requirements.txt
hub_size_catalogue:
  small: {memory: 1G}
  large: {memory: 4G}
hub_environments: [python]
hub_sizes: [small, large]
""",
    "inventory/group_vars/machine.yml": """
# The account that runs this has no rights there: nothing of a machine is to be touched.
cluster_state_directory: /nonexistent/state
hub_authenticator: shared-password
hub_allowed_users: [ada, ben]
hub_templates: ../templates
""",
    "inventory/group_vars/cloud.yml": """
cluster_platform: kubernetes
cluster_storage_class: standard
cluster_exposure: ingress
cluster_certificate_issuer: letsencrypt
cluster_chart_version: 4.4.0
hub_authenticator: native
hub_allowed_users: [ada]
""",
    "inventory/host_vars/alpha.yml": """
hub_port: 8100
hub_title: Alpha
""",
    "inventory/host_vars/beta.yml": "hub_port: 8200\n",
    "inventory/host_vars/gamma.yml": "hub_domain: gamma.example.org\n",
    "inventory/host_vars/delta.yml": """
hub_domain: delta.example.org
hub_helm_values:
  cull: {every: 240}
""",
    "templates/page.html": "{% extends 'templates/page.html' %}\n",
    "requirements.txt": "numpy==2.3.5\n",
}


class Repository:
    """A git repository below ``root``."""

    def __init__(self, root: Path):
        self.root = root
        self.inventory = root / "inventory"

    def write_base(self) -> None:
        """Write a sound fleet into a new repository."""
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(BASE)

    def write(self, files: dict[str, str]) -> None:
        """Write files; paths start at the top."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"), encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """Add to a file."""
        path = self.root / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file once."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """Run git, untouched by what the account that runs this has set."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Change")
        return self.git("rev-parse", "HEAD")

    def plan(self, against: str = "HEAD", limit: str = "", playbooks: Path = PROJECT / "playbooks") -> Plan:
        """Return what the playbook plan finds with plan_against; raises PlatformError as its action does."""
        fleet, selected, task_vars, loader = self._read(limit, playbooks)
        now = validated(fleet, selected)
        assert now.problems == [], [problem.line() for problem in now.problems]
        return plan_against(against, now, [now.fleet.hubs[name] for name in selected], fleet, task_vars, loader)

    def problems(self) -> list[str]:
        """Return what is wrong with the inventory as it is read for a plan against a revision."""
        fleet, selected, _task_vars, _loader = self._read("", PROJECT / "playbooks")
        return [problem.line() for problem in validated(fleet, selected).problems]

    def _read(self, limit: str, playbooks: Path) -> tuple[FleetInput, list[str], dict[str, Any], DataLoader]:
        """Read the inventory as the action does; playbooks: the directory of the playbook that is run."""
        loader = DataLoader()
        loader.set_basedir(str(playbooks))
        inventory = InventoryManager(loader, [str(self.inventory)])
        variables = VariableManager(loader, inventory)
        HostVars(inventory, variables, loader)  # makes itself known to ``variables``
        inventory.subset(limit or None)
        selected = [host.name for host in inventory.get_hosts("all")]
        # As the command line options -i and --limit set it.
        given = {"ansible_inventory_sources": [str(self.inventory)], **({"ansible_limit": limit} if limit else {})}
        task_vars = {**variables.get_vars(host=inventory.get_host(selected[0])), **given}
        return read_inventory(task_vars, keep_encrypted=True), selected, task_vars, loader

    def changed(self, against: str = "HEAD", limit: str = "") -> dict[str, tuple[str, list[str]]]:
        """Return hub -> (action, reasons) of hubs that differ."""
        hubs = self.plan(against, limit).hubs
        return {hub.hub: (hub.action, list(map(str, hub.reasons))) for hub in hubs if hub.action != "unchanged"}

    def write_encrypted(self, name: str, text: str, password: str) -> None:
        """Write a file that is encrypted as a whole."""
        encrypted: bytes = VaultLib([("default", VaultSecret(password.encode()))]).encrypt(text.encode())
        self.write({name: encrypted.decode()})

    def playbook(self, *arguments: str, name: str = "plan") -> subprocess.CompletedProcess[str]:
        """Run a playbook as an operator does."""
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.root.parent / "ansible"),
        }
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), "-i", ".", str(PROJECT / "playbooks" / f"{name}.yml"), *arguments]
        return subprocess.run(
            command, cwd=self.inventory, env=environment, capture_output=True, text=True, check=False, timeout=300
        )


def vaulted(text: str) -> str:
    """Return a text as a value of YAML that ansible-vault encrypted: another one each time, under a lost password."""
    encrypted: bytes = VaultLib([("default", VaultSecret(os.urandom(16)))]).encrypt(text.encode())
    return "!vault " + '"' + encrypted.decode().replace("\n", "\\n") + '"'
