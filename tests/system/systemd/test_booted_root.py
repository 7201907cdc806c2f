# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs of root on a machine that systemd boots: services and users' servers as units."""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from booted_machine import Machine
from booted_shared import SHARED, shared
from runtime_client import free_low_port
from verbs_fleet import Fleet, wait_for
from verbs_hub import Hub
from verbs_machine import as_status, contain, make_certificate

HUBS = ("north", "south-2")
SERVICES = ("proxy", "hub", "culler")
#: Systemd 258 and newer count CPU time without being told, and do not say so.
ALWAYS_COUNTED = ("CPUAccounting", "")
SIZES = {"small": {"title": "Small", "memory": "600M", "cpu": 1, "cpu_guarantee": 0.5}}

#: Runs in a kernel with PATHS set; prints what of them it reaches, the tokens it finds, and the processes it sees.
LOOK = """
import json, os
def reach(path):
    try:
        return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
    except OSError:
        return False
def tokens(pid):
    try:
        text = open(f"/proc/{pid}/environ").read()
    except OSError:
        return 0
    return text.count("TOKEN=") - text.count("TOKEN=" + os.environ["JUPYTERHUB_API_TOKEN"])
pids = [name for name in os.listdir("/proc") if name.isdigit()]
owners = {os.stat("/proc/" + pid).st_uid for pid in pids}
shared = [name for place in ("/tmp", "/dev/shm", "/run") for name in os.listdir(place) if name[:3] in ("of-", "hf-")]
print(json.dumps({"shared": sorted(shared), "reached": [path for path in PATHS if reach(path)],
    "tokens": sum(map(tokens, pids)), "foreign": sorted(owners - {os.getuid()}),
    "uid": os.getuid(), "groups": os.getgroups()}))
"""

#: Of the files that the launcher handed to a service: mode, owner and how many names each has.
PRIVATE_COPIES = (
    'for fd in *; do case $(readlink "$fd") in /memfd:private-copy*) stat -L --format="%a %u %h" "$fd";; esac; done'
)


@pytest.fixture(scope="module")
def fleet(machine: Machine) -> Iterator[Fleet]:
    """Two hubs whose users systemd keeps apart; the second has a certificate, and a port below 1024."""
    settings = {**machine.settings(), "cluster_isolation": "systemd", "hub_size_catalogue": SIZES}
    made = Fleet("lab", machine.account(), **settings)
    made.add(HUBS[0], "staging")
    made.add(HUBS[1], "production")
    hub, certificate = made.hubs[HUBS[1]], operators_certificate(made.directory)
    hub.update(hub_port=free_low_port(), hub_internal_port=hub["hub_port"])
    hub.update(hub_tls_certificate=str(certificate), hub_tls_key=str(certificate.with_name("key.pem")))
    made.clusters["lab"]["cluster_certificate_authority"] = str(certificate)
    made.write()
    if machine.is_like_this_one():
        made.use_prebuilt()
    made.succeed("deploy")
    yield made


def operators_certificate(directory: Path) -> Path:
    """A certificate and its key in a folder of a person's: others need more than to be root, a right to read it."""
    folder = directory / "certificates"
    folder.mkdir(mode=0o700)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make_certificate(certificate, key)
    for path in (folder, certificate, key):
        os.chown(path, 1, 1)
    return certificate


def service(machine: Machine, hub: str, role: str) -> str:
    """The unit of a service."""
    return next(path.name for path in units(machine) if path.name.endswith(f".{hub}-{role}.service"))


def main_pids(machine: Machine, hub: str) -> dict[str, str]:
    """Role of a service -> its pid on the machine, "0" where it does not run."""
    return {role: machine.show(service(machine, hub, role), "MainPID") for role in SERVICES}


def units(machine: Machine) -> list[Path]:
    """Files of units on the machine."""
    return sorted((machine.root / "etc/systemd/system").glob("hubfleet-*.*"))


def servers(machine: Machine) -> dict[str, str]:
    """Units of users' servers that systemd knows of: their names and states."""
    listed = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "hf-*")
    return {line.split()[0]: line.split()[2] for line in listed.splitlines()}


