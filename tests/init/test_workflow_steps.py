# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the steps of the workflows in a clone, with fakes for GitHub and GitLab."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from jobs import HERE, Runner, github_steps, gitlab_scripts, read_yaml, write_program
from repository import PROJECT, run
from test_workflow_files import schema_problems

SECRET = "hunter2 'with quotes' and $signs"
MARKER = "<!-- hubfleet: plan -->"
needs_plan = pytest.mark.skipif(
    not (PROJECT / "playbooks" / "plan.yml").exists(), reason="this checkout has no playbooks/plan.yml"
)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def git(directory: Path, *arguments: str) -> None:
    """Run git with a user name."""
    run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments], directory)


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Path:
    """A clone in which a branch changes one hub."""
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=Start")
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    clone = tmp_path / "clone"
    git(clone, "switch", "--quiet", "--create=shorter")
    with (clone / "inventory" / "host_vars" / "research.yml").open("a", encoding="utf-8") as file:
        file.write("hub_idle_timeout: 20m\n")
    git(clone, "commit", "--quiet", "--all", "--message=Stop idle servers earlier")
    return clone


@pytest.fixture
def runner(clone: Path, collections: Path, tmp_path: Path) -> Runner:
    """A runner in the clone."""
    return Runner(clone, tmp_path / "runner", collections)


def step(runner: Runner, name: str) -> str:
    """Return the script of a step."""
    return str(github_steps(runner.checkout)[name]["run"])


@pytest.mark.parametrize("password", ["", SECRET])
def test_prepare(password: str, runner: Runner) -> None:
    """The installed packages satisfy the requirements; the password is written to a private file only."""
    output = runner.succeed(step(runner, "action/action/Install"))
    assert runner.file("GITHUB_PATH") == f"{runner.temporary}/venv/bin\n"
    assert "Nothing to do" in output  # the collection is there, in the range that is asked for
    write = github_steps(runner.checkout)["action/action/Write the vault password"]
    assert write["if"] == "inputs.vault_password != ''"
    if password:
        output += runner.succeed(write["run"], VAULT_PASSWORD=password)
        file = runner.temporary / "vault-password"
        assert runner.file("GITHUB_ENV") == f"ANSIBLE_VAULT_PASSWORD_FILE={file}\n"
        assert file.read_text(encoding="utf-8") == f"{password}\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert "hunter2" not in output
        client = ["ansible-vault", "encrypt_string", "--name", "hub_announcement", "Hello"]
        encrypted = runner.succeed(" ".join(client))
        with (runner.checkout / "inventory/host_vars/research.yml").open("a", encoding="utf-8") as inventory:
            inventory.write("\n" + encrypted.split("\nEncryption successful")[0] + "\n")
    assert "2 hubs in 1 cluster: valid" in runner.succeed(step(runner, "pull-request/plan/Validate"))


def test_missing_requirements(runner: Runner) -> None:
    """The step fails if a package cannot be installed."""
    (runner.checkout / "requirements.txt").write_text("ansible-core>=999\n", encoding="utf-8")
    assert runner.run(step(runner, "action/action/Install")).returncode != 0
    assert runner.file("GITHUB_PATH") == ""


def test_validate_fails(runner: Runner) -> None:
    """A broken inventory fails the step."""
    with (runner.checkout / "group_vars" / "all.yml").open("a", encoding="utf-8") as file:
        file.write("hub_idle_timeuot: 20m\n")
    done = runner.run(step(runner, "pull-request/plan/Validate"))
    assert done.returncode != 0
    assert "did you mean 'hub_idle_timeout'?" in done.stdout


@pytest.mark.parametrize("workflow", ["deploy", "nightly"])
def test_clusters(workflow: str, runner: Runner) -> None:
    """The matrix has every cluster of the inventory."""
    hosts = runner.checkout / "inventory" / "hosts.yml"
    content = yaml.safe_load(hosts.read_text(encoding="utf-8"))
    content["all"]["children"]["clusters"]["children"]["lab"] = {"hosts": {"teaching": None}}
    content["all"]["children"]["production"]["hosts"]["teaching"] = None
    hosts.write_text(yaml.safe_dump(content), encoding="utf-8")
    runner.succeed(step(runner, f"{workflow}/clusters/List the clusters"))
    name, value = runner.file("GITHUB_OUTPUT").rstrip("\n").split("=", 1)
    assert (name, json.loads(value)) == ("names", ["lab", "machine"])
    job = read_yaml(runner.checkout / f".github/workflows/{workflow}.yml")[0]["jobs"]
    assert job["clusters"]["outputs"] == {"names": "${{ steps.list.outputs.names }}"}
    hosts.write_text("all: [", encoding="utf-8")
    assert runner.run(step(runner, f"{workflow}/clusters/List the clusters")).returncode != 0


