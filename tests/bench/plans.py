# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What planning costs: against files of many hubs on this machine, and against another revision."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from fleets import Fleet, large_inventory
from kubernetes_fleets import kubernetes_inventory
from measure import ANSIBLE, CHECKOUT, Grid, Table, playbook, ratio, timed

GOALS = {171: None, 1000: 8}
#: Deploys the hubs of a play the plain way: a role for each host, whether or not it changes.
PLAIN = """
- hosts: clusters
  gather_facts: false
  vars_files: [{vars}]
  roles: [hubfleet.jupyterhub.hub]
"""
#: Writes the files of every hub as a deploy leaves them, without starting anything.
_DEPLOYED = """
import os, sys
sys.path[:0] = [sys.argv[1] + "/.ansible/collections", sys.argv[1] + "/tests/bad"]
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply import deploy
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import LocalMachine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import claim
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import record_of
from bad_inventories import validated_inventory  # last: it starts Ansible's plugin loader
found = validated_inventory(sys.argv[2])
platforms = Platforms(found.platforms.inventory, lambda hub: LocalMachine())
for platform, hubs in platforms.by_cluster(list(found.fleet.hubs.values())).values():
    facts = platform.facts(hubs)
    for hub in hubs:
        desired = platform.desired(hub, facts)
        texts = {file: text.encode() for file, text in desired.config_files().items()}
        layout = facts.setup.layout.hub(hub.name)
        (target,) = platform.check_targets([hub], facts)
        record = {**record_of(desired, texts, sys.argv[2], target), "result": "checked"}
        os.makedirs(facts.setup.layout.root, exist_ok=True)
        claim(facts.setup.layout)
        homes = deploy.Homes(facts.setup.layout.homes(hub.name), True)
        deploy.write_deploy(layout, record, texts, list(desired.generated), homes, 10)
"""
#: Reads, validates and plans in one process; prints the CPU seconds of each.
_PARTS = """
import json, sys, time
sys.path[:0] = [sys.argv[1] + "/.ansible/collections", sys.argv[1] + "/tests/bad"]
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import LocalMachine
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import plan_live
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
import bad_inventories
seconds = {}
def measured(name, function):
    def run(*arguments):
        before = time.process_time()
        found = function(*arguments)
        seconds[name] = time.process_time() - before
        return found
    return run
for name in ("read_inventory", "validated"):
    setattr(bad_inventories, name, measured(name, getattr(bad_inventories, name)))
found = bad_inventories.validated_inventory(sys.argv[2])
platforms = Platforms(found.platforms.inventory, lambda hub: LocalMachine())
measured("planned", plan_live)(list(found.fleet.hubs.values()), platforms)
print(json.dumps(seconds))
"""


def parts(table: Table, scratch: str, hubs: int = 1000) -> None:
    """What validating and planning cost beside reading the variables, in CPU seconds of one process."""
    inventory = os.path.join(scratch, f"plan-{hubs}")
    command = [sys.executable, "-c", _PARTS, str(CHECKOUT), inventory]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    reading = found["read_inventory"]
    validating = reading + found["validated"]
    planning = validating + found["planned"]
    for what, seconds in (("read", reading), ("read and validate", validating), ("read, validate and plan", planning)):
        Grid.add(table, f"{what} {hubs} hubs", "", seconds, "", ratio(seconds, reading))


def plans(table: Table, scratch: str) -> None:
    """Plan 171 and 1,000 hubs whose files are on this machine, but which do not run; then against a revision."""
    small = None
    for count in (171, 1000):
        state = os.path.join(scratch, f"state-{count}")
        inventory = large_inventory(os.path.join(scratch, f"plan-{count}"), count, cluster_state_directory=state)
        subprocess.run([sys.executable, "-c", _DEPLOYED, str(CHECKOUT), inventory], check=True)
        taken = playbook("plan", inventory)
        table.add(f"plan {count} hubs", taken, GOALS[count], small)
        small = small or taken
    parts(table, scratch)
    for count in (171, 1000):
        inventory = kubernetes_inventory(os.path.join(scratch, f"revision-{count}", "inventory"), count)
        _commit(os.path.dirname(inventory))
        path = Path(inventory, "host_vars", "hub-0001.yml")
        path.write_text(path.read_text() + "hub_idle_timeout: 90m\n")
        taken = playbook("plan", inventory, "-e", "plan_against=HEAD")
        table.add(f"plan {count} hubs against a revision", taken, None, small)


def _commit(directory: str) -> None:
    author = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message", "fleet"]):
        subprocess.run(["git", "-C", directory, *arguments], check=True)


def one_changed(table: Table, scratch: str, hubs: int = 20) -> None:
    """Deploy when one of twenty real hubs changed, and the same with a plain role for each host."""
    with Fleet(scratch, hubs) as fleet:
        fleet.playbook("deploy", "--skip-tags", "check")
        fleet.playbook("check")
        plan = fleet.playbook("plan")
        table.add(f"plan {hubs} running hubs", plan, None, None)
        _announce(fleet, "hub-7", "one")
        alone = fleet.playbook("deploy", "--limit", "hub-7")
        table.add("deploy one hub with --limit", alone, None, None)
        _announce(fleet, "hub-7", "two")
        among = fleet.playbook("deploy")
        table.add(f"deploy, one of {hubs} changed", among, 1.2 * (plan.wall + alone.wall), alone)
        path = Path(scratch, "plain.yml")
        path.write_text(PLAIN.format(vars=CHECKOUT / "playbooks/vars/connection.yml"))
        _announce(fleet, "hub-7", "three")
        plain = timed([ANSIBLE, "-i", fleet.inventory, str(path)], fleet.environment)
        table.add("the same by a role for each host, unchecked", plain, None, among)


def _announce(fleet: Fleet, hub: str, text: str) -> None:
    path = Path(fleet.inventory, "hosts.yml")
    content = yaml.safe_load(path.read_text())
    content["all"]["children"]["clusters"]["children"]["bench"]["hosts"][hub]["hub_announcement"] = text
    path.write_text(yaml.safe_dump(content))
