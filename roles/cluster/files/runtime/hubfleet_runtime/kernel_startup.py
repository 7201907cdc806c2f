# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print a notice in a new kernel if the memory limit of the server was reached. Run by IPython before the first cell.

JupyterLab only says that a kernel died, and restarts it. Standard library only; not imported by the hub.
Sources: IPython's option InteractiveShellApp.exec_PYTHONSTARTUP, cgroups(7) for /proc/self/cgroup.
"""


def _hubfleet_startup():  # type: ignore[no-untyped-def]
    """Do everything in one function, which is removed again to keep the user's namespace clean."""
    import os
    import sys

    def oom_kills(group, file):  # type: ignore[no-untyped-def]
        """Return the group's inode and how many of its processes were killed; "" if none was."""
        try:
            with open(f"{group}/{file}", encoding="ascii") as stream:
                count = next((line.split()[1] for line in stream if line.startswith("oom_kill ")), "0")
            return f"{os.stat(group).st_ino} {count}" if count != "0" else ""
        except OSError:
            return ""

    def print_notice(_information):  # type: ignore[no-untyped-def]
        shell.events.unregister("pre_run_cell", print_notice)
        print(os.environ.get("HUBFLEET_MEMORY_NOTICE", ""), file=sys.stderr, flush=True)

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:  # Python in a terminal
        return
    with open("/proc/self/cgroup", encoding="utf-8") as stream:
        groups = {controllers: path for _number, controllers, path in (line.strip().split(":", 2) for line in stream)}
    now = oom_kills(f"/sys/fs/cgroup/memory{groups.get('memory', '')}", "memory.oom_control")
    now = now or oom_kills(f"/sys/fs/cgroup{groups.get('', '')}", "memory.events")
    shown = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "memory-notice-shown")
    before = ""
    if os.path.exists(shown):
        with open(shown, encoding="ascii") as stream:
            before = stream.read()
    if now and now != before:
        with open(shown, "w", encoding="ascii") as stream:
            stream.write(now)
        shell.events.register("pre_run_cell", print_notice)


try:
    _hubfleet_startup()
except (OSError, KeyError, ValueError):
    pass  # never prevent a kernel from starting
del _hubfleet_startup
