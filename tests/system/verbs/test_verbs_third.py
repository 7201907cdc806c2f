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
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Deployed
from hubside_client import sleeping
from verbs_fleet import Fleet, wait_for
from verbs_machine import accounts_below, mode, processes_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def joined(deployed: Deployed) -> Iterator[Fleet]:
    """The fleet with one more staging hub, which has a certificate that the machine does not know."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, which makes the certificate")
    fleet = deployed.fleet
    certificate, key = fleet.directory / "certificate.pem", fleet.directory / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    fleet.add("secure", "staging", hub_tls_certificate=str(certificate), hub_tls_key=str(key))
    fleet.write()
    yield fleet
    if (fleet.state / "hubs/secure").exists():
        sure = ("-e", "remove_data=true", "-e", "export=false", "-e", "end_sessions=true")
        fleet.run("remove", "--limit", "secure", "-e", "remove_hubs=secure", *sure)
    del fleet.hubs["secure"], fleet.tiers["secure"]
    fleet.write()


def trusting(fleet: Fleet) -> dict[str, str]:
    """The environment of an operator who trusts the certificate."""
    return {"SSL_CERT_FILE": str(fleet.directory / "certificate.pem")}


def test_tls(joined: Fleet) -> None:
    others = [joined.hub(name).pids for name in ("trial", "campus")]
    result = joined.run("deploy")
    assert result.code and "TLS certificate of" in result.output and "self-signed" in result.output, result.output
    # A new hub has nothing to go back to, and stays for the operator to look at.
    assert result.outcomes()["secure"].startswith("FAILED"), result.output
    assert "there is no earlier deploy that ran; nothing to go back to" in result.output
    result = joined.run("check", "--limit", "secure", environment=trusting(joined))
    assert result.code == 0, result.output
    hub = joined.hub("secure")
    assert hub.url.startswith("https://127.0.0.1:") and hub.healthy()
    assert [joined.hub(name).pids for name in ("trial", "campus")] == others


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
    joined.succeed("remove", "--limit", "secure", "-e", "remove_hubs=secure")
    assert not any(hub.pids.values()) and not hub.healthy()
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
    runtime = Path(hub.config["runtime"])
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
    result = joined.run("remove", *sure, "-e", "end_sessions=true")
    assert result.code == 2 and "could not be copied" in result.output, result.output
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
