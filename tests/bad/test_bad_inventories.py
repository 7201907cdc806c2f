# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation reports every defect of an inventory with its origin, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bad_inventories import Case, content, playbook, printed, problems, read_cases

CASES = {case.name: case for case in read_cases()}
#: These also run through ansible-playbook, about a second each.
SAMPLE = (
    "address/bind_everywhere",
    "groups/no_tier",
    "login/nobody_allowed",
    "places/host_directory_boolean",
    "ports/twice",
    "secrets/half_vaulted",
    "several/all_together",
    "kubernetes_chart/version_not_recorded",
    "kubernetes_config/trait_type_in_a_list",
    "kubernetes_login/everyone_by_accident",
    "kubernetes_secrets/half_encrypted",
    "kubernetes_software/override_misspelt",
)
#: Folders of cases without a defect.
SOUND = ("sound/", "kubernetes_sound/")
SECRET = "hunter2"  # the secret in every case that has one

#: Fifty hubs of one cluster.
MANY = [f"hub-{number:02}" for number in range(50)]
MANY_FILES: dict[str, str | None] = {
    "hosts.yml": "clusters: {children: {machine: {hosts: {"
    + ", ".join(MANY)
    + "}}}}\nproduction: {children: {machine: }}\n",
    "host_vars/alpha.yml": None,
    "host_vars/beta.yml": None,
    **{f"host_vars/{name}.yml": f"hub_port: {8000 + 10 * number}\n" for number, name in enumerate(MANY)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: Case, inventory: Path) -> None:
    """Exactly the expected lines are printed."""
    case.write(inventory)
    found = problems(inventory)
    assert found == case.expect
    assert SECRET not in "".join(found)


def test_cases_have_one_defect() -> None:
    """Each case has one defect, except those in some folders."""
    lines = {case.name: len(case.expect) for case in CASES.values() if not case.name.startswith((*SOUND, "several/"))}
    assert {name: count for name, count in lines.items() if count != 1} == {}
    assert not any(case.expect for case in CASES.values() if case.name.startswith(SOUND))


@pytest.mark.parametrize("name", SAMPLE)
def test_playbook_prints_the_same(name: str, inventory: Path) -> None:
    """The playbook prints the same problems as validation in this process, and changes nothing."""
    case = CASES[name]
    case.write(inventory)
    before = content(inventory)
    done = playbook(inventory)
    assert done.returncode != 0
    assert printed(done.stdout) == case.expect
    assert "listed above; nothing was changed" in done.stdout
    assert "changed=0" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert content(inventory) == before


@pytest.mark.parametrize("verbosity", ["", "-v"])
def test_own_output_says_it_once(verbosity: str, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the title of the task, without an excerpt of the playbook; -v adds what Ansible itself prints."""
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "hubfleet.jupyterhub.fleet")
    monkeypatch.setenv("ANSIBLE_DISPLAY_SKIPPED_HOSTS", "false")
    case = CASES["ports/twice"]
    case.write(inventory)
    done = playbook(inventory, *filter(None, [verbosity]))
    said = "1 problem in 1 hub, listed above; nothing was changed"
    title = "TASK [Validate every hub]"
    printed_lines = [line for line in done.stdout.splitlines() if line]
    place = next(index for index, line in enumerate(printed_lines) if line.startswith(title))
    assert printed_lines[place + 1] == case.expect[0]
    if verbosity:
        assert "Origin: " in done.stdout
    else:
        assert printed_lines[place + 2] == f"fatal: [alpha]: {said}"
        assert done.stdout.count(said) == 1 and "Origin: " not in done.stdout


def test_check_of_a_playbook_says_it_once(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "hubfleet.jupyterhub.fleet")
    done = playbook(inventory, "-e", "rollback_to=x", name="rollback")
    assert done.stdout.count("rollback_to: x is not the number of a deploy") == 1 and "Origin: " not in done.stdout


def test_wrong_extra_variable_is_told_once(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with the whole specification of the variables, as Ansible does."""
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "hubfleet.jupyterhub.fleet")
    done = playbook(inventory, "-e", "users_action=delete", "-e", "users_end_sessions=perhaps", name="users")
    assert done.stdout.count("got: delete") == 1 and done.stdout.count("perhaps") == 1
    assert "Origin: " not in done.stdout and "argument_spec_data" not in done.stdout


def test_error_of_a_rescued_task_is_told_once(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Playbooks report at their end which hubs failed."""
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "hubfleet.jupyterhub.fleet")
    CASES["sound/vaulted_inline"].write(inventory)
    render = {"hubfleet.jupyterhub.fleet_render": {"directory": "out"}}
    tasks = [{"block": [render], "rescue": [{"ansible.builtin.meta": "noop"}]}, render]
    play = inventory.parent / "twice.yml"
    play.write_text(json.dumps([{"hosts": "clusters", "gather_facts": False, "tasks": tasks}]))
    done = playbook(inventory, name=str(play.with_suffix("")))
    said = [line for line in done.stdout.splitlines() if line.startswith("fatal: ")]
    assert len(said) == 2 and "none of the selected hubs is on Kubernetes" in said[0]
    assert said[1] == "fatal: [alpha]: failed, as told above"


def test_playbook_of_a_sound_inventory(inventory: Path) -> None:
    """A valid inventory prints only a summary."""
    CASES["sound/vaulted_inline"].write(inventory)
    done = playbook(inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(done.stdout) == ["2 hubs in 1 cluster: valid"]


def test_limit_to_a_sound_hub(inventory: Path) -> None:
    """A broken hub does not stop the others; a problem between two hubs stops the second."""
    CASES["ports/too_high"].write(inventory)
    assert problems(inventory, "beta") == []
    assert problems(inventory, "alpha") == CASES["ports/too_high"].expect
    done = playbook(inventory, "--limit", "beta")
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(done.stdout) == ["1 hub in 1 cluster: valid"]


def test_limit_to_the_other_hub(inventory: Path) -> None:
    """A setting of a cluster that differs between its hubs stops all of them."""
    case = CASES["groups/cluster_option_differs_from_most"]
    case.write(inventory)
    assert problems(inventory, "beta") == problems(inventory, "alpha") == case.expect


NO_HUB = {
    "empty": "all: {}",
    "group without hosts": "clusters: {children: {machine: }}",
    "other hosts only": "all: {hosts: {database.example.org: }}",
}


@pytest.mark.parametrize("hosts", NO_HUB.values(), ids=NO_HUB.keys())
@pytest.mark.parametrize("name", ["validate", "deploy", "check", "stop", "remove"])
def test_no_hub(name: str, hosts: str, inventory: Path) -> None:
    """An inventory without hubs is an error."""
    (inventory / "hosts.yml").write_text(hosts, encoding="utf-8")
    done = playbook(inventory, name=name)
    assert done.returncode != 0
    assert "the inventory has no hub: hubs are hosts of child groups of the group clusters" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["validate", "deploy", "check"])
def test_hub_in_no_cluster(name: str, inventory: Path) -> None:
    """A hub without a cluster stops every verb, unless it is limited to other hubs."""
    case = CASES["groups/no_cluster_but_tier"]
    case.write(inventory)
    for arguments in ((), ("--limit", "gamma")):
        done = playbook(inventory, *arguments, name=name)
        assert done.returncode != 0
        assert printed(done.stdout) == case.expect
    assert problems(inventory, "alpha") == []


WRONG_ARGUMENTS = {
    "check_parallel=0": "check_parallel: '0' is not a whole number from 1",
    "check_parallel=-1": "check_parallel: '-1' is not a whole number from 1",
    "check_parallel=abc": "check_parallel: 'abc' is not a whole number from 1",
    "check_parallel=2.5": "check_parallel: '2.5' is not a whole number from 1",
}


def refused(name: str, inventory: Path, *arguments: str) -> str:
    """Return the output of a playbook that fails on a valid inventory."""
    Case("", {}, []).write(inventory)
    done = playbook(inventory, *arguments, name=name)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize(("variable", "message"), WRONG_ARGUMENTS.items())
def test_arguments_of_check(variable: str, message: str, inventory: Path) -> None:
    assert message in refused("check", inventory, "-e", variable, "--check")


WRONG_SWITCHES = {
    "backup": "backup_list",
    "check": "check_every",
    "deploy": "deploy_rollback",
    "plan": "plan_exit_code",
    "remove": "remove_export",
    "restore": "restore_all",
    "rollback": "rollback_all",
    "status": "status_history",
    "stop": "stop_servers",
    "validate": "validate_render",
}


@pytest.mark.parametrize(("name", "switch"), WRONG_SWITCHES.items())
def test_mistyped_switch_is_not_false(name: str, switch: str, inventory: Path) -> None:
    """Whoever mistypes -e remove_export=true must not lose the copy of the data."""
    output = refused(name, inventory, "-e", f"{switch}=ture")
    assert f"argument '{switch}' is of type str and we were unable to convert to bool: The value 'ture'" in output
    assert output.count("TASK [") == 1


@pytest.mark.parametrize("number", ["abc", "0", "-1", "1.5", ""])
def test_deploy_number(number: str, inventory: Path) -> None:
    output = refused("rollback", inventory, "--limit", "alpha", "-e", f"rollback_to={number}")
    assert f'"msg": "rollback_to: {number} is not the number of a deploy; ' in output
    assert "Lock the clusters" not in output.partition("rollback_to: ")[2]


def test_empty_revision_queries_no_hub(inventory: Path) -> None:
    assert "plan_against: is empty" in refused("plan", inventory, "-e", "plan_against=")


WRONG_FILES = {
    ("deploy", "deploy_plan=nope.json"): "the plan nope.json cannot be read: there is no such file or directory; "
    "nothing was changed",
    ("deploy", "deploy_plan=hosts.yml"): "hosts.yml holds no plan: Expecting value: line 1 column 1 (char 0); "
    "nothing was changed",
    ("plan", "plan_file=/"): "the plan could not be written to /: it is a directory",
}


@pytest.mark.parametrize(("verb", "variable", "message"), [(*key, value) for key, value in WRONG_FILES.items()])
def test_error_of_a_file_is_printed_once(verb: str, variable: str, message: str, inventory: Path) -> None:
    output = refused(verb, inventory, "-e", variable)
    assert f'"msg": "{message}"' in output, output


def test_variable_from_the_command_line(inventory: Path) -> None:
    """A value outside the files is reported without an origin, once for all hubs."""
    Case("", {}, []).write(inventory)
    done = playbook(inventory, "-e", "hub_prot=8100")
    assert done.returncode != 0
    assert printed(done.stdout) == ["alpha, beta: hub_prot: unknown variable; did you mean 'hub_port'?"]


@pytest.mark.parametrize(
    ("variable", "near"),
    [("deploy_brake_lock=machine", "deploy_break_lock"), ("Plan-File=plan.json", "plan_file")],
)
def test_misspelt_variable_of_a_playbook(variable: str, near: str, inventory: Path) -> None:
    """It would have no effect."""
    Case("", {}, []).write(inventory)
    done = playbook(inventory, "-e", variable, "-e", "check_mine=1")
    assert done.returncode != 0
    name = variable.partition("=")[0]
    assert printed(done.stdout) == [f"{name}: no playbook has such a variable; did you mean {near!r}?"]


def test_many_hubs_one_line(inventory: Path) -> None:
    """A defect of a group is one line for all its hubs."""
    group = "hub_authenticator: shared-password\nhub_allowed_users: [ada]\nhub_demonstration: 1\n"
    Case("", {**MANY_FILES, "group_vars/machine.yml": group}, []).write(inventory)
    assert problems(inventory) == [
        "group_vars/machine.yml:3: hub-00 and 49 more: hub_demonstration: 1 is not true or false"
    ]


def test_many_hubs_one_line_for_what_is_missing(inventory: Path) -> None:
    """A missing value has no origin, so its line names the hubs."""
    Case("", {**MANY_FILES, "group_vars/machine.yml": "hub_allowed_users: [ada]\n"}, []).write(inventory)
    missing = "hub_authenticator: is not set (authenticator that users log in with)"
    assert problems(inventory) == [f"{', '.join(MANY)}: {missing}"]


WRONG_PLACES = {
    "authenticator settings as text": f"hub_authenticator_settings: client_secret={SECRET}",
    "authenticator settings as a list": f"hub_authenticator_settings: [client_secret, {SECRET}]",
    "secret one level too deep": f"hub_authenticator_settings: {{client_secret: {{value: {SECRET}}}}}",
    "secret under an unknown key": f"hub_authenticator_settings: {{client_secrets: {SECRET}}}",
    "services as a mapping": f"hub_services: {{name: a, api_token: {SECRET}}}",
    "services as text": f"hub_services: a={SECRET}",
    "service as text": f"hub_services: [a={SECRET}]",
    "token as a list": f"hub_services: [{{name: a, api_token: [{SECRET}]}}]",
    "unknown variable": f"hub_client_secret: {SECRET}",
    "key as text": f'hub_tls_key: "-----BEGIN PRIVATE KEY-----\\n{SECRET}"',
    "code": f"hub_jupyterhub_config: c.GitHubOAuthenticator.client_secret = '{SECRET}",
    "failing template": f"hub_title: \"{{{{ '{SECRET}' | from_json }}}}\"",
}


@pytest.mark.parametrize("line", WRONG_PLACES.values(), ids=WRONG_PLACES.keys())
def test_secrets_are_not_printed(line: str, inventory: Path) -> None:
    """Messages do not contain a secret that is in a wrong place."""
    Case("", {"host_vars/alpha.yml": f"hub_port: 8100\n{line}\n"}, []).write(inventory)
    found = problems(inventory)
    assert found
    assert SECRET not in "".join(found)
