# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of a test: its inventory, the verbs run on it, and how it is ended."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import playbook_server
from prebuilt import share_with
from verbs_hub import Hub
from verbs_machine import accounts_below, end_all, parent, processes_of, supervisor_pid

CHECKOUT = Path(__file__).resolve().parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
VAULT_PASSWORD = "of the test only"
LONGEST_VERB = 400
#: What hubs have unless a test says otherwise: nothing to build but the packages of every environment.
DEFAULTS = {
    "hub_authenticator": "shared-password",
    "hub_allowed_users": ["ada", "ben"],
    "hub_environment_catalogue": {"python": {"title": "Python"}},
    "hub_size_catalogue": {"small": {"title": "Small", "memory": "1G"}},
    "hub_environments": ["python"],
    "hub_sizes": ["small"],
}


@dataclass(frozen=True)
class Account:
    """Who runs the verbs: ``prefix`` comes before every command, ``environment`` is all of it.

    place: where the fleet's own directory is made.
    """

    checkout: Path = CHECKOUT
    playbook: Path = PLAYBOOK
    prefix: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    owner: tuple[int, int] | None = None
    place: str = "/tmp"

    @property
    def shares_process(self) -> bool:
        """Whether playbooks may run in forks of one process: they are of this checkout and account."""
        return not self.prefix and self.playbook == PLAYBOOK and self.checkout == CHECKOUT


@dataclass(frozen=True)
class Result:
    """What a person would have seen of a verb."""

    code: int
    output: str

    def recap(self, hub: str) -> dict[str, int]:
        """The hub's line in PLAY RECAP, {} where it has none."""
        recap = self.output.rpartition("PLAY RECAP")[2].splitlines()
        line = next((line for line in recap if line.split(":")[0].strip() == hub), "")
        return {key: int(value) for key, value in (pair.split("=") for pair in line.partition(":")[2].split())}

    def changed(self) -> int:
        """Sum of ``changed`` over all hosts."""
        lines = self.output.rpartition("PLAY RECAP")[2].splitlines()
        return sum(int(line.partition("changed=")[2].split()[0]) for line in lines if "changed=" in line)

    def planned(self) -> dict[str, str]:
        """Hub -> what a plan or a deploy found, such as ``update: configuration, hub to restart``."""
        actions = "create|update|drifted|orphaned|unreachable"
        lines = re.findall(rf"^(\S+) +\S+ +(?:staging|production)? +({actions}) +(.*)$", self.output, re.MULTILINE)
        return {hub: f"{action}: {reasons}" for hub, action, reasons in lines}

    def outcomes(self) -> dict[str, str]:
        """Hub -> what became of it, and why, as the recap of a deploy says it."""
        lines = self.output.rpartition("PLAY [Recap]")[2].splitlines()
        words = "deployed|unchanged|rolled back|skipped|FAILED|unreachable"
        found = [re.match(rf"(\S+) +({words}) +http\S+(.*)", line) for line in lines]
        return {each[1]: f"{each[2]} {each[3].strip()}".strip() for each in found if each}

    def part(self, play: str) -> str:
        """What was shown of a play."""
        return self.output.partition(f"PLAY [{play}]")[2].partition("\nPLAY [")[0]

    def tasks(self) -> list[str]:
        """Names of the tasks that were shown."""
        return [line[6:].partition("]")[0] for line in self.output.splitlines() if line.startswith("TASK [")]


#: Where the verbs record the identities of clusters; as in a git repository, it outlives changes of the inventory.
IDENTITIES = ".cluster-identities.json"


