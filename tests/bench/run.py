# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what an operator waits for, on this machine, with real hubs.

    make bench                       all of it, about twenty minutes
    python tests/bench/run.py validate check   some of it
    HUBFLEET_BENCH_USERS=10,20 python tests/bench/run.py load

Wall times depend on the machine and its load; compare the ratios and the CPU seconds. CPU is that
of the command alone: hubs and users' servers are not its children.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack

from environments import environments
from fleets import Fleet, large_inventory
from kubernetes_deploys import deploys
from kubernetes_fleets import kubernetes_inventory, pure_rendering
from kubernetes_reads import reads
from load import bots, hubs, load
from measure import ANSIBLE, CHECKOUT, Table, Taken, playbook, timed
from plans import one_changed, plans
from start_page import start_page
from starts import start

GOALS = {"fresh": 60, "second": 10, "one": 4, "ten": 20, "validate": 8, "kubernetes": 5}
#: Real configuration that lies beside the checkout of those who develop this.
REAL = CHECKOUT.parent / "shared" / "data" / "fleets" / "2i2c"


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
        taken = playbook("validate", inventory)
        table.add(f"validate {count} hubs", taken, GOALS["validate"] if count == 1000 else None, small)
        small = small or taken


def kubernetes(table: Table, scratch: str) -> None:
    """Validate 171 and 1,000 hubs on Kubernetes, and ten real clusters where they are at hand."""
    small = None
    for count in (171, 1000):
        inventory = kubernetes_inventory(os.path.join(scratch, f"kubernetes-{count}"), count)
        taken = playbook("validate", inventory)
        table.add(f"validate {count} hubs on Kubernetes", taken, GOALS["kubernetes"] if count == 171 else None, small)
        small = small or taken
    if not REAL.is_dir():
        print(f"left out: there are no real clusters in {REAL}", file=sys.stderr)
        return
    fleet = os.path.join(scratch, "real")
    arguments = ["-e", f"import_source={REAL}", "-e", "import_format=2i2c", "-e", f"import_directory={fleet}"]
    table.add(
        "import ten real clusters (29 hubs)",
        timed([ANSIBLE, f"{CHECKOUT}/playbooks/import_fleet.yml", *arguments]),
        None,
        None,
    )
    table.add("validate them", playbook("validate", f"{fleet}/inventory"), None, small)
    table.add(
        "render them", playbook("render", f"{fleet}/inventory", "-e", f"render_directory={scratch}/out"), None, small
    )


def manifests(table: Table, scratch: str) -> None:
    """Render and check every manifest of 171 hubs; needs HUBFLEET_TEST_CHART, the directory of the chart."""
    chart = os.environ.get("HUBFLEET_TEST_CHART")
    if not chart:
        print("left out: HUBFLEET_TEST_CHART names no directory of the zero-to-jupyterhub chart", file=sys.stderr)
        return
    inventory = kubernetes_inventory(os.path.join(scratch, "manifests"), 171, chart)
    pure = pure_rendering(inventory, chart, scratch)
    # Go collects garbage on the other core: CPU time, not wall time, is what two cores can share.
    halved = Taken(pure.cpu / 2, pure.cpu)
    table.add("render 171 hubs, the engine alone, one process", pure, None, None)
    table.add("  the same on two cores, at best", halved, None, None)
    plain = playbook("validate", inventory)
    rendered = playbook("validate", inventory, "-e", "validate_render=true")
    table.add("validate 171 hubs", plain, None, None)
    table.add("validate them with every manifest", rendered, None, None)
    only = Taken(rendered.wall - plain.wall, rendered.cpu - plain.cpu)
    table.add("  of this: rendering and checking", only, 1.2 * halved.wall, halved)


PARTS = {
    "fresh": fresh,
    "check": check,
    "validate": validate,
    "kubernetes": kubernetes,
    "manifests": manifests,
    "reads": reads,
    "deploys": deploys,
    "environments": environments,
    "plans": plans,
    "changed": one_changed,
    "start": start,
    "start_page": start_page,
    "load": load,
    "bots": bots,
    "hubs": hubs,
}


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
    if len(table.rows) > 1:  # some parts print tables of their own
        table.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