@needs_plan
def test_plan(runner: Runner) -> None:
    """The plan lists what the branch changes, and is passed to the comment."""
    steps = github_steps(runner.checkout)
    assert steps["pull-request/plan/Plan"]["env"] == {"TARGET": "origin/${{ github.base_ref }}"}
    runner.succeed(steps["pull-request/plan/Plan"]["run"], TARGET="origin/main")
    plan = (runner.checkout / "plan.md").read_text(encoding="utf-8")
    assert "research" in plan
    assert json.loads((runner.checkout / "plan.json").read_text(encoding="utf-8"))
    runner.succeed(steps["pull-request/plan/Publish the plan"]["run"])
    assert runner.file("GITHUB_STEP_SUMMARY") == plan
    assert published(runner) == plan


def published(runner: Runner) -> str:
    """Return the output ``plan``, read as GitHub reads outputs of several lines."""
    first, *lines = runner.file("GITHUB_OUTPUT").split("\n")
    name, end = first.split("<<")
    assert name == "plan"
    return "\n".join(lines[: lines.index(end)])


def test_long_plan_is_truncated(runner: Runner) -> None:
    """Comments have a size limit; the summary has the whole plan."""
    (runner.checkout / "plan.md").write_text("a line of a plan\n" * 10_000, encoding="utf-8")
    runner.succeed(step(runner, "pull-request/plan/Publish the plan"))
    assert 50_000 < len(published(runner)) < 65_000
    assert len(runner.file("GITHUB_STEP_SUMMARY")) == 170_000


def test_comment(runner: Runner, tmp_path: Path) -> None:
    """The first run creates a comment, the next one updates it; other comments are kept."""
    store, requests = tmp_path / "comments.json", tmp_path / "requests"
    others = [
        {"id": 1, "user": {"type": "User"}, "body": f"{MARKER}\nA person quotes it."},
        {"id": 2, "user": {"type": "Bot"}, "body": f"Another program. {MARKER}"},
    ]
    store.write_text(json.dumps(others), encoding="utf-8")
    write_program(runner.programs / "gh", f"#!{sys.executable}\n{(HERE / 'fake_gh.py').read_text(encoding='utf-8')}")
    write = github_steps(runner.checkout)["pull-request/comment/Create or update the comment"]
    assert set(write["env"]) == {"GH_TOKEN", "NUMBER", "PLAN"}
    variables = {"GH_COMMENTS": str(store), "GH_REQUESTS": str(requests), "NUMBER": "12"}
    for plan in ("first `plan` $(exit 1)", "second plan\nof two lines"):
        output = runner.succeed(write["run"], PLAN=plan, GH_TOKEN=SECRET, **variables)
        assert "hunter2" not in output
        comments = json.loads(store.read_text(encoding="utf-8"))
        assert comments[:2] == others
        assert [comment["body"] for comment in comments[2:]] == [f"{MARKER}\n{plan}\n"]
    assert [line.split()[0] for line in requests.read_text(encoding="utf-8").splitlines()] == [
        "GET", "POST", "GET", "PATCH",
    ]  # fmt: skip
    assert runner.run(write["run"], PLAN="third", **variables).returncode != 0  # without a token


RECORD = """#!/bin/sh
echo "$*" >> "$COMMANDS"
case "$*" in *"$BROKEN"*) exit 2 ;; esac
"""


def commands(runner: Runner, script: str, broken: str) -> tuple[int, list[str]]:
    """Run a script with an ansible-playbook that only logs its arguments; return the exit code and the log."""
    write_program(runner.programs / "ansible-playbook", RECORD)
    notes = runner.temporary / "commands"
    notes.write_text("", encoding="utf-8")
    code = runner.run(script, COMMANDS=str(notes), BROKEN=broken, CLUSTER="machine").returncode
    return code, notes.read_text(encoding="utf-8").splitlines()


NIGHTLY = [
    "hubfleet.jupyterhub.check --limit machine",
    "hubfleet.jupyterhub.status --limit machine",
    "hubfleet.jupyterhub.plan --limit machine --diff -e plan_exit_code=true",
]


def test_github_commands(runner: Runner) -> None:
    """A deploy is limited to one cluster; the nightly job runs every step even if one fails."""
    assert commands(runner, step(runner, "deploy/deploy/Deploy"), "none") == (
        0,
        ["hubfleet.jupyterhub.deploy --limit machine"],
    )
    steps = {name: step for name, step in github_steps(runner.checkout).items() if name.startswith("nightly/nightly/")}
    own = [step for name, step in steps.items() if "run" in step]
    assert [commands(runner, step["run"], "none")[1] for step in own] == [[line] for line in NIGHTLY]
    assert [commands(runner, step["run"], "jupyterhub")[0] for step in own] == [2, 2, 2]
    assert ["!cancelled()" in step.get("if", "") for step in own] == [False, True, True]