class Fleet:
    """Clusters with their hubs in a directory of their own; most tests have a single cluster, of the fleet's name.

    clusters: cluster -> cluster_* and further variables of its group. hubs: hub -> its hub_* variables.
    tiers: hub -> staging or production. cluster_of: hub -> its cluster.
    """

    def __init__(self, name: str, account: Account | None = None, **settings: Any) -> None:
        self.name, self.account = name, account or Account()
        # Not below pytest's own directories, which other accounts cannot pass through.
        self.directory = Path(tempfile.mkdtemp(prefix="hubfleet-test-", dir=self.account.place))
        self.directory.chmod(0o711)
        self.state = self.directory / "state"
        self.inventory = self.directory / "inventory"
        self.clusters: dict[str, dict[str, Any]] = {}
        self.add_cluster(name, **{"cluster_state_directory": str(self.state), **settings})
        self.hubs: dict[str, dict[str, Any]] = {}
        self.cluster_of: dict[str, str] = {}
        self.tiers: dict[str, str] = {}
        #: What the last deploy of all hubs printed, and what it left.
        self.deployed: tuple[Result, Any] | None = None
        if self.account.owner:
            os.chown(self.directory, *self.account.owner)
        (self.directory / "vault-password").write_text(VAULT_PASSWORD, encoding="utf-8")

    def add_cluster(self, name: str, **settings: Any) -> None:
        """Add a cluster, with a state directory of its own unless the settings name one."""
        state = self.directory / f"state-{name}"
        self.clusters[name] = {**DEFAULTS, "cluster_state_directory": str(state), **settings}

    def state_of(self, cluster: str) -> Path:
        """The state directory of a cluster."""
        return Path(self.clusters[cluster]["cluster_state_directory"])

    def add(self, name: str, tier: str, cluster: str = "", **variables: Any) -> None:
        """Add a hub on free ports. ``base`` is the path of its address."""
        self.cluster_of[name] = cluster or self.name
        port = free_ports({variables["hub_port"] for variables in self.hubs.values()})
        base = variables.pop("base", None)
        url = {"hub_url": f"http://127.0.0.1:{port}{base}"} if base else {}
        self.hubs[name], self.tiers[name] = {"hub_port": port, **url, **variables}, tier

    def use_prebuilt(self) -> Fleet:
        """Let the first deploy find the tools and the environment ``python`` built; for fleets of this account."""
        for name in self.clusters:
            share_with(self.state_of(name))
        return self

    def hub(self, name: str) -> Hub:
        """The hub, to be asked what it does."""
        return Hub(self.state_of(self.cluster_of[name]) / "hubs" / name, name)

    # --- the inventory --------------------------------------------------------------------------

    def write(self) -> None:
        """Write the inventory. JSON is YAML; only ``!vault`` needs more."""
        recorded = self.identities()
        shutil.rmtree(self.inventory, ignore_errors=True)
        self.inventory.mkdir(mode=0o700)
        if recorded:
            (self.inventory / IDENTITIES).write_text(json.dumps(recorded), encoding="utf-8")
        tiers = {
            tier: {"hosts": {hub: {} for hub, its in self.tiers.items() if its == tier}}
            for tier in ("staging", "production")
        }
        clusters = {
            name: {"hosts": {hub: {} for hub in self.hubs if self.cluster_of[hub] == name}} for name in self.clusters
        }
        files = {"hosts.yml": {"all": {"children": {"clusters": {"children": clusters}, **tiers}}}}
        files |= {f"group_vars/{name}.yml": settings for name, settings in self.clusters.items()}
        files |= {f"host_vars/{hub}.yml": variables for hub, variables in self.hubs.items()}
        for name, content in files.items():
            path = self.inventory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(as_yaml(content), encoding="utf-8")
        for path in [self.directory / "vault-password", self.inventory, *self.inventory.rglob("*")]:
            if self.account.owner:
                os.chown(path, *self.account.owner)

    def identities(self) -> dict[str, str]:
        """Cluster -> identity, as the verbs recorded it; {} where they did not."""
        path = self.inventory / IDENTITIES
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def set(self, name: str = "", **variables: Any) -> None:
        """Change the inventory: variables of a hub, or of a cluster. None removes one."""
        place = self.hubs[name] if name in self.hubs else self.clusters[name or self.name]
        place.update(variables)
        for name in [name for name, value in variables.items() if value is None]:
            del place[name]
        self.write()

    @contextmanager
    def changed(self, name: str = "", **variables: Any) -> Iterator[None]:
        """Another inventory for a while; like set()."""
        before = copy.deepcopy((self.clusters, self.hubs))
        self.set(name, **variables)
        try:
            yield
        finally:
            self.clusters, self.hubs = before
            self.write()

    def encrypted(self, text: str) -> Vault:
        """The text as ``!vault`` value for the inventory."""
        command = [str(self.account.playbook.with_name("ansible-vault")), "encrypt_string", "--stdin-name", "x"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=self._environment(), check=True)
        return Vault(tuple(line.strip() for line in done.stdout.splitlines()[1:] if line.strip()))

    # --- the verbs ------------------------------------------------------------------------------

    def run(self, verb: str, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        """Run a playbook to its end."""
        process = self.start(verb, *arguments, environment=environment)
        output, _nothing = process.communicate(timeout=LONGEST_VERB)
        result = Result(process.returncode, output)
        if verb == "deploy" and not {"--limit", "--check"}.intersection(arguments):
            self.deployed = None if result.code else (result, self._condition())
        return result

    def succeed(self, verb: str, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        """Run a playbook that must succeed."""
        result = self.run(verb, *arguments, environment=environment)
        assert result.code == 0, result.output
        return result

    def restore(self, environment: dict[str, str] | None = None) -> None:
        """Deploy if anything differs from what the last deploy of all hubs left."""
        if not self.is_as_deployed():
            self.succeed("deploy", environment=environment)

    def is_as_deployed(self) -> bool:
        """Whether inventory, configuration and processes are what the last deploy of all hubs left, if it succeeded."""
        return self.deployed is not None and self.deployed[1] == self._condition()

    def _condition(self) -> Any:
        """The inventory, and what a deploy compares with it: configuration, secrets, builds, what runs and answers."""
        states = [self.state_of(name) for name in self.clusters]
        hubs = [self.hub(name) for name in self.hubs]
        files = [path for path in self.inventory.rglob("*") if path.name != IDENTITIES]
        for hub in hubs:
            files += [*hub.directory.glob("config/**/*"), *hub.directory.glob("secrets/*")]
        return (
            {str(path): path.read_bytes() for path in files if path.is_file()},
            [sorted(map(str, state.glob("*/*/.complete"))) for state in states],
            [(supervisor_pid(state), os.path.exists(f"{state}.deploy-lock")) for state in states],
            [(hub.pids, any(hub.pids.values()) and hub.healthy()) for hub in hubs],
        )

    def start(
        self, verb: str, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str] | playbook_server.Playbook:
        """Start a playbook in a process group of its own."""
        given = ["-i", str(self.inventory), f"playbooks/{verb}.yml", *arguments]
        if self.account.shares_process and environment is None:
            settings = self._environment()
            # Ansible reads it once per process, and each fleet has its own.
            password = settings.pop("ANSIBLE_VAULT_PASSWORD_FILE")
            given += ["--vault-password-file", password]
            return playbook_server.start(given, self.account.checkout, settings)
        return subprocess.Popen(
            [*self.account.prefix, str(self.account.playbook), *given],
            cwd=self.account.checkout,
            env={**self._environment(), **(environment or {})},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        return {
            **self.account.environment,
            "ANSIBLE_CONFIG": str(self.account.checkout / "ansible.cfg"),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.directory / "vault-password"),
            "ANSIBLE_NOCOLOR": "1",
        }

    # --- the end --------------------------------------------------------------------------------

    def remove(self) -> Result:
        """Run the verb remove on everything, with its data, whoever works there."""
        sure = ("-e", "remove_data=true", "-e", "remove_export=false", "-e", "remove_end_sessions=true")
        return self.run("remove", "-e", f"remove_hubs={','.join(self.hubs)}", *sure)

    def end(self) -> None:
        """Remove everything by the verb, then by force; AssertionError when the verb left anything."""
        left = ""
        states = [self.state_of(name) for name in self.clusters]
        if self.inventory.exists() and any(state.exists() for state in states):
            result = self.remove()
            found = [
                *processes_of(self.directory).values(),
                *accounts_below(self.directory),
                # The place of a file system of its own stays, empty.
                *(path for state in states if state.exists() for path in state.iterdir()),
                *self.directory.glob("*.deploy-lock"),
            ]
            if result.code or found:
                left = f"{result.output}\nleft: {found}"
        end_all(lambda: processes_of(self.directory))
        for account in accounts_below(self.directory):
            subprocess.run(["userdel", account], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        assert not left, left


@dataclass(frozen=True)
class Vault:
    """An encrypted value, as its lines."""

    lines: tuple[str, ...]


def as_yaml(variables: dict[str, Any]) -> str:
    """Variables as YAML."""
    vaults: list[Vault] = []

    def marked(value: Any) -> str:
        vaults.append(value)
        return f"<vault {len(vaults) - 1}>"

    text = json.dumps(variables, indent=1, default=marked)
    for number, vault in enumerate(vaults):
        text = text.replace(f'"<vault {number}>"', '!vault "' + "\\n".join(vault.lines) + '\\n"')
    return text


def free_ports(promised: set[int]) -> int:
    """First of four neighbouring ports that nobody listens on, out of the range of outgoing connections.

    promised: what other hubs will listen on. Each worker of pytest-xdist has ports of its own to choose from.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for first in random.sample(sorted(set(range(18000, 28000, 4)[own::workers]) - promised), 200):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no four neighbouring ports are free")


def kill_all(process: subprocess.Popen[str] | playbook_server.Playbook) -> None:
    """SIGKILL for a playbook and everything it started, as when a terminal's machine dies."""
    family = [process.pid]
    for pid in family:
        family += [child for child in map(int, filter(str.isdigit, os.listdir("/proc"))) if parent(child) == pid]
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.communicate()


def wait_for(what: str, test: Any, patience: float = 300.0) -> Any:
    """The first true value of the test; AssertionError names what did not come."""
    deadline = time.monotonic() + patience
    while True:
        value = test()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(0.1)
