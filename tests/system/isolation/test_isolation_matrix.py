# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users can reach, use up and leave behind, by the same tests in every mode. Results: docs/security.md.

Where a mode does not protect, the tests want the attempt to succeed: so the table never promises too little either.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from hub_client import Browser, wait_for
from hubfleet_runtime import admin_sudo
from isolation_modes import DETACH, FORKS, HOG, probe
from isolation_shared import SHARED, WRITE, look, save_notebook
from isolation_world import CPU, MEMORY, PROCESSES, USERS, World
from runtime_client import sleeping
from user_packages import WRITE_WHEEL

CHECK = "hubfleet-check-one"
MEGABYTES = MEMORY >> 20


def test_users_reach_only_what_the_mode_says(world: World) -> None:
    hub, other = world.hub, world.other
    leftovers = [f"{folder}/hf-left-{os.getpid()}-{world.name}" for folder in ("/tmp", "/dev/shm")]
    secret = Path(world.kernels["bob"].run(f"PATHS = {['mine.txt', *leftovers]}{LEAVE}").strip())
    facts = {
        "homes": [str(hub.homes / "bob" / "mine.txt")],
        "files": [*files_of(hub.directory), str(hub.directory / "logs" / "servers" / "bob.log")],
        "other_hub": files_of(other.directory),
        "software": [str(hub.tools.user), str(hub.tools.user / "bin")],
        "pids": [hub.server_pid("bob"), hub.running["hub"].pid],
        "sockets": [str(path) for path in secret.parent.glob("kernel-*-ipc-*")],
        "leftovers": leftovers,
        "asking": [
            f"{hub.direct}hub/api/users",
            f"http://127.0.0.1:{hub.ports['proxy_api']}/api/routes",
            f"{other.direct}hub/api/users",
            f"{hub.url}user/bob/api/contents",
        ],
        "own_token_at": [
            f"{hub.direct}hub/api/users",
            f"{other.direct}hub/api/users",
            f"{hub.url}user/bob/api/contents",
        ],
    }
    if world.name != "bubblewrap":  # there, not even root can see them from outside
        assert facts["sockets"]
    found = json.loads(world.kernels["alice"].run(probe(facts)))
    for path in leftovers:
        Path(path).unlink(missing_ok=True)
    assert {name for name, reached in found.items() if reached} == world.mode.reached, found
    assert (hub.homes / "bob" / "mine.txt").read_text() == "mine"


LEAVE = """
import ipykernel.kernelapp
for path in PATHS:
    open(path, "w").write("mine")
app = ipykernel.kernelapp.IPKernelApp.instance()
assert app.transport == "ipc"
print(app.abs_connection_file)
"""


def files_of(directory: Path) -> list[str]:
    """Return files of a hub that no user may read."""
    names = ("jupyterhub.sqlite", "secrets/cookie_secret", "secrets/proxy_token", "config/hub.json", "logs/hub.log")
    paths = [directory / name for name in names]
    assert all(path.exists() for path in paths)
    return [str(path) for path in paths]


def test_terminals_and_packages(world: World) -> None:
    """What a user installs is there in notebooks and terminals alike, and nowhere else."""
    hub, kernel = world.hub, world.kernels["alice"]
    layer = hub.homes / "alice" / ".local" / "share" / "hubfleet" / "user-packages" / hub.tools.user.name
    wheel = kernel.run(f"{WRITE_WHEEL}print(write_wheel('mine', '1.0'))").strip()
    printed = kernel.run(f"%pip install {wheel}\nimport mine, sys; print(mine.VERSION, sys.executable)")
    assert "Packages that you install are yours alone" in printed
    assert printed.splitlines()[-1] == f"1.0 {layer}/bin/python"
    questions = (
        "for each in python pip jupyter mine-program; do command -v $each; done",
        "mine-program",
        'python -c "import mine"',
        "pip list",
    )
    places = [f"{layer}/bin/python", f"{layer}/bin/pip", f"{hub.tools.user}/bin/jupyter", f"{layer}/bin/mine-program"]
    for shell in ("", "bash --login", "sh"):
        found, ran, imported, listed = hub.terminal("alice", *questions, shell=shell)
        assert found.split() == places, (shell, found)
        assert (ran, imported) == ("program of mine 1.0", "") and "jupyterlab" in listed
    cells = ("!command -v python", "!bash -lc 'command -v python'", "%%bash\ncommand -v python")
    assert {kernel.run(cell).strip() for cell in cells} == {f"{layer}/bin/python"}
    assert kernel.run("!user-packages reset; pip list | grep -c mine").splitlines()[-1] == "0"
    with pytest.raises(AssertionError, match="No module named 'mine'"):
        world.kernels["bob"].run("import mine")


