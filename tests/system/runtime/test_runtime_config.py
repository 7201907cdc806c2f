# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of a real hub: files, errors, and the form."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.user_names import parse_user_name
from hub_client import Browser, wait_for
from runtime_rig import PROFILES, SIZES, Hub
from runtime_tools import FILES, needs_root

pytestmark = needs_root

#: Blocked users as they stand in an inventory.
BLOCKED = ("Mallory", "O'Brien")
TRAITS = {
    "JupyterHub": {
        "authenticator_class": "shared-password",
        "tornado_settings": {"headers": {"X-Fleet": "yes"}},
    },
    "Authenticator": {
        "allow_all": True,
        "admin_users": ["root-of-all"],
        "enable_auth_state": True,
        "blocked_users": [str(parse_user_name(name)) for name in BLOCKED],
    },
}


def offered() -> list[dict[str, Any]]:
    """Return what the hub offers: to members of the group staff, one more environment and one more size."""
    found = copy.deepcopy(PROFILES)
    found[0]["profile_options"]["size"]["choices"]["huge"] = {**SIZES["large"], "allowed_groups": ["Staff"]}
    return [{**PROFILES[0], "slug": "staff", "allowed_groups": ["staff"], "default": True}, *found]


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub with passwords, an announcement, a service of the operator, and hub_jupyterhub_config."""
    hub = make_root_hub(
        "configured",
        traits=TRAITS,
        shared_password=True,
        template_vars={"announcement": "Maintenance on <Monday>"},
        services=[{"name": "grades", "api_token": "0" * 32}],
        roles=[{"name": "grades", "scopes": ["list:users"], "services": ["grades"]}],
        metrics=True,
        groups={"staff": {"users": ["erin"], "properties": {}}},
        profile_list=offered(),
    )
    hub.write(extra="c.JupyterHub.template_vars.update(announcement_login='Extra')\n")
    (hub.directory / "config" / "secrets.json").write_text(
        json.dumps({"traits": {"JupyterHub": {"tornado_settings": {"headers": {"X-Secret": "hidden"}}}}})
    )
    hub.start("proxy", "hub")
    yield hub


def test_files_become_configuration(hub: Hub) -> None:
    with urllib.request.urlopen(f"{hub.url}hub/login") as answer:
        text = answer.read().decode()
        assert answer.headers["X-Fleet"] == "yes" and answer.headers["X-Secret"] == "hidden"
    assert "Extra" in text and "<title>configured</title>" in text
    assert hub.request("GET", f"{hub.direct}hub/api/users", "0" * 32)[0] == 200
    assert hub.request("GET", f"{hub.direct}hub/api/users", hub.secrets["routes_token"])[0] == 403
    assert hub.request("POST", f"{hub.direct}hub/api/proxy", hub.secrets["routes_token"])[0] == 200


def test_metrics_need_the_token_of_their_service(hub: Hub) -> None:
    """Those of the proxy are for the machine alone."""
    token = hub.secrets["metrics_token"]
    status, text = hub.request("GET", f"{hub.url}hub/metrics", token)
    assert status == 200 and "# TYPE jupyterhub_running_servers gauge" in text
    assert [hub.request("GET", f"{hub.url}hub/metrics", each)[0] for each in ("", hub.secrets["culler_token"])] == [
        403
    ] * 2
    assert hub.request("GET", f"{hub.direct}hub/api/users", token)[0] == 403
    status, text = hub.request("GET", f"http://127.0.0.1:{hub.ports['proxy_metrics']}/metrics")
    assert status == 200 and "# TYPE requests_proxy counter" in text


@pytest.mark.parametrize("name", ["Mallory", "mallory", "MALLORY", "O'Brien", "o'brien"])
def test_blocked_users_cannot_log_in_in_any_case(hub: Hub, name: str) -> None:
    """JupyterHub normalizes the name of who logs in, but not those of blocked users."""
    browser = Browser(hub)
    browser.request("hub/login")
    assert browser.request("hub/login", {"username": name, "password": hub.secrets["user_password"]})[0] == 403
    assert f"User '{name.lower()}' blocked" in hub.log("hub").replace('"', "'")


def test_a_user_chooses_on_the_form(hub: Hub) -> None:
    browser = Browser(hub)
    browser.request("hub/login")
    login = {"username": "carol", "password": hub.secrets["user_password"]}
    assert browser.request("hub/login", {**login, "password": "wrong-password"})[0] == 403
    status, page = browser.request("hub/login", login)
    assert status == 200 and 'id="hubfleet-profiles"' in page, page
    status, page = browser.request("hub/spawn", {"profile": "python", "profile-option-python--size": "huge"})
    assert status == 400 and "size: unknown choice &#39;huge&#39;; possible: small, large" in page
    fields = {
        "profile": "python",
        "profile-option-python--size": "large",
        "profile-option-broken--x": "y",
    }
    status, page = browser.request("hub/spawn", fields)
    assert status == 200 and "hub/spawn-pending/carol" in page or "is starting up" in page
    assert hub.progress("carol")[-1].get("ready")
    assert "large" in str(hub.api("GET", "users/carol")[1]["servers"][""]["user_options"])
    assert hub.api("DELETE", "users/carol/server")[0] in (202, 204)
    wait_for("the stop", lambda: not hub.api("GET", "users/carol")[1]["servers"])
    # the last choice is preselected
    assert '<option value="large" selected>' in browser.request("hub/spawn")[1]


def test_a_wrong_choice_is_refused_at_once_with_auth_state(hub: Hub) -> None:
    hub.api("POST", "users/dave")
    status, answer = hub.api("POST", "users/dave/server", {"profile": "perl"})
    assert (status, answer["message"]) == (400, "unknown profile 'perl'; possible: python, broken")


def test_what_is_for_groups_is_for_their_members_only(hub: Hub) -> None:
    """On the form and through the API; the default of others is what they may start."""
    browser = Browser(hub)
    browser.request("hub/login")
    _status, page = browser.request("hub/login", {"username": "frank", "password": hub.secrets["user_password"]})
    assert 'value="python"' in page and 'value="staff"' not in page and 'value="huge"' not in page
    for asked, told in (
        ({"profile": "staff"}, "unknown profile 'staff'; possible: python, broken"),
        ({"profile": "python", "size": "huge"}, "size: unknown choice 'huge'; possible: small, large"),
        ({"size": "huge"}, "size: unknown choice 'huge'; possible: small, large"),
    ):
        status, answer = hub.api("POST", "users/frank/server", asked)
        assert (status, answer["message"]) == (400, told)
    hub.api("POST", "users/erin")
    assert hub.start_server("erin", {"profile": "python", "size": "huge"}).get("ready")
    assert hub.api("DELETE", "users/erin/server")[0] in (202, 204)
    wait_for("the stop", lambda: not hub.api("GET", "users/erin")[1]["servers"])


def test_who_may_start_nothing_is_told_so(hub: Hub) -> None:
    hub.kill("hub")
    before = hub.settings["profile_list"]
    hub.settings["profile_list"] = before[:1]
    hub.settings["metrics"] = False
    hub.write()
    hub.start("hub")
    try:
        assert hub.request("GET", f"{hub.url}hub/metrics", hub.secrets["metrics_token"])[0] == 403
        hub.api("POST", "users/frank")
        status, answer = hub.api("POST", "users/frank/server")
        assert (status, answer["message"]) == (403, "None of your groups may start a server on this hub.")
        assert hub.start_server("erin").get("ready")
        assert hub.api("DELETE", "users/erin/server")[0] in (202, 204)
        wait_for("the stop", lambda: not hub.api("GET", "users/erin")[1]["servers"])
    finally:
        hub.kill("hub")
        hub.settings["profile_list"] = before
        hub.write()
        hub.start("hub")


def test_a_failed_start_says_why_on_the_page(hub: Hub) -> None:
    event = hub.start_server("dave", {"profile": "broken"})
    assert event["failed"] and "<pre>" in event["html_message"]


def test_a_saved_choice_that_is_gone_locks_nobody_out(hub: Hub) -> None:
    before = copy.deepcopy(hub.settings["profile_list"])
    assert hub.start_server("carol", {"profile": "python", "size": "large"}).get("ready")
    assert hub.api("DELETE", "users/carol/server")[0] in (202, 204)
    wait_for("the stop", lambda: not hub.api("GET", "users/carol")[1]["servers"])
    hub.kill("hub")
    del hub.settings["profile_list"][1]["profile_options"]["size"]["choices"]["large"]
    hub.write()
    hub.start("hub")
    try:
        assert hub.start_server("carol").get("ready")
    finally:
        hub.settings["profile_list"] = before
        hub.write()


def refused(hub: Hub) -> str:
    """Return the log of a hub that does not start."""
    process = subprocess.run(hub.command("hub"), capture_output=True, timeout=60, check=False)
    assert process.returncode == 78
    return hub.log("hub")


@pytest.fixture
def stopped(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub without its hub service."""
    hub = make_root_hub("stopped")
    hub.start("proxy")
    yield hub
    hub.kill("proxy")


