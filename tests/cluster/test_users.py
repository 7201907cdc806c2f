# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of a real hub are listed and changed by the playbook, through the API server of its cluster."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from urllib.parse import quote

import pytest
from cluster_hub import TOKEN
from hub_client import Browser
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet

HUB = "users"


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]) -> KubernetesFleet:
    """A hub below a path on which everybody may sign up, with an admin."""
    made = make_fleet(cloud=kubernetes)
    made.add_hub(
        HUB,
        hub_allowed_users=[],
        hub_admins=["ada"],
        hub_allow_everyone=True,
        hub_url="http://users.test/team/",
        hub_check_through="cluster",
        hub_metrics=True,
    )
    # the deploy lock is that of the namespace then, and other tests may use the cluster
    made.clusters["cloud"]["cluster_permissions"] = "namespace"
    kubernetes.kubectl("create", "namespace", made.namespace(HUB))
    made.first = made.playbook("deploy")  # type: ignore[attr-defined]
    assert made.first.returncode == 0, said(made.first)  # type: ignore[attr-defined]
    return made


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return all that a playbook printed."""
    return done.stdout + done.stderr


def users(fleet: KubernetesFleet, action: str, names: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook users."""
    return fleet.playbook("users", "-e", f"users_action={action}", "-e", f"users_names={names}", *more)


def told(fleet: KubernetesFleet, output: str, words: str) -> str:
    """Return what the command prints that the output tells after these words."""
    command = re.search(rf"{words}: (kubectl --kubeconfig [^;\n]*)", output)
    assert command, output
    done = subprocess.run(["sh", "-c", command[1]], env=fleet.environment, capture_output=True, text=True, check=True)
    return done.stdout


def first_passwords(fleet: KubernetesFleet, output: str) -> dict[str, str]:
    """Return the first passwords, by the command that the playbook tells."""
    lines = told(fleet, output, "first passwords that people have not changed yet").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines if not line.startswith("#")}


def logged_in(browser: Browser, name: str, password: str) -> bool:
    """Log in on the page of the hub; return whether that succeeded."""
    browser.request("hub/login")
    following = quote("/team/hub/home", safe="")
    return is_home(browser.request(f"hub/login?next={following}", {"username": name, "password": password})[1])


def is_home(page: str) -> bool:
    """Return whether a page is for somebody who is logged in."""
    return 'id="logout"' in page


def row(output: str, name: str) -> list[str]:
    """Return the cells of a user in the table."""
    rows = [[cell.strip() for cell in line.split("  ") if cell] for line in output.splitlines()]
    return next((cells for cells in rows if cells[:2] == [HUB, name]), [])


def secrets_of(fleet: KubernetesFleet) -> list[str]:
    """Return what must not be printed: the token of the playbook's service."""
    (secret,) = [
        each
        for each in fleet.kubernetes["cloud"].objects(fleet.namespace(HUB), "secrets")
        if each["metadata"]["name"] == "hub"
    ]
    return [base64.b64decode(secret["data"]["hub.services.hubfleet-users.apiToken"]).decode()]


@pytest.mark.options("hub_metrics")
def test_people_are_told_where_secrets_are(fleet: KubernetesFleet) -> None:
    output = said(fleet.first)  # type: ignore[attr-defined]
    hub = fleet.hub(HUB)
    given = first_passwords(fleet, output)
    assert list(given) == ["ada"] and given["ada"] not in output and logged_in(Browser(hub), "ada", given["ada"])
    token = told(fleet, output, "the token for http://users.test/team/hub/metrics")
    assert hub.request("GET", f"{hub.direct}hub/metrics", token)[0] == 200


def test_users_are_listed_and_added(fleet: KubernetesFleet) -> None:
    checked = users(fleet, "add", "dora,ada", "--check")
    assert "users: dora would be added" in checked.stdout and "ada would" not in checked.stdout, said(checked)
    done = users(fleet, "add", "dora", "-vvvv")
    assert done.returncode == 0 and "users: dora is added" in done.stdout, said(done)
    assert not [secret for secret in (*secrets_of(fleet), TOKEN) if secret in said(done)]
    listed = fleet.playbook("users")
    assert listed.returncode == 0 and row(listed.stdout, "ada")[2:4] == ["admin", "-"], said(listed)
    assert row(listed.stdout, "ada")[-2:] == ["-", "yes"] and row(listed.stdout, "dora")[-1] == "no"


def test_a_password_is_reset_and_the_user_signed_out(fleet: KubernetesFleet) -> None:
    hub, ada = fleet.hub(HUB), Browser(fleet.hub(HUB))
    before = first_passwords(fleet, said(fleet.first))["ada"]  # type: ignore[attr-defined]
    assert logged_in(ada, "ada", before)
    done = users(fleet, "password", "ada")
    assert "users: ada is given a new first password, and signed out" in done.stdout, said(done)
    after = first_passwords(fleet, done.stdout)["ada"]
    assert after != before and after not in said(done)
    assert not is_home(ada.request("hub/home")[1]) and not logged_in(Browser(hub), "ada", before)
    assert logged_in(Browser(hub), "ada", after)


def test_who_is_signed_out_or_removed_keeps_the_home(fleet: KubernetesFleet) -> None:
    hub, cluster = fleet.hub(HUB), fleet.kubernetes["cloud"]
    token = hub.api("POST", "users/dora/tokens", {})[1]["token"]
    with hub.session("dora") as session:
        session.run("open('mine', 'w').write('of dora')")
        done = users(fleet, "sign-out", "dora")
        assert "users: dora is signed out everywhere" in done.stdout, said(done)
        assert hub.request("GET", f"{hub.direct}hub/api/user", token)[0] == 403
        assert session.run("print(open('mine').read())") == "of dora\n"
        refused = users(fleet, "rename", "dora", "-e", "users_new_name=doris", "-e", "users_end_sessions=true")
        assert refused.returncode and "hubs on Kubernetes cannot rename users" in said(refused)
    claims = [claim["metadata"]["uid"] for claim in cluster.objects(fleet.namespace(HUB), "pvc")]
    hub.start_server("dora")
    done = users(fleet, "remove", "dora", "-e", "users_end_sessions=true")
    assert "users: dora is removed; the home is kept; 1 server stopped" in done.stdout, said(done)
    assert hub.api("GET", "users/dora")[0] == 404
    assert [claim["metadata"]["uid"] for claim in cluster.objects(fleet.namespace(HUB), "pvc")] == claims
    with hub.session("dora") as session:
        assert session.run("print(open('mine').read())") == "of dora\n"


def test_the_token_of_the_check_cannot_take_over_an_account(fleet: KubernetesFleet) -> None:
    hub, cluster = fleet.hub(HUB), fleet.kubernetes["cloud"]
    query = ("--output", r"jsonpath={.data.hub\.services\.hubfleet-check\.apiToken}")
    found = cluster.kubectl("--namespace", fleet.namespace(HUB), "get", "secret", "hub", *query)
    token = base64.b64decode(found).decode()
    for path in ("password", "sign-out"):
        assert hub.request("POST", f"{hub.direct}hub/api/hubfleet/users/ada/{path}", token)[0] == 403


def test_a_hub_that_does_not_run_is_said(fleet: KubernetesFleet) -> None:
    assert fleet.playbook("stop").returncode == 0
    listed = fleet.playbook("users")
    assert listed.returncode and "hub users does not run; see what runs" in said(listed)