def test_shared_directories(world: World) -> None:
    """Groups decide who finds and who writes a directory; nobody locks anybody out of what both can write."""
    alice, bob = world.kernels["alice"], world.kernels["bob"]
    enforced = world.name != "none"
    everything = [True, True, True]
    assert look(world, "alice") == dict.fromkeys([*SHARED["shared_directories"], "results itself"], everything)
    found = look(world, "bob")
    assert found["everybody"] == everything
    assert found["course"] == [True, True, not enforced]
    assert found["results"] == [False, False, False]
    assert found["results itself"][1:] == [not enforced, not enforced]
    assert alice.run("print(open('welcome.txt').read())").strip() == "Hello"
    for writer, reader, user in ((alice, bob, "alice"), (bob, alice, "bob")):
        writer.run(WRITE.format(path=f"everybody/{user}.txt", text=user))
        reader.run(f"open('everybody/{user}.txt', 'a').write(' and another')")
        assert writer.run(f"print(open('everybody/{user}.txt').read())").strip() == f"{user} and another"
    save_notebook(world, "alice", "everybody/shared.ipynb", "by alice")
    save_notebook(world, "bob", "everybody/shared.ipynb", "by bob")
    save_notebook(world, "alice", "everybody/shared.ipynb", "by alice again")
    checkpoint = world.hub.homes / ".shared" / "everybody" / ".ipynb_checkpoints" / "shared-checkpoint.ipynb"
    assert "by alice again" in checkpoint.read_text()


def test_admins_become_root_where_they_may(world: World) -> None:
    code = "import subprocess; print(subprocess.run(['sudo', '-n', 'id', '-u'], capture_output=True, text=True).stdout)"
    if shutil.which("sudo") is None or not world.name.startswith("system-users"):
        return
    assert [world.kernels[user].run(code).strip() for user in USERS] == ["0", ""]


def test_memory_over_the_limit_by_one_process(world: World) -> None:
    code = f"try:\n  held = b'x' * ({2 * MEGABYTES} << 20)\nexcept MemoryError:\n  print('too much')"
    hub, kernel = world.hub, world.kernels["alice"]
    before = hub.server_pid("alice")
    if world.mode.memory == "process":
        assert kernel.run(code).strip() == "too much"
        return
    kernel.run("x = 1")
    with pytest.raises(AssertionError, match="the kernel died"):
        kernel.run(code)
    # the server lives, and has started the kernel again
    code = "print([name for name in dir() if name == 'x' or 'hubfleet' in name])"
    printed = wait_for("the kernel to be back", lambda: attempt(world, code), 60)
    assert printed.splitlines()[-1] == "[]" and hub.server_pid("alice") == before
    told(world, printed)
    # once
    assert world.kernels["alice"].run(code).strip() == "[]"


def attempt(world: World, code: str) -> str:
    """Return what the code prints; "" if there is no kernel."""
    try:
        return world.kernels["alice"].run(code, patience=20)
    except AssertionError:
        return ""


def told(world: World, printed: str) -> None:
    """Check that the notice is in the first cell, on every page of the hub, and in the log."""
    expected = f"reached its memory limit of {MEMORY / (1 << 30):.1f} GiB"
    assert expected in printed
    assert expected in home_page(world, "alice")
    assert expected not in home_page(world, "bob")
    lines = world.hub.api("GET", "hubfleet/servers/alice/log?lines=100")[1]["lines"]
    assert len([line for line in lines if expected in line]) == 1, lines


def home_page(world: World, user: str) -> str:
    """Return the page of "Hub Control Panel" in JupyterLab's menu."""
    browser = Browser(world.hub)
    browser.request("hub/login")
    browser.request("hub/login", {"username": user, "password": "any"})
    return browser.request("hub/home")[1]


