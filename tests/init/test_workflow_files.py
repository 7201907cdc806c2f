# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows are valid for GitHub and GitLab, and keep secrets away from code of pull requests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jobs import github_steps, gitlab_scripts, read_yaml, shellcheck
from repository import GITHUB, GITLAB, program

#: No document start: GitLab reads everything before the first --- as a document of its own.
YAMLLINT = """
extends: default
rules:
  line-length: {max: 120}
  document-start: disable
  truthy: {check-keys: false}
  comments: {min-spaces-from-content: 1}
  comments-indentation: disable
ignore: [collections/ansible_collections/]
"""
INSTANCE = "$[[ inputs.cluster ]]"
USES = {"actions/checkout@v6", "./.github/actions/prepare"}


def schema_problems(schema: str, document: Any, directory: Path) -> str:
    """Return the problems of a document, by a schema that is part of check-jsonschema."""
    file = directory / "document.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def workflow(path: Path) -> Any:
    """Return a workflow; to YAML 1.1, the key ``on`` is true."""
    (document,) = read_yaml(path)
    return {"on" if key is True else key: value for key, value in document.items()}


def test_yamllint(written: dict[str, Path], platform: str) -> None:
    command = [str(program("yamllint")), "--strict", "--config-data", YAMLLINT, "."]
    done = subprocess.run(command, cwd=written[platform], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", sorted(GITHUB))
def test_github_schema(name: str, written: dict[str, Path], platform: str, tmp_path: Path) -> None:
    """The file matches GitHub's schema, and a broken one does not."""
    document = workflow(written[platform] / name)
    schema = "github-workflows" if "workflows" in name else "github-actions"
    assert schema_problems(schema, document, tmp_path) == ""
    steps = document["runs"] if "runs" in document else next(iter(document["jobs"].values()))
    steps["steps"][0]["runs"] = steps["steps"][0].pop("run", "true")
    assert schema_problems(schema, document, tmp_path) != ""


@pytest.mark.parametrize("name", sorted(GITLAB))
def test_gitlab_schema(name: str, written: dict[str, Path], platform: str, tmp_path: Path) -> None:
    """The file matches GitLab's schema; in files with inputs, these are filled in first."""
    text = (written[platform] / name).read_text(encoding="utf-8")
    *header, document = yaml.safe_load_all(text.replace(INSTANCE, "machine"))
    if header:
        (inputs,) = header
        assert list(inputs["spec"]["inputs"]) == ["cluster"]
        assert INSTANCE in text
    if ".prepare" in document:  # the schema does not check hidden jobs, which have no script
        document["prepare"] = {**document.pop(".prepare"), "script": ["true"]}
    assert schema_problems("gitlab-ci", document, tmp_path) == ""
    job = next(value for value in document.values() if isinstance(value, dict) and "script" in value)
    job["script"] = 1
    assert schema_problems("gitlab-ci", document, tmp_path) != ""


def test_shellcheck(written: dict[str, Path], platform: str) -> None:
    """Every step is plain POSIX shell, and shellcheck finds nothing."""
    scripts = {name: step["run"] for name, step in github_steps(written[platform]).items() if "run" in step}
    assert len(scripts) > 10
    for name, script in {**scripts, **gitlab_scripts(written[platform])}.items():
        assert shellcheck(script.replace(INSTANCE, "machine")) == "", name
    assert "SC2086" in shellcheck("echo $unquoted")


def test_no_expressions_in_shell_steps(written: dict[str, Path], platform: str) -> None:
    """Titles of pull requests and names of branches are passed in variables, so that a shell never runs them."""
    for name, step in github_steps(written[platform]).items():
        assert "${{" not in step.get("run", ""), name


def test_steps_run_in_sh(written: dict[str, Path], platform: str) -> None:
    """Steps run in the shell that shellcheck checks."""
    for name in GITHUB:
        document = workflow(written[platform] / name)
        if "jobs" in document:
            assert document["defaults"] == {"run": {"shell": "sh"}}
        else:
            assert all(step["shell"] == "sh" for step in document["runs"]["steps"])


def test_actions_are_pinned(written: dict[str, Path], platform: str) -> None:
    """No actions of third parties run; those in comments have a version."""
    assert {step["uses"] for step in github_steps(written[platform]).values() if "uses" in step} == USES
    for name in GITHUB:
        text = (written[platform] / name).read_text(encoding="utf-8")
        assert all(re.search(r"@v\d+$", used) for used in re.findall(r"uses: ([^.\s]\S+)", text)), name


def test_pull_requests_get_no_secret(written: dict[str, Path], platform: str) -> None:
    """Jobs that run code of a pull request have no secret and no token with write permission."""
    path = written[platform] / ".github/workflows/pull-request.yml"
    document = workflow(path)
    assert list(document["on"]) == ["pull_request"]
    assert document["permissions"] == {}
    assert "secrets." not in path.read_text(encoding="utf-8")
    assert document["jobs"]["plan"]["permissions"] == {"contents": "read"}
    assert "GH_TOKEN" not in str(document["jobs"]["plan"])
    comment = document["jobs"]["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert [list(step) for step in comment["steps"]] == [["name", "env", "run"]]
    assert "head.repo.full_name == github.repository" in comment["if"]


@pytest.mark.parametrize("name", ["deploy", "nightly"])
def test_permissions_of_jobs_that_connect_to_hubs(name: str, written: dict[str, Path], platform: str) -> None:
    """Jobs may only read the repository, and checkouts keep no token."""
    path = written[platform] / f".github/workflows/{name}.yml"
    document = workflow(path)
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout")]
        assert [step["with"]["persist-credentials"] for step in checkouts] == [False]
    assert "pull_request" not in document["on"]
    assert "environment" in document["jobs"][name]
    text = path.read_text(encoding="utf-8")
    assert ("# id-token: write" in text) == (platform == "kubernetes")
    assert ("aws-actions/" in text, "google-github-actions/" in text) == (platform == "kubernetes",) * 2


def test_runners_of_deploys(written: dict[str, Path], platform: str) -> None:
    """A runner on the machine deploys its hubs, one deploy at a time and without interruption."""
    deploy = workflow(written[platform] / ".github/workflows/deploy.yml")["jobs"]["deploy"]
    own = ["self-hosted", "${{ matrix.cluster }}"]
    assert deploy["runs-on"] == (own if platform == "server" else "ubuntu-latest")
    assert deploy["concurrency"] == {"group": "deploy-${{ matrix.cluster }}", "cancel-in-progress": False}
    (job,) = read_yaml(written[platform] / ".gitlab/deploy.yml")[1].values()
    assert job.get("tags") == ([INSTANCE] if platform == "server" else None)
    assert (job["resource_group"], job["interruptible"]) == (INSTANCE, False)


def test_triggers(written: dict[str, Path]) -> None:
    """Hubs are deployed and checked without anybody, on both platforms."""
    events = {
        (platform, name): set(workflow(written[platform] / f".github/workflows/{name}.yml")["on"])
        for platform in written
        for name in ("deploy", "nightly")
    }
    assert events == {
        ("server", "deploy"): {"push", "workflow_dispatch"},
        ("server", "nightly"): {"schedule", "workflow_dispatch"},
        ("kubernetes", "deploy"): {"push", "workflow_dispatch"},
        ("kubernetes", "nightly"): {"schedule", "workflow_dispatch"},
    }
    rules = {
        platform: len(read_yaml(written[platform] / ".gitlab-ci.yml")[0]["workflow"]["rules"]) for platform in written
    }
    assert rules == {"server": 4, "kubernetes": 4}


def test_who_proposes_pins_runs_no_code_of_others(written: dict[str, Path], platform: str) -> None:
    """The job that builds has no token with write permission; the one that has one runs git and gh only."""
    document = workflow(written[platform] / ".github/workflows/environments.yml")
    assert document["permissions"] == {}
    update, propose = document["jobs"]["update"], document["jobs"]["propose"]
    assert update["permissions"] == {"contents": "read"}
    assert "GH_TOKEN" not in str(update)
    assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert "ansible" not in str(propose) and "secrets." not in str(propose)
    names = [step.get("name") for step in update["steps"]]
    assert ("Install bubblewrap" in names) == (platform == "kubernetes")
