# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs of one machine, reached by their domains."""

from __future__ import annotations

import os
import pwd
import re
import ssl

import pytest
from reverse_proxy_fleet import Served
from verbs_fleet import wait_for
from verbs_machine import status


def test_deploys_and_checks_through_the_domains(served: Served) -> None:
    assert served.first.outcomes() == {"one": "deployed", "math": "deployed", "physics": "deployed"}
    for hub in ("one", "math", "physics"):
        assert re.search(rf"^{hub} +python/small +ok", served.first.output, re.MULTILINE)
    assert "one: the name one.hubs.test cannot be resolved here; connected to the machine itself" in served.first.output


def test_changes_nothing_the_second_time(served: Served) -> None:
    assert served.second.code == 0, served.second.output
    assert served.second.changed() == 0
    assert "3 hubs: nothing to change" in served.second.output


def test_serves_every_hub_by_its_domain_and_path(served: Served) -> None:
    for name in ("one", "math", "physics"):
        hub = served.fleet.hub(name)
        page = served.visitor.get(f"{hub.url}hub/login")
        assert page.status == 200
        assert f'data-base-url="{hub.config["base_url"]}hub/"' in page.text or hub.config["base_url"] in page.text
        assert "server" not in page.headers
    campus = f"https://campus.hubs.test:{served.https}"
    assert served.visitor.get(f"{campus}/").status == 404
    assert served.visitor.get(f"{campus}/math").headers["location"] == "/math/"


def test_serves_no_other_name(served: Served) -> None:
    with pytest.raises(ssl.SSLError):
        served.visitor.get(f"https://other.hubs.test:{served.https}/")


def test_sends_people_on_to_https(served: Served) -> None:
    answer = served.visitor.get(f"http://campus.hubs.test:{served.http}/math/hub/login?next=x")
    assert answer.status == 308
    assert answer.headers["location"] == f"https://campus.hubs.test:{served.https}/math/hub/login?next=x"
    assert "server" not in answer.headers


def test_refuses_old_tls(served: Served) -> None:
    context = served.visitor.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        served.visitor.get(f"https://one.hubs.test:{served.https}/", context=context)


def test_says_who_came_and_how(served: Served) -> None:
    hub = served.fleet.hub("physics")
    pretended = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Real-Ip": "192.0.2.2",
        "X-Scheme": "http",
        "Forwarded": "proto=http",
    }
    answer = served.visitor.get(f"{hub.url}hub/nothing-here", pretended, source="127.0.0.9")
    assert answer.status == 404
    log = hub.directory / "logs" / "hub.log"
    came = re.compile(r"GET /physics/hub/nothing-here .*\(@127\.0\.0\.9\)")
    wait_for("the line of the log", lambda: came.search(log.read_text()), patience=10)
    assert "192.0.2." not in log.read_text()


def test_cookies_of_a_session_are_for_tls_only(served: Served) -> None:
    hub = served.fleet.hub("math")
    page = served.visitor.get(f"{hub.url}hub/login")
    token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    assert token
    form = {"username": "ada", "password": hub.secret("user_password"), "_xsrf": token[1]}
    answer = served.visitor.post(f"{hub.url}hub/login", form, cookies=page)
    assert answer.status == 302
    cookies = [text for text in answer.headers.get_all("set-cookie") or [] if "jupyterhub-" in text]
    assert len(cookies) == 2
    assert all("secure" in text.lower() and "path=/math/" in text.lower() for text in cookies), cookies


@pytest.mark.skipif(os.geteuid() != 0, reason="accounts are for root's deploys")
def test_reverse_proxy_has_no_rights(served: Served) -> None:
    reverse_proxy = served.fleet.state / "caddy"
    pid = re.search(r'"pid": (\d+)', (reverse_proxy / "run" / "reverse-proxy.json").read_text())
    assert pid
    told, account = status(int(pid[1])), pwd.getpwnam("hubfleet-reverse-proxy")
    assert told["Uid"].split() == [str(account.pw_uid)] * 4
    assert told["Groups"] == ""
    assert {told[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert told["NoNewPrivs"] == "1"
    assert (reverse_proxy / "data").stat().st_mode & 0o777 == 0o700
    for path in (reverse_proxy, *reverse_proxy.iterdir()):
        owner = account.pw_uid if path.name in ("data", "Caddyfile") else 0
        assert path.stat().st_uid == owner, path
        assert path.stat().st_mode & 0o066 == 0, path