def _nothing_of_private_lines(hub: Hub) -> None:
    """Errors in private lines name the line and the exception, but nothing that may be part of a secret."""
    for extra, told in (
        ("x = unknown('zebra-9f2')\n", "line 1): NameError: name 'unknown' is not defined"),
        ("x = zebra - unknown\n", "line 1): NameError (the message may contain a secret and is omitted)"),
        ("x = int('zebra-9f2')\n", "line 1): ValueError (the message may contain a secret and is omitted)"),
        ("x = f(zebra=1, zebra=2)\n", "line 1): SyntaxError (the message may contain a secret and is omitted)"),
    ):
        with_lines = {"private_lines": [1], "public_names": ["unknown"]}
        hub.settings |= with_lines
        log = hub.directory / "logs" / "hub.log"
        log.unlink()
        hub.write(extra=extra)
        text = refused(hub)
        assert told in text and "zebra" not in text
    hub.settings |= {"private_lines": [], "public_names": []}


def test_wrong_configuration_is_named(stopped: Hub) -> None:
    stopped.write(extra="a = 1\nc.JupyterHub.title = b\n")
    text = refused(stopped)
    assert f"hub_jupyterhub_config ({stopped.directory}/config/extra.py, line 2): NameError: name 'b'" in text
    stopped.write(extra="a = = 1\n")
    assert "line 1): SyntaxError: invalid syntax" in refused(stopped)
    _nothing_of_private_lines(stopped)
    for key, value, message in (
        (
            "profile_list",
            [{"slug": "a", "kubespawner_override": {"gpu": 1}}],
            "'gpu' is not supported on a server",
        ),
        ("isolation", "none", "isolation 'none' would run users' code as root"),
        ("isolation", "bubblewrap", "is for hubs without root"),
        ("services", [{"name": "check"}], "the name 'check' is reserved for the hub itself"),
        ("format", 2, "format 2, expected 1"),
    ):
        before = stopped.settings[key]
        stopped.settings[key] = value
        stopped.write()
        assert message in refused(stopped)
        stopped.settings[key] = before
    (stopped.directory / "config" / "hub.json").write_text("{")
    assert "config/hub.json: Expecting property name" in refused(stopped)


