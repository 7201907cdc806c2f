# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the configurable classes of hubs on a machine, for each version of JupyterHub and our own spawner.

python scripts/record_jupyterhub.py [--python INTERPRETER]
"""

import argparse
import sys

from record_chart import CHECKOUT, described, write

LOCKS = CHECKOUT / "roles" / "cluster" / "files" / "locks"
RUNTIME = CHECKOUT / "roles" / "cluster" / "files" / "runtime"
RECORDS = CHECKOUT / "roles" / "hub" / "files" / "jupyterhub"
#: Our modules with configurable classes.
MODULES = ("hubfleet_runtime.spawner",)


def main() -> int:
    """Write the record of every version that has a lock file."""
    parser = argparse.ArgumentParser(description="Record the traits of hubs on a machine.")
    parser.add_argument("--python", default=sys.executable, help="Python 3.10 or newer")
    arguments = parser.parse_args()
    for lock in sorted(LOCKS.glob("hub-*.txt")):
        traits = described(lock.read_text(encoding="utf-8"), arguments.python, MODULES, str(RUNTIME))
        write(RECORDS / lock.stem.partition("-")[2], {"traits.json": traits})
    return 0


if __name__ == "__main__":
    sys.exit(main())
