# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook plan with plan_against, as CI of an operator's repository runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from plan_repository import PROJECT, Repository, vaulted

ALPHA, CLOUD = "inventory/host_vars/alpha.yml", "inventory/group_vars/cloud.yml"
SECRET = "hunter2"


def content(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory, but for git's."""
    files = [path for path in directory.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_a_pull_request(repository: Repository) -> None:
    """Table, diff, both files and the exit code; no password, no machine, and nothing but the files is written."""
    repository.add(CLOUD, f"cluster_helm_values: {{hub: {{db: {{type: mysql, password: {vaulted(SECRET)}}}}}}}\n")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: The first one")
    repository.commit()
    before = content(repository.root)
    out = repository.root.parent
    done = repository.playbook(
        "-e", "plan_against=main", "-e", f"plan_file={out}/plan.json", "-e", f"plan_markdown={out}/plan.md",
        "-e", "plan_exit_code=true", "--diff",
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert "alpha  machine  staging  update  configuration\n1 to update, 3 unchanged\n" in done.stdout
    assert '-  "title": "Alpha",' in done.stdout and '+  "title": "The first one",' in done.stdout
    assert "EncryptedValue" not in done.stdout + done.stderr and "[WARNING]" not in done.stdout + done.stderr
    assert content(repository.root) == before
    assert not os.path.exists("/nonexistent")

    kept = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert kept["against"] == "main"
    assert {hub["hub"]: hub["action"] for hub in kept["hubs"] if hub["action"] != "unchanged"} == {"alpha": "update"}
    markdown = (out / "plan.md").read_text(encoding="utf-8")
    assert "| alpha | machine | staging | update | configuration |" in markdown
    assert "**1 to update, 3 unchanged**, against `main`" in markdown
    assert '+  "title": "The first one",' in markdown

    refused = repository.playbook("-e", f"deploy_plan={out}/plan.json", "--check", "--limit", "machine", name="deploy")
    assert refused.returncode == 2
    assert "the plan compares with main, not with the hubs; create a plan without plan_against" in refused.stdout


def test_nothing_to_tell(repository: Repository) -> None:
    """Exit code 0, also where the revision is the present one with other comments."""
    repository.add(ALPHA, "# A remark.\n")
    done = repository.playbook("-e", "plan_against=HEAD", "-e", "plan_exit_code=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 hubs: nothing to change" in done.stdout
    assert "changed=0" in done.stdout


@pytest.mark.parametrize("configuration", ["ansible.cfg", "roles/fleet_repository/templates/ansible.cfg.j2"])
def test_dashes_in_names_of_clusters(
    configuration: str, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are valid, and no reason for a warning."""
    path = repository.root.parent / "ansible.cfg"
    path.write_bytes((PROJECT / configuration).read_bytes())
    monkeypatch.setenv("ANSIBLE_CONFIG", str(path))
    repository.replace("inventory/hosts.yml", "cloud: {hosts", "cloud-east: {hosts")
    repository.git("mv", CLOUD, "inventory/group_vars/cloud-east.yml")
    repository.commit()
    done = repository.playbook("-e", "plan_against=HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 hubs: nothing to change" in done.stdout
    assert "Invalid characters" not in done.stdout + done.stderr


def test_limit(repository: Repository) -> None:
    """Changes of hubs that nobody asked for are not told, and do not count."""
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: The first one")
    done = repository.playbook("-e", "plan_against=HEAD", "-e", "plan_exit_code=true", "--limit", "cloud")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 hubs: nothing to change" in done.stdout


def test_unknown_revision(repository: Repository) -> None:
    done = repository.playbook("-e", "plan_against=nowhere")
    assert done.returncode == 2
    assert (
        f"there is no git revision 'nowhere' in {repository.root}; fetch it first; nothing was changed" in done.stdout
    )


def test_a_file_that_is_wholly_encrypted_is_not_shown(repository: Repository) -> None:
    """With its password Ansible reads it; what stands in it is not shown, wherever it goes."""
    password = repository.root.parent / "password"
    password.write_text("only for this test")
    repository.write_encrypted(
        "inventory/group_vars/cloud/vault.yml", "vault_word: hunter2-word\n", "only for this test"
    )
    cloud = (repository.root / CLOUD).read_text(encoding="utf-8")
    (repository.root / CLOUD).unlink()
    repository.write({"inventory/group_vars/cloud/main.yml": cloud})
    repository.commit()
    repository.add(
        "inventory/group_vars/cloud/main.yml", "cluster_helm_values: {hub: {annotations: {a: '{{ vault_word }}'}}}\n"
    )
    out = repository.root.parent / "plan.md"
    done = repository.playbook(
        "-e", "plan_against=HEAD", "-e", f"plan_markdown={out}", "--diff", "--vault-password-file", str(password)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 to update, 2 unchanged" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr + out.read_text(encoding="utf-8")