@pytest.mark.parametrize("broken", ["none", "check", "status", "plan_exit_code"])
def test_gitlab_commands(broken: str, runner: Runner) -> None:
    """GitLab runs the same commands, in one job."""
    scripts = {name: text.replace("$[[ inputs.cluster ]]", "machine") for name, text in gitlab(runner).items()}
    nightly = next(text for name, text in scripts.items() if name.startswith("nightly.yml/"))
    assert commands(runner, nightly, broken) == (0 if broken == "none" else 1, NIGHTLY)
    deploy = next(text for name, text in scripts.items() if name.startswith("deploy.yml/"))
    assert commands(runner, deploy, "none") == (0, ["hubfleet.jupyterhub.deploy --limit machine"])


def gitlab(runner: Runner) -> dict[str, str]:
    """Return the scripts of GitLab, and set GitLab's variables in the runner."""
    runner.variables.update(CI_PROJECT_DIR=str(runner.checkout), ANSIBLE_CONFIG=str(runner.checkout / "ansible.cfg"))
    return gitlab_scripts(runner.checkout)


def test_gitlab_prepare_and_list(runner: Runner, tmp_path: Path) -> None:
    """A job prepares its environment, also in a world-writable directory, and lists the clusters."""
    runner.checkout.chmod(0o777)
    scripts = gitlab(runner)
    prepare = scripts["prepare.yml/.prepare/before_script"]
    script = f'{prepare}\n{scripts[".gitlab-ci.yml/list clusters/script"]}\necho "file: $ANSIBLE_VAULT_PASSWORD_FILE"'
    output = runner.succeed(script, TASK="deploy", VAULT_PASSWORD=SECRET)
    password = runner.checkout / "vault-password"
    assert f"file: {password}" in output
    assert "hunter2" not in output
    assert password.read_text(encoding="utf-8") == f"{SECRET}\n"
    assert password.stat().st_mode & 0o777 == 0o600
    runner.succeed(scripts["prepare.yml/.prepare/after_script"])
    assert not password.exists()
    (made,) = read_yaml(runner.checkout / "clusters.yml")
    assert made["include"] == [
        {"local": ".gitlab/prepare.yml"},
        {"local": ".gitlab/deploy.yml", "inputs": {"cluster": "machine"}},
    ]
    assert schema_problems("gitlab-ci", made, tmp_path) == ""