def test_the_proxy_runs_as_an_account_without_rights(make_root_hub: Callable[..., Hub]) -> None:
    hub = make_root_hub("dropped")
    command = hub.command("proxy")
    at = command.index("--digest")
    command[at:at] = ["--account", "nobody"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_for("the proxy", lambda: hub.request("GET", hub.url)[0], 20)
        status = Path(f"/proc/{process.pid}/status").read_text()
        uid = str(pwd.getpwnam("nobody").pw_uid)
        assert status.split("Uid:")[1].split()[:3] == [uid] * 3
        from hubfleet_runtime import processes

        assert processes.lock_holder(hub.directory / "run" / "proxy.lock") == process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_hub_whose_proxy_is_away_says_so(make_root_hub: Callable[..., Hub]) -> None:
    hub = make_root_hub("waiting")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from hubfleet_runtime import launch\n"
        "launch.wait_for_port(int(sys.argv[2]), 0.3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(FILES / "runtime"), str(hub.ports["proxy_api"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"nothing answers on 127.0.0.1:{hub.ports['proxy_api']}" in done.stderr


@pytest.fixture
def runtime_directory() -> Iterator[Path]:
    """A directory for runtime directories, with a short path."""
    path = Path(tempfile.mkdtemp(prefix="hubfleet-", dir="/run"))
    yield path
    shutil.rmtree(path)


MANY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from hubfleet_runtime import isolation
state, name = Path(sys.argv[2]), sys.argv[3]
hub = isolation.HubContext(state / "hubs" / name, name, state / "homes", Path(sys.argv[4]))
backend = isolation.create("system-users", hub)
users = [f"hubfleet-check-{name}-{number}" for number in range(3)]
for user in users:
    assert backend.prepare(user, "") == backend.prepare(user, "")
for user in users:
    backend.remove(user)
    backend.remove(user)
"""


def test_ten_hubs_make_accounts_at_once(state: Path, runtime_directory: Path) -> None:
    makers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                MANY,
                str(FILES / "runtime"),
                str(state),
                f"h{number}",
                str(runtime_directory),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(10)
    ]
    for maker in makers:
        assert maker.communicate(timeout=240)[1] == ""
    left = [entry.pw_dir for entry in pwd.getpwall() if entry.pw_dir.startswith(f"{state}/homes/hubfleet-check-")]
    assert not left and not os.listdir(runtime_directory)


def test_a_strangers_account_is_left_alone(state: Path, runtime_directory: Path) -> None:
    from hubfleet_runtime import isolation, names

    hub = isolation.HubContext(state / "hubs" / "h", "h", state / "homes", runtime_directory)
    name = names.account_name(hub.state, "h", "hubfleet-check-x")
    subprocess.run(["useradd", "--no-create-home", "--comment", "somebody else", name], check=True)
    try:
        backend: Any = isolation.create("system-users", hub)
        for act in (lambda user: backend.prepare(user, ""), backend.remove, backend.end_user_processes):
            with pytest.raises(isolation.IsolationError, match="was not created for user"):
                act("hubfleet-check-x")
        with pytest.raises(isolation.IsolationError, match="too long for the sockets"):
            isolation.create("system-users", dataclasses.replace(hub, runtime_directory=Path("/r" * 30)))
        with pytest.raises(isolation.IsolationError, match="never removes"):
            backend.remove("alice")
    finally:
        subprocess.run(["userdel", name], check=True)