def server(machine: Machine, hub: Hub, user: str) -> str:
    """The unit of a user's server."""
    slice_ = hub.config["slice"]
    found = [unit for unit in servers(machine) if machine.show(unit, "Slice") == slice_]
    return next(unit for unit in found if f"-{user}-" in unit)


def left_in_run(machine: Machine) -> str:
    """What is in /run of users' servers, but for what systemd of Debian 11 and Ubuntu 22.04 leaves for itself."""
    return machine.run("find", "/run", "-path", "/run/systemd/propagate", "-prune", "-o", "-name", "hf-*", "-print")


def test_hubs_of_root_through_their_life(machine: Machine, fleet: Fleet) -> None:
    """Deploy, crash, limit, reboot and remove hubs; each part goes on from what the parts before it left."""
    services_are_units_of_a_slice_and_a_target(machine, fleet)
    proxies_have_an_account_and_no_right_but_to_a_low_port(machine, fleet)
    a_target_restarts_all_services_of_one_hub(machine, fleet)
    servers_outlive_changes_and_crashes(machine, fleet)
    same_name_on_two_hubs_is_two_people(machine, fleet)
    systemd_shows_no_secret_of_a_server(machine, fleet)
    limits_are_enforced(machine, fleet)
    a_stopped_server_leaves_nothing(machine, fleet)
    a_start_after_a_failed_one_works(machine, fleet)
    directories_are_shared_by_groups(machine, fleet)
    hubs_are_back_after_a_reboot(machine, fleet)
    accounts_have_the_same_limits(machine, fleet)
    remove_leaves_nothing(machine, fleet)


def services_are_units_of_a_slice_and_a_target(machine: Machine, fleet: Fleet) -> None:
    for hub in HUBS:
        for role in SERVICES:
            unit = service(machine, hub, role)
            shown = {name: machine.show(unit, name) for name in ("ActiveState", "KillMode", "Slice", "UnitFileState")}
            assert shown == {
                "ActiveState": "active",
                "KillMode": "process",
                "Slice": fleet.hub(hub).config["slice"],
                "UnitFileState": "enabled",
            }
            assert machine.show(unit, "PartOf") == unit.removesuffix(f"-{role}.service") + ".target"
            for counted in ("MemoryAccounting", "CPUAccounting", "TasksAccounting"):
                assert machine.show(unit, counted) == "yes" or (counted, machine.show(unit, counted)) == ALWAYS_COUNTED
        proxy = service(machine, hub, "proxy")
        assert machine.show(proxy, "ProtectSystem") == "strict" and machine.show(proxy, "NoNewPrivileges") == "yes"
        if machine.has_limits():
            assert int(machine.show(fleet.hub(hub).config["slice"], "MemoryCurrent")) > 100 << 20
    assert "2 hubs: nothing to change" in fleet.succeed("deploy").output
    # The checks' own users left nothing.
    assert not list((fleet.state / "homes").glob("*/hubfleet-check-*")) and not servers(machine)
    assert not left_in_run(machine)


def proxies_have_an_account_and_no_right_but_to_a_low_port(machine: Machine, fleet: Fleet) -> None:
    account = machine.run("id", "--user", "hubfleet-proxy").strip()
    # CAP_NET_BIND_SERVICE; certificate and key
    for hub, rights, files in ((HUBS[0], 0, 0), (HUBS[1], 1 << 10, 2)):
        pid = main_pids(machine, hub)["proxy"]
        told, kinds = as_status(machine.run("cat", f"/proc/{pid}/status")), ("Inh", "Prm", "Eff", "Bnd", "Amb")
        assert told["Uid"].split() == [account] * 4 and told["NoNewPrivs"] == "1"
        assert {kind: told[f"Cap{kind}"] for kind in kinds} == dict.fromkeys(kinds, f"{rights:016x}")
        assert machine.run("sh", "-c", f"cd /proc/{pid}/fd; {PRIVATE_COPIES}") == f"400 {account} 0\n" * files
    secret = (fleet.directory / "certificates" / "key.pem").read_text().splitlines()[1]
    assert not contain(fleet.state / "hubs", secret)


