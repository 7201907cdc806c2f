# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy, stop or remove the demo hubs, with the playbooks that operators use."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".ansible" / "collections"))

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import (  # noqa: E402
    Layout,
)

CLUSTER = "workstation"
HUBS = {"demo-staging": "http://127.0.0.1:8110/demo-staging/", "demo": "http://127.0.0.1:8100/demo/"}
#: The default state directory, which the example inventory does not change.
BASE = Path("/var/lib/hubfleet") if os.geteuid() == 0 else Path.home() / ".local/share/hubfleet"
LAYOUT = Layout(str(BASE / CLUSTER))


def playbook(name: str, *arguments: str) -> int:
    """Run a playbook on the demo hubs; return its exit code."""
    command = [
        "ansible-playbook",
        "-i",
        "inventory",
        f"playbooks/{name}.yml",
        "--limit",
        ",".join(HUBS),
    ]
    print(f"$ {' '.join([*command, *arguments])}", flush=True)
    return subprocess.run([*command, *arguments], cwd=CHECKOUT, check=False).returncode


def up() -> int:
    """Deploy the hubs and print how to log in."""
    code = playbook("deploy")
    if code:
        return code
    print("\nTwo JupyterHubs run on this machine:")
    for hub, url in HUBS.items():
        print(f"\n  {hub}: {url}")
        _print_passwords(hub)
    print("\nNext: make demo (again: nothing to change), make demo-down (stop), make demo-clean (remove).")
    return 0


def _print_passwords(hub: str) -> None:
    """Print a hub's passwords once; later, print where they are stored."""
    files = LAYOUT.hub(hub)
    shown = Path(files.path("passwords-shown"))
    if shown.exists():
        print(f"    log in as ada or ben; password: {files.secret('user_password')}")
        print(f"    log in as admin;      password: {files.secret('admin_password')}")
        return
    print(f"    log in as ada or ben with the password {Path(files.secret('user_password')).read_text().strip()}")
    print(f"    log in as admin with the password      {Path(files.secret('admin_password')).read_text().strip()}")
    print(f"    (shown only once; stored in {files.path('secrets')})")
    shown.touch(mode=0o600)


def down() -> int:
    """Stop the hubs and their users' servers; keep their data."""
    return stop_hubs(playbook)


def clean() -> int:
    """Remove the hubs with all data, after asking."""
    code = remove_hubs(playbook, HUBS, f"from {LAYOUT.root}")
    if code == 0:
        # The example inventory is for any machine, so forget the identity of this one.
        (CHECKOUT / "inventory" / ".cluster-identities.json").unlink(missing_ok=True)
    return code


def stop_hubs(run: Callable[..., int]) -> int:
    """Stop hubs and sessions with a playbook; run: takes its name and arguments, and returns its exit code."""
    return run("stop", "-e", "stop_servers=true", "-e", "stop_end_sessions=true")


def remove_hubs(run: Callable[..., int], hubs: Iterable[str], place: str) -> int:
    """Remove hubs with all data, after asking; place: where they are, in words."""
    answer = os.environ.get("ANSWER", "")
    if not answer:
        print(f"This removes {', '.join(hubs)} with all homes, notebooks and passwords, {place}.")
        answer = input("Remove them? (yes/no) ") if sys.stdin.isatty() else "no"
    if answer != "yes":
        print("Nothing was removed.")
        return 1
    sure = ("-e", "remove_data=true", "-e", "remove_export=false", "-e", "remove_end_sessions=true")
    return run("remove", "-e", f"remove_hubs={','.join(hubs)}", *sure)


def main(verbs: dict[str, Callable[[], int]]) -> int:
    """Run the verb on the command line; return its exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit(f"usage: scripts/{Path(sys.argv[0]).name} {{{'|'.join(verbs)}}}")
    return verbs[sys.argv[1]]()


if __name__ == "__main__":
    sys.exit(main({"up": up, "down": down, "clean": clean}))
