# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by IPython in every new kernel, before the first cell: tells that the memory limit was reached.

JupyterLab only says that a kernel died, and starts it again. Standard library only; not imported by the hub.
Sources: IPython's option InteractiveShellApp.exec_PYTHONSTARTUP, cgroups(7) for /proc/self/cgroup.
"""


def _hubfleet_startup():  # type: ignore[no-untyped-def]
    """All in one function, which is removed again: users' names are not ours to take."""
    import os
    import sys

    def killed(group, file):  # type: ignore[no-untyped-def]
        """Which group it is, and how many of its processes its limit ended; nothing where none was."""
        try:
            with open(f"{group}/{file}", encoding="ascii") as stream:
                count = next((line.split()[1] for line in stream if line.startswith("oom_kill ")), "0")
            return f"{os.stat(group).st_ino} {count}" if count != "0" else ""
        except OSError:
            return ""

    def tell(_information):  # type: ignore[no-untyped-def]
        shell.events.unregister("pre_run_cell", tell)
        print(os.environ.get("HUBFLEET_MEMORY_NOTICE", ""), file=sys.stderr, flush=True)

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:  # somebody's python in a terminal
        return
    with open("/proc/self/cgroup", encoding="utf-8") as stream:
        places = {controllers: path for _number, controllers, path in (line.strip().split(":", 2) for line in stream)}
    now = killed(f"/sys/fs/cgroup/memory{places.get('memory', '')}", "memory.oom_control")
    now = now or killed(f"/sys/fs/cgroup{places.get('', '')}", "memory.events")
    told = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "told-about-memory")
    before = ""
    if os.path.exists(told):
        with open(told, encoding="ascii") as stream:
            before = stream.read()
    if now and now != before:
        with open(told, "w", encoding="ascii") as stream:
            stream.write(now)
        shell.events.register("pre_run_cell", tell)


try:
    _hubfleet_startup()
except (OSError, KeyError, ValueError):
    pass  # a kernel without a word of us is better than none
del _hubfleet_startup