def a_target_restarts_all_services_of_one_hub(machine: Machine, fleet: Fleet) -> None:
    pids = main_pids(machine, HUBS[0])
    other = machine.show(service(machine, HUBS[1], "hub"), "MainPID")
    target = machine.show(service(machine, HUBS[0], "hub"), "PartOf")
    machine.run("systemctl", "restart", target)
    wait_for("the hub", fleet.hub(HUBS[0]).healthy)
    assert not set(pids.values()) & set(main_pids(machine, HUBS[0]).values())
    assert machine.show(service(machine, HUBS[1], "hub"), "MainPID") == other


def servers_outlive_changes_and_crashes(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub(HUBS[0])
    hub.start_server("ada")
    kernel, unit = hub.kernel("ada").mark(), server(machine, hub, "ada")
    fleet.set(HUBS[0], hub_announcement="New term")
    fleet.succeed("deploy", "--skip-tags", "check")
    assert "New term" in hub.login_page() and kernel.survives()
    for role in ("proxy", "hub"):
        crash(machine, HUBS[0], role)
        wait_for("the hub", hub.healthy)
    wait_for("the route", lambda: hub.request("GET", "user/ada/api", kernel.token)[0] == 200, 10)
    assert kernel.survives() and servers(machine)[unit] == "active"


def crash(machine: Machine, hub: str, role: str) -> None:
    """Kill a service, and wait until it runs again."""
    before = main_pids(machine, hub)[role]
    machine.run("kill", "-KILL", before)
    wait_for(role, lambda: main_pids(machine, hub)[role] not in ("0", before))


def same_name_on_two_hubs_is_two_people(machine: Machine, fleet: Fleet) -> None:
    north, south = map(fleet.hub, HUBS)
    north.start_server("ben")
    south.start_server("ada")
    names = {server(machine, north, "ada"), server(machine, north, "ben"), server(machine, south, "ada")}
    assert len(names) == 3
    for hub, user in ((north, "ada"), (north, "ben"), (south, "ada")):
        text = f"{hub.name} {user}"
        places = ("mine.txt", f"/tmp/of-{user}-{hub.name}", f"/dev/shm/of-{user}-{hub.name}")
        hub.kernel(user).run("\n".join(f"open({place!r}, 'w').write({text!r})" for place in places))
    paths = [fleet.state, fleet.state / "homes", fleet.inventory / "hosts.yml", "/run/dbus/system_bus_socket"]
    for hub in (north, south):
        private = ("jupyterhub.sqlite", "config/hub.json", "config/secrets.json", "logs/hub.log", "run", "secrets")
        paths += [hub.directory, *(hub.directory / name for name in private)]
        paths += [f"{hub.config['homes']}/{user}/mine.txt" for user in ("ada", "ben")]
    found = {}
    for hub, user in ((north, "ada"), (north, "ben"), (south, "ada")):
        code = f"PATHS = {list(map(str, paths))!r}\n{LOOK}"
        found[hub.name, user] = json.loads(hub.kernel(user).run(code))
        own = f"{hub.config['homes']}/{user}/mine.txt"
        seen = found[hub.name, user]
        # What lies above the own home is there, and holds nothing but the way to it.
        above = [path for path in seen["reached"] if own.startswith(f"{path}/")]
        assert [path for path in seen["reached"] if path not in above] == [own], seen
        # /run has the directory of the own kernels, and of nobody else's.
        assert len(seen["shared"]) == 3 and seen["shared"][1:] == [f"of-{user}-{hub.name}"] * 2, seen
        assert seen["tokens"] == 0 and seen["foreign"] == [] and seen["groups"] == [seen["uid"]]
        assert Path(own).read_text() == f"{hub.name} {user}"
    assert len({each["uid"] for each in found.values()}) == 3
    assert all(0xEF00 <= each["uid"] <= 0xFFEF for each in found.values())


def systemd_shows_no_secret_of_a_server(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub(HUBS[0])
    unit = server(machine, hub, "ada")
    token = hub.kernel("ada").run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
    assert token and token not in machine.run("systemctl", "show", unit)
    assert not list((hub.directory / "run").glob("*.environment"))


def limits_are_enforced(machine: Machine, fleet: Fleet) -> None:
    if not machine.has_limits():
        warnings.warn("not tested: limits, since this systemd has no controllers for them", stacklevel=2)
        return
    hub = fleet.hub(HUBS[0])
    unit = server(machine, hub, "ben")
    shown = {name: machine.show(unit, name) for name in ("MemoryMax", "CPUQuotaPerSecUSec", "CPUWeight", "TasksMax")}
    assert shown == {"MemoryMax": str(600 << 20), "CPUQuotaPerSecUSec": "1s", "CPUWeight": "50", "TasksMax": "2048"}
    assert quota(machine, unit) == 1.0
    pid = machine.show(unit, "MainPID")
    kernel = hub.kernel("ben")
    victim = kernel.run("import os; print(os.getpid())").strip()
    eat = "[bytearray(b'x' * (50 << 20)) for _number in range(99)]"
    kernel.run(f"import threading; threading.Timer(0.5, lambda: {eat}).start()")
    wait_for("the kernel's end", lambda: victim not in machine.run("ps", "-A", "-o", "pid").split(), 30)
    assert hub.kernel("ben").run("print(6 * 7)").strip() == "42"
    assert machine.show(unit, "MainPID") == pid and servers(machine)[unit] == "active"


def quota(machine: Machine, unit: str) -> float:
    """Processors that the control group of a unit may use, by either version of control groups."""
    group = machine.show(unit, "ControlGroup")
    folders = f"/sys/fs/cgroup{group} /sys/fs/cgroup/cpu{group}"
    script = f"for place in {folders}; do cd $place && cat cpu.max cpu.cfs_quota_us cpu.cfs_period_us; done 2>/dev/null"
    amount, period = machine.run("sh", "-c", script, check=False).split()
    return int(amount) / int(period)


def a_stopped_server_leaves_nothing(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub(HUBS[0])
    unit = server(machine, hub, "ben")
    detached = "import subprocess; subprocess.Popen(['setsid', 'nohup', 'sleep', '98765'])"
    hub.kernel("ben").run(detached)
    assert "98765" in processes(machine)
    hub.stop_server("ben")
    assert "98765" not in processes(machine) and unit not in servers(machine)
    # Of the test before: the user is told why the kernel was gone.
    log = (hub.directory / "logs/servers/ben.log").read_text()
    assert "reached its memory limit" in log or not machine.has_limits()


def processes(machine: Machine) -> str:
    """All command lines on the machine."""
    return machine.run("ps", "-A", "-o", "args")


def a_start_after_a_failed_one_works(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub(HUBS[1])
    home, unit = Path(hub.config["homes"]) / "ada", server(machine, hub, "ada")
    hub.kernel("ada").run(
        "import pathlib; place = pathlib.Path('.jupyter'); place.mkdir(exist_ok=True)\n"
        "(place / 'jupyter_server_config.py').write_text('import os; os._exit(3)')"
    )
    hub.stop_server("ada")
    with pytest.raises(AssertionError, match="exited with exit code 3"):
        hub.start_server("ada")
    wait_for("the end", lambda: unit not in servers(machine))
    (home / ".jupyter/jupyter_server_config.py").unlink()
    # What a hub leaves that is killed in the middle: a unit that failed, and a dangling link.
    machine.run("systemd-run", f"--unit={unit}", "--quiet", "--wait", "false", check=False)
    assert servers(machine)[unit] == "failed"
    hub.start_server("ada")
    assert hub.kernel("ada").run("print(open('mine.txt').read())").strip() == f"{HUBS[1]} ada"


def directories_are_shared_by_groups(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub(HUBS[0])
    fleet.set(HUBS[0], **SHARED)
    told = "shared directory course added; shared directory everybody added; shared directory results added"
    assert told in fleet.succeed("plan").output
    fleet.succeed("deploy")  # its check finds and writes what everybody may
    hub.stop_server("ada")
    for user in ("ada", "ben"):
        hub.start_server(user)
    write = "import os; os.umask(0o077)\nfor name in {names}: open(name + '/' + {user!r}, 'w').write({user!r})"
    hub.kernel("ada").run(write.format(names=("everybody", "course", "results"), user="ada"))
    hub.kernel("ben").run(write.format(names=("everybody",), user="ben") + "; open('everybody/ada', 'a').write('!')")
    both, one = ["ada", "ben"], ["ada"]
    assert shared(hub, "ada") == [("everybody", both, True), ("course", one, True), ("results", one, True)]
    assert shared(hub, "ben") == [("everybody", both, True), ("course", one, False)]
    assert hub.kernel("ada").run("print(open('everybody/ada').read(), open('welcome.txt').read())") == "ada! Hello\n"
    assert "2 hubs: nothing to change" in fleet.succeed("deploy").output


def hubs_are_back_after_a_reboot(machine: Machine, fleet: Fleet) -> None:
    north = fleet.hub(HUBS[0])
    assert north.api("GET", "users/ada")[1]["servers"]
    owner = (fleet.state / f"homes/{HUBS[0]}/ada").stat().st_uid
    machine.reboot()
    for hub in map(fleet.hub, HUBS):
        wait_for(hub.name, hub.healthy)
        wait_for("servers to be forgotten", lambda asked=hub: not asked.api("GET", "users/ada")[1]["servers"])
        with closing(sqlite3.connect(f"file:{hub.directory}/jupyterhub.sqlite?mode=ro", uri=True)) as database:
            assert database.execute("select count(*) from servers").fetchone() == (0,)
    assert not servers(machine)
    fleet.succeed("check")
    # As if the number had been given to somebody else meanwhile.
    home = fleet.state / f"homes/{HUBS[0]}/ada"
    other = 0xEF00 if owner != 0xEF00 else 0xEF01
    machine.run("chown", "--recursive", f"{other}:{other}", str(home))
    north.start_server("ada")
    told = north.kernel("ada").run(
        "import os; print(open('mine.txt').read(), os.stat('mine.txt').st_uid == os.getuid())"
    )
    assert told.strip() == f"{HUBS[0]} ada True"
    assert "2 hubs: nothing to change" in fleet.succeed("deploy").output


def accounts_have_the_same_limits(machine: Machine, fleet: Fleet) -> None:
    north = fleet.hub(HUBS[0])
    north.stop_server("ada")
    fleet.set(cluster_isolation="system-users")
    fleet.succeed("deploy")
    north.start_server("ada")
    unit = server(machine, north, "ada")
    uid = int(machine.run("stat", "--format=%u", f"/proc/{machine.show(unit, 'MainPID')}"))
    assert machine.run("id", "--name", "--user", str(uid)).startswith("hf-ada-")
    assert machine.show(unit, "MemoryMax") == str(600 << 20)
    assert not machine.has_limits() or quota(machine, unit) == 1.0
    kernel = north.kernel("ada")
    kernel.run("import subprocess; subprocess.Popen(['setsid', 'nohup', 'sleep', '98764'])")
    assert kernel.run("print(open('mine.txt').read())").strip() == f"{HUBS[0]} ada"
    north.start_server("ben")
    assert shared(north, "ada")[2] == ("results", ["ada"], True)
    assert shared(north, "ben") == [("everybody", ["ada", "ben"], True), ("course", ["ada"], False)]
    north.stop_server("ben")
    north.stop_server("ada")
    assert "98764" not in processes(machine) and unit not in servers(machine)


def remove_leaves_nothing(machine: Machine, fleet: Fleet) -> None:
    for hub in map(fleet.hub, HUBS):
        hub.start_server("ada")
    fleet.succeed("stop", "--limit", HUBS[1], "-e", "stop_servers=true", "-e", "stop_end_sessions=true")
    assert len(servers(machine)) == 1
    assert fleet.remove().code == 0
    assert not servers(machine) and not units(machine) and not fleet.state.exists()
    assert "hubfleet" not in machine.run(
        "systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service,target"
    )
    assert "hf-" not in machine.run("getent", "passwd") and "hg-" not in machine.run("getent", "group")
    assert not left_in_run(machine)
    assert str(fleet.state) not in processes(machine)