def test_memory_over_the_limit_by_several_processes(world: World) -> None:
    printed = world.kernels["alice"].run(HOG.format(processes=2, megabytes=MEGABYTES * 6 // 10)).strip()
    assert int(printed) == 2 if world.mode.memory == "process" else int(printed) < 2


def test_a_fork_bomb(world: World) -> None:
    most = PROCESSES + 100
    forked = int(world.kernels["alice"].run(FORKS.format(most=most)).strip())
    assert forked < PROCESSES if world.mode.processes else forked == most
    # others can go on all the while; here, afterwards
    assert world.kernels["bob"].run("import subprocess; print(subprocess.call('true'))").strip() == "0"


def test_a_processor_is_shared(world: World) -> None:
    if not world.mode.cpu:
        return
    from hubfleet_runtime import names

    server_id = names.server_id(world.hub.directory, "alice", "")
    files = list(Path("/sys/fs/cgroup").glob(f"**/hubfleet/{server_id}/cpu.*"))
    quotas = [path.read_text().strip() for path in files if path.name == "cpu.cfs_quota_us"]
    assert quotas == [str(round(CPU * 100_000))]
    code = "import time\nbegin = time.process_time()\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\n"
    used = float(world.kernels["alice"].run(f"{code}print(time.process_time() - begin)"))
    assert used < 2 * CPU * 1.3


def test_a_hub_that_comes_back_leaves_kernels_and_limits_alone(world: World) -> None:
    hub = world.hub
    world.kernels["bob"].run("x = 12345")
    hub.kill("hub")
    hub.start("hub")
    assert world.kernels["bob"].run("print(x)").strip() == "12345"
    test_a_fork_bomb(world)


def test_stop_leaves_no_process(world: World) -> None:
    hub = world.hub
    assert hub.start_server("bob", server="second").get("ready")
    hub.kernel("bob", "second").run(DETACH.format(seconds=7203))
    world.kernels["bob"].run(DETACH.format(seconds=7201))
    assert len(sleeping(7201)) == len(sleeping(7203)) == 1
    assert hub.api("DELETE", "users/bob/servers/second")[0] in (202, 204)
    wait_for("the second server to stop", lambda: "second" not in hub.api("GET", "users/bob")[1]["servers"], 30)
    # the other one has the same account, and goes on
    assert world.kernels["bob"].run("print(6 * 7)").strip() == "42"
    assert hub.api("DELETE", "users/bob/server")[0] in (202, 204)
    wait_for("the server to stop", lambda: not hub.api("GET", "users/bob")[1]["servers"], 30)
    left = sleeping(7201) + sleeping(7203)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(left) == (2 if world.mode.leftovers else 0)
    lines = hub.api("GET", "hubfleet/servers/bob/log?lines=50")[1]["lines"]
    assert "nterrupted" in "\n".join(lines) or "hutting down" in "\n".join(lines), lines


def test_nothing_is_left_of_a_check_user(world: World) -> None:
    hub = world.hub
    assert hub.start_server(CHECK).get("ready")
    hub.kernel(CHECK).run("import os; os.mkdir('/tmp/left-by-check'); open('/dev/shm/left', 'w')")
    server = hub.server_pid(CHECK)
    uid = (hub.homes / CHECK).stat().st_uid
    assert hub.api("DELETE", f"users/{CHECK}")[0] in (202, 204)
    wait_for("the user to be gone", lambda: hub.api("GET", f"users/{CHECK}")[0] == 404)
    from hubfleet_runtime import processes

    assert not (hub.homes / CHECK).exists() and not processes.identity(server)
    assert not list((hub.directory / "logs" / "servers").glob(f"{CHECK}*"))
    assert (hub.homes / "bob").exists()
    left = [path for path in (Path("/tmp/left-by-check"), Path("/dev/shm/left")) if path.exists()]
    if world.name == "none":
        left[0].rmdir()
        left[1].unlink()
        assert len(left) == 2
    else:
        assert not left
    if world.name.startswith("system-users"):
        assert not processes.living_processes_of(uid)


def test_who_leaves_a_group_loses_its_directories(world: World) -> None:
    """From the next start of the server on, but a right to become root at once; all files stay."""
    hub = world.hub
    path = hub.directory / "config" / "hub.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["groups"]["teachers"]["users"] = []
    del settings["shared_directories"]["everybody"]
    settings["files"]["welcome"]["content"] = "Welcome\n"
    settings["admin_sudo"] = False
    path.write_text(json.dumps(settings), encoding="utf-8")
    hub.kill("hub")
    hub.start("hub")
    world.new_kernel("alice").run("open('results/mine.txt', 'w')")
    assert hub.api("DELETE", "users/alice/server")[0] in (202, 204)
    wait_for("the server to stop", lambda: not hub.api("GET", "users/alice")[1]["servers"], 30)
    assert hub.start_server("alice").get("ready")
    kernel, enforced = world.new_kernel("alice"), world.name != "none"
    found = look(world, "alice")
    assert found["everybody"] == found["results"] == [False, False, False]
    assert found["course"] == [True, True, not enforced]
    assert found["results itself"][1:] == [not enforced, not enforced]
    assert kernel.run("print(open('welcome.txt').read())").strip() == "Welcome"
    assert not admin_sudo.path_of(hub.directory).exists()
    assert (hub.homes / ".shared" / "results" / "mine.txt").exists()
    assert (hub.homes / ".shared" / "everybody" / "alice.txt").exists()
