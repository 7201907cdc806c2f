# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an inventory and runs playbooks on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ansible.parsing.vault import VaultLib, VaultSecret

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "only for this inventory"
#: Secrets of the inventory; none of them may be printed, nor anything that holds one of them.
SECRETS = {"client": "hunter2-client", "token": "hunter2-token", "database": "hunter2-database", "file": "hunter2-file"}

HOSTS = """
all:
  children:
    clusters:
      children:
        cloud: {hosts: {maps-staging: , maps: }}
        machine: {hosts: {local: }}
    staging: {hosts: {maps-staging: , local: }}
    production: {hosts: {maps: }}
"""
ALL = """
hub_environment_catalogue:
  python: {title: Python, image: "quay.io/jupyter/scipy-notebook:2025-11-10"}
  r: {image: "quay.io/uni/r:4.5"}
hub_environments: [python, r]
hub_size_catalogue: {small: {memory: 1G}}
hub_sizes: [small]
hub_idle_timeout: 30m
"""
CLOUD = """
cluster_platform: kubernetes
cluster_storage_class: standard
cluster_exposure: ingress
cluster_certificate_issuer: letsencrypt
hub_authenticator: github
hub_authenticator_settings:
  client_id: abc
  client_secret: {client}
hub_allowed_organizations: [university]
hub_services:
  - name: grader
    api_token: {token}
fleet_helm_values:
  hub: {{annotations: {{example.org/team: fleet, example.org/room: "1"}}}}
cluster_helm_values:
  hub:
    annotations: {{example.org/team: cloud}}
    db: {{password: {database}}}
"""
MAPS = """
hub_domain: maps.example.org
hub_idle_timeout: 2h
hub_addons:
  dask-gateway: {}
hub_helm_values:
  singleuser:
    extraFiles: {key: {mountPath: /key, stringData: FILE}}
"""
STAGING = "hub_domain: staging.example.org\n"
LOCAL = """
hub_port: 8000
hub_authenticator: shared-password
hub_allowed_users: [ada]
cluster_state_directory: STATE
"""

#: A chart that checks values as the recorded one does, and renders one manifest.
RECORD = PROJECT / "roles" / "hub" / "files" / "charts" / "4.4.0"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: jupyterhub\nversion: 4.4.0\nappVersion: 5.5.0\n",
    "values.yaml": (RECORD / "values.json").read_text(encoding="utf-8"),
    "templates/settings.yaml": """apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {timeout: {{ .Values.cull.timeout | toJson }}}
""",
}


@dataclass
class Done:
    """A playbook that ran: its exit status, and everything it printed."""

    status: int
    output: str

    @property
    def said(self) -> list[str]:
        """What actions printed: no headings, results or recap of Ansible's own."""
        play = re.split(r"^PLAY RECAP", self.output, maxsplit=1, flags=re.MULTILINE)[0]
        own = re.compile(r"PLAY \[|TASK \[|ok: |changed: |fatal: |skipping: |skipping|\[ERROR\]|\[WARNING\]")
        return [line for line in play.splitlines() if line.strip() and not own.match(line)]

    @property
    def changed(self) -> bool:
        return re.search(r"changed=[1-9]", self.output) is not None


class KubernetesFleet:
    """An inventory directory below ``root``, and a directory beside it that hubs are rendered into."""

    def __init__(self, root: Path):
        self.root = root
        self.inventory = root / "inventory"
        self.out = root / "out"
        self.state = root / "state"
        self.no_kubeconfig = root / "no-kubeconfig"

    def write(self) -> None:
        """Write the inventory; its secrets are encrypted."""
        encrypted = {name: vaulted(text) for name, text in SECRETS.items()}
        files = {
            "hosts.yml": HOSTS,
            "group_vars/all.yml": ALL,
            "group_vars/cloud.yml": CLOUD.format(**encrypted),
            "group_vars/machine.yml": LOCAL.replace("STATE", str(self.state)),
            "host_vars/maps.yml": MAPS.replace("FILE", encrypted["file"]),
            "host_vars/maps-staging.yml": STAGING,
        }
        for name, text in files.items():
            self.file(name, text)
        (self.root / "password").write_text(PASSWORD)

    def file(self, name: str, text: str) -> Path:
        """Write one file of the inventory."""
        path = self.inventory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
        return path

    def add(self, name: str, text: str) -> None:
        """Add to a file of the inventory."""
        path = self.inventory / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def line(self, name: str, text: str) -> str:
        """Return ``file:line`` of the line of a file that begins with a text, as it is told to people."""
        lines = (self.inventory / name).read_text(encoding="utf-8").splitlines()
        return f"{name}:{next(number for number, line in enumerate(lines, 1) if line.strip().startswith(text))}"

    def chart(self, **files: str) -> None:
        """Let the hubs use a small chart beside the inventory: what is in it, Ansible reads as a part of it."""
        for name, text in {**CHART, **files}.items():
            self.file(f"../charts/jupyterhub/{name}", text)
        self.add("group_vars/cloud.yml", "cluster_chart: ../charts/jupyterhub\n")

    def run(self, name: str, *arguments: str) -> Done:
        """Run a playbook as an operator does, standing in the inventory's directory; no secret may be printed."""
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.root / "password"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.root / "ansible"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "KUBECONFIG": str(self.no_kubeconfig),
        }
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), "-i", ".", str(PROJECT / "playbooks" / f"{name}.yml"), *arguments]
        done = subprocess.run(
            command, cwd=self.inventory, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        output = done.stdout + done.stderr
        for secret in SECRETS.values():
            assert secret not in output, f"the secret {secret} was printed"
        return Done(done.returncode, output)

    def render(self, *arguments: str) -> Done:
        """Render hubs on Kubernetes."""
        return self.run("render", "--limit", "cloud", "-e", f"render_directory={self.out}", *arguments)

    def rendered(self) -> dict[str, str]:
        """Return what was rendered: path below the directory -> text."""
        files = [path for path in sorted(self.out.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.out)): path.read_text(encoding="utf-8") for path in files}

    def content(self) -> dict[str, bytes]:
        """Return everything that stands in the inventory, or would be a trace of a deploy."""
        files = [path for folder in (self.inventory, self.state) for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files}


def vaulted(text: str) -> str:
    """Return a text as a value of YAML that ansible-vault decrypts, in one line."""
    encrypted: bytes = VaultLib([("default", VaultSecret(PASSWORD.encode()))]).encrypt(text.encode())
    return "!vault " + '"' + encrypted.decode().replace("\n", "\\n") + '"'
