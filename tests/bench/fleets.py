# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets to measure on: real ones on this machine, and large ones that are only read."""

import os
import random
import socket
import tempfile
from pathlib import Path

import yaml
from measure import CHECKOUT, Taken, timed

CATALOGUES = {
    "hub_environment_catalogue": {"python": {"title": "Python"}},
    "hub_size_catalogue": {"small": {"title": "Small", "memory": "1G"}},
    "hub_environments": ["python"],
    "hub_sizes": ["small"],
}


class Fleet:
    """Real hubs on this machine; removed with everything at the end."""

    def __init__(
        self,
        scratch: str,
        hubs: int,
        checkout: str = str(CHECKOUT),
        environment: dict[str, str] | None = None,
        **settings: object,
    ):
        """hubs: how many. checkout, environment: what runs the playbooks. settings: variables of all hubs."""
        self.settings = settings
        self.names = [f"hub-{number}" for number in range(hubs)]
        self.checkout = checkout
        self.environment = {
            **(environment or {}),
            "ANSIBLE_COLLECTIONS_PATH": f"{checkout}/.ansible/collections",
        }
        self.directory = tempfile.mkdtemp(dir=scratch)
        os.chmod(self.directory, 0o711)

    def __enter__(self) -> "Fleet":
        first = _free_ports(4 * len(self.names))
        hosts = {name: {"hub_port": first + 4 * number} for number, name in enumerate(self.names)}
        settings = {
            **CATALOGUES,
            "cluster_state_directory": f"{self.directory}/state",
            "cluster_supervisor": "supervisord",
            "hub_authenticator": "shared-password",
            "hub_allowed_users": ["ada"],
            **self.settings,
        }
        # Apart from the state directory: Ansible reads an inventory directory whole.
        inventory = Path(self.directory) / "inventory"
        inventory.mkdir()
        self.inventory = _write(inventory, {"bench": hosts}, settings)
        return self

    def __exit__(self, *_error: object) -> None:
        names = f"remove_hubs={','.join(self.names)}"
        self.playbook(
            "remove",
            "-e",
            names,
            "-e",
            "remove_data=true",
            "-e",
            "remove_export=false",
            "-e",
            "remove_end_sessions=true",
        )

    def hub(self, name: str) -> Path:
        """The directory of a hub."""
        return Path(self.directory, "state", "hubs", name)

    def playbook(self, name: str, *arguments: str) -> Taken:
        """Run a playbook of the checkout on the fleet."""
        command = [
            f"{self.checkout}/.venv/bin/ansible-playbook",
            "-i",
            self.inventory,
            f"{self.checkout}/playbooks/{name}.yml",
        ]
        return timed([*command, *arguments], self.environment)


def large_inventory(directory: str, hubs: int, **settings: str) -> str:
    """Write an inventory of many hubs in ten clusters, as rich as real ones; return its path.

    settings: more variables of all hubs; a state directory gets that of each cluster below it.
    """
    clusters: dict[str, dict] = {f"cluster-{number}": {} for number in range(10)}
    path = Path(directory)
    (path / "host_vars").mkdir(parents=True)
    for number in range(hubs):
        name = f"hub-{number:04}"
        clusters[f"cluster-{number % 10}"][name] = {}
        variables = {
            "hub_title": f"Hub {number}",
            "hub_url": f"https://hub-{number}.example.org/",
            "hub_port": 10000 + 4 * number,
            "hub_authenticator": "github",
            "hub_authenticator_settings": {
                "client_id": f"id-{number}",
                "client_secret": "{{ 'secret of ' ~ inventory_hostname }}",
            },
            "hub_allowed_organizations": [f"university-{number}", "partners:hub"],
            "hub_admins": ["ada", "ben"],
            "hub_idle_timeout": "30m",
            "hub_announcement": f"Welcome to hub {number}",
            "hub_environment_variables": {"COURSE": f"course-{number}"},
            "hub_environments": [
                "python",
                {"name": "own", "title": "Own", "packages": ["numpy==2.2.6"]},
            ],
        }
        (path / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump(variables))
    state = settings.pop("cluster_state_directory", "")
    shared = (
        {"cluster_state_directory": f"{state}/{{{{ group_names | select('match', 'cluster-') | first }}}}"}
        if state
        else {}
    )
    return _write(path, clusters, {**CATALOGUES, **settings, **shared})


def _write(path: Path, clusters: dict[str, dict], settings: dict) -> str:
    hosts = {name: None for members in clusters.values() for name in members}
    children = {name: {"hosts": members} for name, members in clusters.items()}
    groups = {"clusters": {"children": children}, "production": {"hosts": hosts}}
    (path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups, "vars": settings}}))
    return str(path)


def _free_ports(count: int) -> int:
    """Return the first of ``count`` neighbouring ports that are free now; by chance, as others may measure, too."""
    candidates = range(21000, 32000, count)
    for first in random.sample(candidates, len(candidates)):
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise OSError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
