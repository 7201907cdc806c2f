# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A third hub comes, with TLS, and goes."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Deployed
from runtime_client import free_low_port, sleeping
from verbs_fleet import Fleet, Result, wait_for
from verbs_hub import Hub
from verbs_machine import accounts_below, contain, handed, make_certificate, mode, processes_of, status


@pytest.fixture(scope="module")
def joined(deployed: Deployed) -> Iterator[Fleet]:
    """The fleet with one more staging hub, which has a certificate that the machine does not know."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, which makes the certificate")
    fleet = deployed.fleet
    certificate, key = fleet.directory / "certificate.pem", fleet.directory / "key.pem"
    make_certificate(certificate, key)
    service = "c.JupyterHub.services.append({'name': 'lasting', 'command': ['sleep', '7208']})"
    tls = {"hub_tls_certificate": str(certificate), "hub_tls_key": str(key)}
    fleet.add("secure", "staging", hub_jupyterhub_config=service, **tls)
    fleet.write()
    yield fleet
    if (fleet.state / "hubs/secure").exists():
        sure = ("-e", "remove_data=true", "-e", "remove_export=false", "-e", "remove_end_sessions=true")
        fleet.run("remove", "--limit", "secure", "-e", "remove_hubs=secure", *sure)
    del fleet.hubs["secure"], fleet.tiers["secure"]
    fleet.write()
    fleet.restore()


@pytest.fixture(scope="module")
def first(joined: Fleet) -> tuple[Result, list[dict[str, int]]]:
    """What the first deploy of the third hub printed, and the pids of the others before it."""
    others = [joined.hub(name).pids for name in ("trial", "campus")]
    return joined.run("deploy"), others


@pytest.fixture(autouse=True)
def restored(joined: Fleet, first: tuple[Result, list[dict[str, int]]]) -> None:
    """Before each test all hubs are what the inventory says."""
    joined.restore(environment=trusting(joined))


def trusting(fleet: Fleet) -> dict[str, str]:
    """The environment of an operator who trusts the certificate."""
    return {"SSL_CERT_FILE": str(fleet.directory / "certificate.pem")}


def test_tls(joined: Fleet, first: tuple[Result, list[dict[str, int]]]) -> None:
    result, others = first
    assert result.code and "TLS certificate of" in result.output and "self-signed" in result.output, result.output
    # A new hub has nothing to go back to, and stays for the operator to look at.
    assert result.outcomes()["secure"].startswith("FAILED"), result.output
    assert "there is no earlier deploy that ran; nothing to go back to" in result.output
    result = joined.run("check", "--limit", "secure", environment=trusting(joined))
    assert result.code == 0, result.output
    hub = joined.hub("secure")
    assert hub.url.startswith("https://127.0.0.1:") and hub.healthy()
    assert [joined.hub(name).pids for name in ("trial", "campus")] == others
    assert_key_is_private(joined, result.output)


def assert_key_is_private(fleet: Fleet, output: str) -> None:
    """The proxy of the hub secure is root's no more than others, and nobody else can read its key."""
    told = status(fleet.hub("secure").pid("proxy"))
    secret = (fleet.directory / "key.pem").read_text().splitlines()[1]
    assert secret not in output and not contain(fleet.state / "hubs", secret)
    if os.geteuid() == 0:
        account = pwd.getpwnam("hubfleet-proxy").pw_uid
        assert told["Uid"].split() == [str(account)] * 4
        assert {told[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        copies = handed(fleet.hub("secure").pid("proxy"))
        assert [(oct(copy.st_mode), copy.st_uid, copy.st_nlink) for copy in copies] == [("0o100400", account, 0)] * 2


def served_certificate(hub: Hub) -> str:
    """The certificate that the proxy of a hub shows."""
    return ssl.get_server_certificate(("127.0.0.1", hub.config["ports"]["public"]))


def test_a_renewed_certificate_is_served(joined: Fleet) -> None:
    """By the proxy alone: users' servers and the hub go on."""
    hub, certificate = joined.hub("secure"), joined.directory / "certificate.pem"
    hub.start_server("ada")
    kernel, before = hub.kernel("ada").mark(), hub.pids
    old = served_certificate(hub)
    assert old == certificate.read_text()
    make_certificate(certificate, joined.directory / "key.pem")
    assert joined.succeed("plan", "--limit", "secure").planned() == {"secure": "update: proxy to restart"}
    result = joined.run("deploy", "--limit", "secure", environment=trusting(joined))
    assert result.code == 0, result.output
    assert served_certificate(hub) == certificate.read_text() != old
    assert hub.pid("hub") == before["hub"] and hub.pid("proxy") != before["proxy"]
    assert kernel.survives()
    hub.stop_server("ada")
    assert_key_is_private(joined, result.output)


@pytest.mark.skipif(os.geteuid() != 0, reason="ports below 1024 are root's to give")
def test_a_low_port_needs_one_right(joined: Fleet) -> None:
    hub, inner = joined.hub("secure"), joined.hubs["secure"]["hub_port"] + 1
    with joined.changed("secure", hub_port=free_low_port(), hub_internal_port=inner):
        result = joined.run("deploy", "--limit", "secure", environment=trusting(joined))
        assert result.code == 0, result.output
        assert hub.config["ports"]["public"] < 1024 and hub.healthy()
        told = status(hub.pid("proxy"))
        assert told["Uid"].split() == [str(pwd.getpwnam("hubfleet-proxy").pw_uid)] * 4
        rights = {name: told[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}
        assert rights == dict.fromkeys(rights, f"{1 << 10:016x}")  # CAP_NET_BIND_SERVICE
        assert len(handed(hub.pid("proxy"))) == 2
        # A proxy that nobody but its supervisor starts again has it all the same.
        os.kill(hub.pid("proxy"), signal.SIGKILL)
        wait_for("the hub", hub.healthy)
        assert status(hub.pid("proxy"))["CapEff"] == rights["CapEff"]
    result = joined.run("deploy", "--limit", "secure", environment=trusting(joined))
    assert result.code == 0, result.output


def test_one_of_two_staging_hubs_fails(joined: Fleet) -> None:
    campus = joined.hub("campus")
    before = campus.pids
    with joined.changed(hub_announcement="Both"), joined.changed("trial", hub_jupyterhub_config="1 / 0"):
        result = joined.run("deploy", environment=trusting(joined))
        assert result.code and "ZeroDivisionError" in result.output
        assert campus.pids == before
        outcomes = {hub: outcome.split()[0] for hub, outcome in result.outcomes().items()}
        assert outcomes == {"trial": "rolled", "campus": "skipped", "secure": "deployed"}
    result = joined.run("deploy", environment=trusting(joined))
    assert result.code == 0, result.output


def test_remove_wants_the_names(joined: Fleet) -> None:
    for arguments in ([], ["-e", "remove_hubs=trial"], ["-e", "remove_hubs=trial,secure", "-e", "remove_data=true"]):
        result = joined.run("remove", "--limit", "secure", *arguments)
        assert result.code and "-e remove_hubs=secure" in result.output
    assert joined.run("remove").code
    assert all(pid for name in joined.hubs for pid in joined.hub(name).pids.values())


def test_remove_keeps_data(joined: Fleet) -> None:
    hub = joined.hub("secure")
    hub.api("POST", "users/ada")
    before = hub.secrets()
    assert sleeping(7208)
    # A hub that is killed does not stop its own services.
    os.kill(hub.pid("hub"), signal.SIGKILL)
    joined.succeed("remove", "--limit", "secure", "-e", "remove_hubs=secure")
    assert not any(hub.pids.values()) and not hub.healthy() and not sleeping(7208)
    assert not list((joined.state / "supervisor").glob("services/*secure*"))
    result = joined.run("deploy", environment=trusting(joined))
    assert result.code == 0, result.output
    assert hub.secrets() == before and "ada" in hub.users()


def test_remove_with_data_leaves_nothing(joined: Fleet) -> None:
    hub, homes = joined.hub("secure"), joined.state / "homes/secure"
    hub.start_server("ada")
    assert processes_of(homes)
    # One that left its session, and forgot whose it is.
    detached = "['setsid', '--fork', 'env', '-i', 'sleep', '7207']"
    hub.kernel("ada").run(f"import subprocess; print(subprocess.call({detached}))")
    runtime = Path(hub.config["runtime_directory"])
    private = [runtime / str(pwd.getpwnam(account).pw_uid) for account in accounts_below(homes)]
    groups = hashlib.sha256(str(hub.directory).encode()).hexdigest()[:8]
    assert sleeping(7207)
    kept, owner, held = homes / "ada/kept.txt", (homes / "ada").stat(), hub.secrets()
    kept.write_text("kept")
    kept.chmod(0o640)
    os.chown(kept, owner.st_uid, owner.st_gid)
    sure = ("--limit", "secure", "-e", "remove_hubs=secure", "-e", "remove_data=true")
    # Somebody works there.
    result = joined.run("remove", *sure)
    assert result.code == 2 and "this would end the sessions of ada" in result.output, result.output
    assert all(hub.pids.values()) and processes_of(homes)
    # No copy, no removal.
    exports = joined.directory / "state-exports"
    exports.write_text("in the way", encoding="utf-8")
    result = joined.run("remove", *sure, "-e", "remove_end_sessions=true")
    assert result.code == 2 and "cannot be exported" in result.output, result.output
    assert "ending the sessions of ada" in result.output and not processes_of(homes)
    assert hub.secrets() == held and kept.read_text() == "kept"
    exports.unlink()
    result = joined.succeed("remove", *sure)
    assert not hub.directory.exists() and not homes.exists()
    copy = next(exports.iterdir())
    assert re.search(rf"a copy of its data is kept in\s+{copy}", result.output), result.output
    assert mode(exports) == "0o700" and mode(copy) == "0o600" and len(list(exports.iterdir())) == 1
    assert not [value for value in held.values() if value in result.output]
    examine(copy, joined.directory / "unpacked", owner.st_uid, held)
    wait_for("the user's processes to end", lambda: not processes_of(homes) and not processes_of(hub.directory), 10)
    assert not accounts_below(homes)
    secret = (joined.directory / "key.pem").read_text().splitlines()[1]
    assert not contain(joined.state / "supervisor", secret) and not contain(runtime, secret)
    assert not sleeping(7207)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/hubfleet/hf-{groups}-*"))
    assert not [path for path in private if path.exists()]
    assert all(joined.hub(name).healthy() for name in ("trial", "campus"))


def examine(copy: Path, target: Path, owner: int, held: dict[str, str]) -> None:
    """Unpack an export of the hub secure, and look whether all of it is there."""
    with tarfile.open(copy) as archive:
        kept = archive.getmember("homes/secure/ada/kept.txt")
        assert (kept.uid, kept.mode) == (owner, 0o640)
    target.mkdir()
    subprocess.run(["tar", "--extract", "--file", str(copy), "--directory", str(target)], check=True)
    hub = target / "hubs/secure"
    assert {path.name: path.read_text().strip() for path in (hub / "secrets").iterdir()} == held
    assert (hub / "config/hub.json").exists() and (target / "homes/secure/ada/kept.txt").read_text() == "kept"
    with sqlite3.connect(hub / "jupyterhub.sqlite") as database:
        assert ("ada",) in database.execute("select name from users").fetchall()
