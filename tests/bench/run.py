# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what an operator waits for, on this machine, with real hubs.

    make bench                       all of it, about five minutes
    python tests/bench/run.py validate check   some of it

Wall times depend on the machine and its load; compare the ratios and the CPU seconds. CPU is that
of the command alone: hubs and users' servers are not its children.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack

from fleets import Fleet, large_inventory
from measure import CHECKOUT, Table, timed

GOALS = {"fresh": 60, "second": 10, "one": 4, "ten": 20, "validate": 8}


def fresh(table: Table, scratch: str) -> None:
    """From a clone to a checked hub, with empty and then with filled caches; then again unchanged."""
    caches = {name: os.path.join(scratch, "cache", name) for name in ("uv", "pip", "npm")}
    environment = {"UV_CACHE_DIR": caches["uv"], "PIP_CACHE_DIR": caches["pip"], "npm_config_cache": caches["npm"]}
    cold = None
    for what in ("cold", "warm"):
        clone = os.path.join(scratch, what)
        timed(["git", "clone", "--quiet", str(CHECKOUT), clone])
        setup = timed([f"{clone}/scripts/setup"], environment)
        with Fleet(scratch, 1, clone, environment) as fleet:
            deploy = fleet.playbook("deploy")
            total = setup + deploy
            table.add(f"fresh machine to checked hub, {what} caches", total, GOALS["fresh"], cold)
            table.add("  of this: scripts/setup", setup, None, None)
            cold = cold or total
            table.add("  deploy again, nothing to change", fleet.playbook("deploy"), GOALS["second"], deploy)


def check(table: Table, scratch: str) -> None:
    """Check one warm hub, then ten at once, then the same ten one after another."""
    with Fleet(scratch, 10) as fleet:
        fleet.playbook("deploy", "--skip-tags", "check")
        fleet.playbook("check")
        one = fleet.playbook("check", "--limit", "hub-0")
        table.add("check one warm hub", one, GOALS["one"], None)
        ten = fleet.playbook("check")
        table.add("check ten hubs at once", ten, GOALS["ten"], one)
        table.add("check ten hubs one after another", fleet.playbook("check", "-e", "check_parallel=1"), None, ten)


def validate(table: Table, scratch: str) -> None:
    """Validate 100 and 1,000 hubs."""
    small = None
    for count in (100, 1000):
        inventory = large_inventory(os.path.join(scratch, f"fleet-{count}"), count)
        command = [f"{sys.prefix}/bin/ansible-playbook", "-i", inventory, f"{CHECKOUT}/playbooks/validate.yml"]
        taken = timed(command)
        table.add(f"validate {count} hubs", taken, GOALS["validate"] if count == 1000 else None, small)
        small = small or taken


PARTS = {"fresh": fresh, "check": check, "validate": validate}


def main() -> int:
    """Run the parts that were asked for and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of: {', '.join(PARTS)} (all)")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    table = Table()
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="hubfleet-bench-"))
        os.chmod(scratch, 0o711)  # accounts of hubs' users pass through
        for part in parts:
            print(f"measuring: {PARTS[part].__doc__}", file=sys.stderr, flush=True)
            PARTS[part](table, scratch)
    table.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
