# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in with accounts of this machine; the hub's configuration is what the options become."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import hub_traits
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of
from native_people import log_in
from runtime_rig import Hub
from runtime_tools import needs_root

pytestmark = needs_root

PASSWORD = "of the test, 7 words long in all"
NUMBER = os.getpid()
#: Accounts of this test, and one that differs from another only in case.
ADA, BEN, EVE, NEW = (f"hft-{name}-{NUMBER}" for name in ("ada", "ben", "eve", "new"))
OTHER_ADA = ADA.replace("ada", "Ada")
GROUP = f"hft-staff-{NUMBER}"


def run(*command: str, **more: Any) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, **more)


@pytest.fixture(scope="module", autouse=True)
def accounts() -> Iterator[None]:
    """Accounts with passwords, one of them in a group, and one without a password."""
    run("groupadd", GROUP)
    made = (ADA, OTHER_ADA, BEN, EVE)
    try:
        for name in made:
            run("useradd", "--badname" if name == OTHER_ADA else "--no-log-init", "--no-create-home", name)
        run("usermod", "--append", "--groups", GROUP, BEN)
        words = {ADA: PASSWORD, OTHER_ADA: f"other {PASSWORD}", BEN: PASSWORD}
        run("chpasswd", input="".join(f"{name}:{password}\n" for name, password in words.items()))
        run("passwd", "--delete", EVE)
        yield
    finally:
        for name in (*made, NEW):
            subprocess.run(["userdel", name], check=False, capture_output=True)
        run("groupdel", GROUP)


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub whose options each test sets."""
    hub = make_root_hub("accounts")
    hub.start("proxy")
    yield hub


def start(hub: Hub, **variables: Any) -> None:
    """Start the hub, or start it again."""
    if "hub" in hub.running:
        hub.kill("hub")
    traits = hub_traits(hub_of(hub_authenticator="pam", **variables))
    hub.settings["traits"] = {name: traits[name] for name in ("JupyterHub", "Authenticator", "PAMAuthenticator")}
    hub.write()
    hub.start("hub")


def test_accounts_of_the_machine(hub: Hub) -> None:
    """With their own password, and no other; who is not allowed, or has no password, cannot log in."""
    start(hub, hub_allowed_users=[ADA, EVE], hub_admins=[BEN])
    assert log_in(hub, ADA, PASSWORD) and not hub.api("GET", f"users/{ADA}")[1]["admin"]
    assert log_in(hub, BEN, PASSWORD) and hub.api("GET", f"users/{BEN}")[1]["admin"]
    for name, password in ((ADA, ""), (ADA, "wrong"), (EVE, ""), (EVE, PASSWORD), ("root", ""), ("nobody", "")):
        assert log_in(hub, name, password) is None, (name, password)
    assert PASSWORD not in hub.log("hub")


def test_an_account_that_differs_in_case_is_somebody_else(hub: Hub) -> None:
    assert log_in(hub, OTHER_ADA, f"other {PASSWORD}") is None
    assert log_in(hub, OTHER_ADA, PASSWORD)  # whose name was typed with a capital letter


def test_servers_do_not_run_as_the_account_that_logs_in(hub: Hub) -> None:
    assert hub.start_server(ADA, {"profile": "python"}).get("ready")
    uid = int(hub.kernel(ADA).run("import os; print(os.getuid())"))
    assert uid not in (0, pwd.getpwnam(ADA).pw_uid) and pwd.getpwuid(uid).pw_name.startswith("hf-")


def test_the_check_needs_no_account(hub: Hub) -> None:
    assert hub.api("POST", "users/hubfleet-check-1")[0] == 201
    assert hub.api("POST", f"users/{NEW}")[0] == 400
    assert hub.api("DELETE", "users/hubfleet-check-1")[0] == 204


def test_members_of_a_group(hub: Hub) -> None:
    start(hub, hub_allowed_users=[], hub_allowed_groups=[GROUP])
    assert log_in(hub, BEN, PASSWORD) and log_in(hub, ADA, PASSWORD) is None


def test_accounts_of_listed_users_are_created(hub: Hub) -> None:
    """Nobody can use them until root sets a password."""
    start(hub, hub_allowed_users=[NEW], hub_keep_panel_grants=True)
    assert f"{NEW} is listed, but the machine has no such account" in hub.log("hub")
    settings = {"create_users": True}
    start(hub, hub_allowed_users=[NEW], hub_authenticator_settings=settings, hub_keep_panel_grants=True)
    account = pwd.getpwnam(NEW)
    assert account.pw_shell == "/usr/sbin/nologin" and not os.path.exists(account.pw_dir)
    assert account.pw_gid == grp.getgrnam(NEW).gr_gid
    assert log_in(hub, NEW, "") is None and log_in(hub, NEW, PASSWORD) is None
    assert hub.api("POST", f"users/{NEW}-2")[0] == 400  # an admin of the hub makes no accounts of the machine
    run("chpasswd", input=f"{NEW}:{PASSWORD}\n")
    assert log_in(hub, NEW, PASSWORD)
