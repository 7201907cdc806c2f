# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that the operator brings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reverse_proxy_authority import Authority
from reverse_proxy_fleet import Served


@pytest.fixture(scope="module")
def authority(served: Served) -> Iterator[Authority]:
    """An authority that the inventory names, and that the hub ``one`` has a certificate from, for five days."""
    made = Authority(Path(served.fleet.directory) / "authority")
    before = dict(served.fleet.hubs["one"])
    files = made.sign("one.hubs.test", days=5.5)
    served.fleet.set(cluster_certificate_authority=str(made.file))
    served.fleet.set(
        "one",
        hub_url=f"https://one.hubs.test:{served.https}/",
        hub_tls_certificate=str(files.certificate),
        hub_tls_key=str(files.key),
    )
    yield made
    served.fleet.hubs["one"] = before
    served.fleet.set(cluster_certificate_authority=None)
    served.fleet.succeed("deploy", "--skip-tags", "check")


def test_serves_it_and_warns_of_its_end(served: Served, authority: Authority) -> None:
    result = served.fleet.succeed("deploy")
    assert result.outcomes()["one"] == "deployed"
    assert re.search(r"^one: its certificate expires in 5 days \(\d{4}-\d\d-\d\d ", result.output, re.MULTILINE)
    assert "math: its certificate" not in result.output, "Caddy's own lives for hours, and is renewed"
    hub = served.fleet.hub("one")
    assert hub.config["tls"] is None
    copies = list((served.fleet.state / "caddy" / "certificates").iterdir())
    assert len(copies) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in copies)


def test_a_renewed_one_is_loaded(served: Served, authority: Authority) -> None:
    served.fleet.succeed("deploy")
    authority.sign("one.hubs.test", days=80)
    assert served.fleet.succeed("plan").planned() == {"one": "update: reverse proxy to reload"}
    result = served.fleet.succeed("deploy")
    assert result.outcomes()["one"] == "deployed"
    assert "its certificate" not in result.output
    assert len(list((served.fleet.state / "caddy" / "certificates").iterdir())) == 2


@pytest.mark.parametrize(
    ("label", "names", "said"),
    [
        ("ended", ["one.hubs.test"], r"hub one: hub_tls_certificate: \S+ended\.pem expired on \d{4}-\d\d-\d\d "),
        ("other", ["other.hubs.test"], r"hub one: hub_tls_certificate: \S+other\.pem is not for one\.hubs\.test"),
        ("gone", [], r"hub one: hub_tls_certificate: \S+gone\.pem cannot be read: there is no such file or directory"),
    ],
)
def test_refuses_what_people_could_not_use(
    served: Served, authority: Authority, label: str, names: list[str], said: str
) -> None:
    certificate = authority.folder / f"{label}.pem"
    key = authority.folder / f"{label}.key"
    if names:
        authority.sign(*names, days=-1 if label == "ended" else 5, label=label)
    with served.fleet.changed("one", hub_tls_certificate=str(certificate), hub_tls_key=str(key)):
        result = served.fleet.run("deploy")
    assert result.code != 0
    assert re.search(said, result.output), result.output[-2000:]
    assert result.changed() == 0


def test_refuses_the_key_of_another(served: Served, authority: Authority) -> None:
    files = authority.sign("one.hubs.test", days=5, label="first")
    other = authority.sign("one.hubs.test", days=5, label="second")
    with served.fleet.changed("one", hub_tls_certificate=str(files.certificate), hub_tls_key=str(other.key)):
        result = served.fleet.run("plan")
    assert result.code != 0
    assert re.search(r"hub_tls_certificate: \S+second\.key is not the key of \S+first\.pem", result.output)