@needs_plan
def test_gitlab_plan(runner: Runner) -> None:
    """A merge request is compared with its target branch, which GitLab does not fetch."""
    script = gitlab(runner)[".gitlab-ci.yml/plan/script"]
    git(runner.checkout, "update-ref", "-d", "refs/remotes/origin/main")
    output = runner.succeed(script, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert "2 hubs in 1 cluster: valid" in output
    assert "research" in (runner.checkout / "plan.md").read_text(encoding="utf-8")


class Notes(BaseHTTPRequestHandler):
    """Notes of one merge request, as GitLab's API has them; see https://docs.gitlab.com/api/notes/."""

    notes: list[dict[str, Any]]
    place = "/api/v4/projects/3/merge_requests/12/notes"

    def do_GET(self) -> None:
        self._answer(self.notes if urlsplit(self.path).path == self.place else None)

    def do_POST(self) -> None:
        self.notes.append({"id": 100 + len(self.notes), "body": self._body()})
        self._answer(self.notes[-1] if self.path == self.place else None)

    def do_PUT(self) -> None:
        found = [note for note in self.notes if self.path == f"{self.place}/{note['id']}"]
        for note in found:
            note["body"] = self._body()
        self._answer(found[0] if found else None)

    def _body(self) -> str:
        return parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["body"][0]

    def _answer(self, content: Any) -> None:
        allowed = self.headers["PRIVATE-TOKEN"] == "hunter2"
        self.send_response(401 if not allowed else 404 if content is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(content if allowed else {"message": "401 Unauthorized"}).encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Do not log requests."""


@pytest.fixture
def notes() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of GitLab's API, and the notes there."""
    Notes.notes = [{"id": 1, "body": f"Somebody: {MARKER}"}]
    server = HTTPServer(("127.0.0.1", 0), Notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v4", Notes.notes
    server.shutdown()
    server.server_close()


@needs_curl
def test_gitlab_note(runner: Runner, notes: tuple[str, list[dict[str, Any]]]) -> None:
    """The first run creates a note, the next one updates it; a wrong token fails."""
    address, found = notes
    script = gitlab(runner)[".gitlab-ci.yml/comment/script"]
    variables = {"CI_API_V4_URL": address, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "12", "no_proxy": "*"}
    for plan in ("first plan & more", "second plan\nof two lines"):
        (runner.checkout / "plan.md").write_text(f"{plan}\n", encoding="utf-8")
        output = runner.succeed(script, PLAN_NOTE_TOKEN="hunter2", **variables)
        assert "hunter2" not in output
        assert [note["body"] for note in found] == [f"Somebody: {MARKER}", f"{MARKER}\n{plan}\n"]
    token = runner.checkout / "token.conf"
    assert token.stat().st_mode & 0o777 == 0o600
    runner.succeed(gitlab(runner)[".gitlab-ci.yml/comment/after_script"])
    assert not token.exists()
    assert runner.run(script, PLAN_NOTE_TOKEN="wrong", **variables).returncode != 0
    assert "artifact only" in runner.succeed(script, **variables)


#: Logs what it is asked, and knows of one pull request once it was created.
FAKE_PULL_REQUESTS = """#!/bin/sh
[ -n "$GH_TOKEN" ] || exit 4
echo "$1 $2" >> "$COMMANDS"
case "$2" in list) grep -c "pr create" "$COMMANDS" || true ;; esac
"""


def pins_of_main(runner: Runner, tmp_path: Path) -> Path:
    """Let ansible-playbook write a lock file with what LOCK says; return the repository that is pushed to."""
    write_program(runner.programs / "ansible-playbook", '#!/bin/sh\nprintf "%s" "$LOCK" > environments.lock.yml\n')
    git(runner.checkout, "switch", "--quiet", "main")
    bare = tmp_path / "fleet.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(runner.checkout), str(bare))
    git(runner.checkout, "remote", "set-url", "origin", str(bare))
    return bare


def proposed(bare: Path) -> str:
    """Return the lock file of the branch that is proposed."""
    return run(["git", "show", "environments:environments.lock.yml"], bare).stdout


def test_github_proposes_pins(runner: Runner, tmp_path: Path) -> None:
    """New pins become one pull request, which later runs update; without new pins, nothing happens."""
    bare, notes = pins_of_main(runner, tmp_path), tmp_path / "commands"
    notes.touch()
    write_program(runner.programs / "gh", FAKE_PULL_REQUESTS)
    for lock in ("first: 'one'\n", "second: $(exit 1)\n"):
        runner.succeed(step(runner, "environments/update/Pin"), LOCK=lock)
        name, pins = runner.file("GITHUB_OUTPUT").splitlines()[-1].split("=", 1)
        assert name == "pins"
        git(runner.checkout, "switch", "--quiet", "--detach", "--discard-changes", "main")
        output = runner.succeed(
            step(runner, "environments/propose/Propose"), PINS=pins, GH_TOKEN=SECRET, COMMANDS=str(notes)
        )
        assert "hunter2" not in output
        assert proposed(bare) == lock
        assert run(["git", "rev-list", "--count", "main..environments"], bare).stdout.strip() == "1"
    assert notes.read_text().splitlines() == ["pr list", "pr create", "pr list"]


def test_github_proposes_nothing(runner: Runner, tmp_path: Path) -> None:
    pins_of_main(runner, tmp_path)
    (runner.checkout / "environments.lock.yml").write_text("same")
    git(runner.checkout, "add", "environments.lock.yml")
    git(runner.checkout, "commit", "--quiet", "--message=Pin")
    output = runner.succeed(step(runner, "environments/propose/Propose"), PINS="c2FtZQ==", GH_TOKEN=SECRET)
    assert "The pins are the newest." in output


def test_gitlab_proposes_pins(runner: Runner, tmp_path: Path) -> None:
    bare = pins_of_main(runner, tmp_path)
    run(["git", "config", "receive.advertisePushOptions", "true"], bare)
    git(runner.checkout, "config", f"url.{bare}.insteadOf", "https://environments@gitlab.example.org:443/ada/fleet.git")
    variables = {
        "CI_DEFAULT_BRANCH": "main",
        "CI_SERVER_PROTOCOL": "https",
        "CI_SERVER_HOST": "gitlab.example.org",
        "CI_SERVER_PORT": "443",
        "CI_PROJECT_PATH": "ada/fleet",
        "ENVIRONMENTS_TOKEN": SECRET,
    }
    scripts = gitlab(runner)
    output = runner.succeed(scripts[".gitlab-ci.yml/environments/script"], LOCK="first: one\n", **variables)
    assert "hunter2" not in output
    assert proposed(bare) == "first: one\n"
    assert runner.succeed("./askpass", **variables).strip() == SECRET
    runner.succeed(scripts[".gitlab-ci.yml/environments/after_script"])
    assert not (runner.checkout / "askpass").exists()
