# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows are what GitHub and GitLab take, and hold to the rules that keep secrets safe."""

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

#: As these files are usually written: GitLab takes everything before the first --- as a document of its own.
YAMLLINT = """
extends: default
rules:
  line-length: {max: 120}
  document-start: disable
  truthy: {check-keys: false}
  comments: {min-spaces-from-content: 1}
  comments-indentation: disable
"""
INSTANCE = "$[[ inputs.cluster ]]"
USES = {"actions/checkout@v6", "./.github/actions/prepare"}


def schema_problems(schema: str, document: Any, directory: Path) -> str:
    """Return what is wrong with a document by a schema that check-jsonschema brings along."""
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
    """GitHub would take the file, and the schema would tell if not."""
    document = workflow(written[platform] / name)
    schema = "github-workflows" if "workflows" in name else "github-actions"
    assert schema_problems(schema, document, tmp_path) == ""
    steps = document["runs"] if "runs" in document else next(iter(document["jobs"].values()))
    steps["steps"][0]["runs"] = steps["steps"][0].pop("run", "true")
    assert schema_problems(schema, document, tmp_path) != ""


@pytest.mark.parametrize("name", sorted(GITLAB))
def test_gitlab_schema(name: str, written: dict[str, Path], platform: str, tmp_path: Path) -> None:
    """GitLab would take the file; of one with inputs, what follows them, filled in."""
    text = (written[platform] / name).read_text(encoding="utf-8")
    *header, document = yaml.safe_load_all(text.replace(INSTANCE, "machine"))
    if header:
        (inputs,) = header
        assert list(inputs["spec"]["inputs"]) == ["cluster"]
        assert INSTANCE in text
    if ".prepare" in document:  # the schema does not look into templates of jobs, which lack a script
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


def test_nothing_is_pasted_into_shell(written: dict[str, Path], platform: str) -> None:
    """Titles of pull requests and names of branches would be run otherwise; they come in variables."""
    for name, step in github_steps(written[platform]).items():
        assert "${{" not in step.get("run", ""), name


def test_steps_run_in_sh(written: dict[str, Path], platform: str) -> None:
    """The shell that shellcheck looked at is the one that runs."""
    for name in GITHUB:
        document = workflow(written[platform] / name)
        if "jobs" in document:
            assert document["defaults"] == {"run": {"shell": "sh"}}
        else:
            assert all(step["shell"] == "sh" for step in document["runs"]["steps"])


def test_actions_are_pinned(written: dict[str, Path], platform: str) -> None:
    """Nothing of third parties runs; what is suggested in comments has a version."""
    assert {step["uses"] for step in github_steps(written[platform]).values() if "uses" in step} == USES
    for name in GITHUB:
        text = (written[platform] / name).read_text(encoding="utf-8")
        assert all(re.search(r"@v\d+$", used) for used in re.findall(r"uses: ([^.\s]\S+)", text)), name


def test_pull_requests_get_no_secret(written: dict[str, Path], platform: str) -> None:
    """What runs code of a pull request has no secret and no token that may write."""
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
def test_rights_of_what_comes_to_hubs(name: str, written: dict[str, Path], platform: str) -> None:
    """They may read the repository, and nothing else; checkouts keep no token."""
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


def test_where_deploys_run(written: dict[str, Path], platform: str) -> None:
    """Hubs on a machine are deployed by a runner on that machine, one deploy at a time, to its end."""
    deploy = workflow(written[platform] / ".github/workflows/deploy.yml")["jobs"]["deploy"]
    own = ["self-hosted", "${{ matrix.cluster }}"]
    assert deploy["runs-on"] == (own if platform == "server" else "ubuntu-latest")
    assert deploy["concurrency"] == {"group": "deploy-${{ matrix.cluster }}", "cancel-in-progress": False}
    (job,) = read_yaml(written[platform] / ".gitlab/deploy.yml")[1].values()
    assert job.get("tags") == ([INSTANCE] if platform == "server" else None)
    assert (job["resource_group"], job["interruptible"]) == (INSTANCE, False)


def test_kubernetes_waits(written: dict[str, Path]) -> None:
    """What this release cannot do on Kubernetes is not started by itself, so that nothing is red for no reason."""
    events = {
        (platform, name): set(workflow(written[platform] / f".github/workflows/{name}.yml")["on"])
        for platform in written
        for name in ("deploy", "nightly")
    }
    assert events == {
        ("server", "deploy"): {"push", "workflow_dispatch"},
        ("server", "nightly"): {"schedule", "workflow_dispatch"},
        ("kubernetes", "deploy"): {"workflow_dispatch"},
        ("kubernetes", "nightly"): {"workflow_dispatch"},
    }
    rules = {
        platform: len(read_yaml(written[platform] / ".gitlab-ci.yml")[0]["workflow"]["rules"]) for platform in written
    }
    assert rules == {"server": 3, "kubernetes": 1}
