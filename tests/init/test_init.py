# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook init writes a repository that can be deployed, and keeps existing files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from repository import COMMON, GITHUB, GITLAB, PROJECT, attempt, content, environment, init, playbook, program, run

CLUSTERS = {"server": "machine", "kubernetes": "cloud"}


def test_files(written: dict[str, Path], platform: str) -> None:
    """All files are written, and no template syntax is left."""
    found = content(written[platform])
    assert set(found) == COMMON | GITHUB | GITLAB | {f"group_vars/{CLUSTERS[platform]}.yml"}
    assert found["inventory/group_vars"] == "-> ../group_vars"
    for name, text in found.items():
        assert not any(mark in text for mark in ("<%", "%>", "{%", "fleet_repository_")), name
        assert text.startswith("-> ") or (text.endswith("\n") and not text.endswith("\n\n")), name
        assert "\n\n\n" not in text, name


@pytest.mark.parametrize(("workflows", "files"), [("github", GITHUB), ("gitlab", GITLAB), ("none", set())])
def test_workflows_of_choice(workflows: str, files: set[str], collections: Path, tmp_path: Path) -> None:
    """Check mode lists only the chosen workflows, with the chosen names, and writes nothing."""
    done = init(
        tmp_path,
        collections,
        "init_directory=mine",
        f"init_ci={workflows}",
        "init_cluster=lab",
        "init_hub=teaching",
        check=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
    listed = {line.split("item=")[1].rstrip(")") for line in done.stdout.splitlines() if "=> (item=" in line}
    named = {name.replace("research", "teaching") for name in COMMON} | {"group_vars/lab.yml"}
    assert {name for name in listed if not name.startswith("/")} == (named | files) - {"inventory/group_vars"}
    assert "+        lab:" in done.stdout
    assert "+            teaching-staging:" in done.stdout
    assert ("### GitHub" in done.stdout, "### GitLab" in done.stdout) == (files == GITHUB, files == GITLAB)


def test_second_run(repository: Path, collections: Path) -> None:
    """A second run changes nothing and lists the kept files."""
    before = content(repository)
    done = init(repository.parent, collections, "init_directory=my-fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0 " in done.stdout
    assert content(repository) == before
    kept = done.stdout.split("existing files kept: ")[1].split('"')[0]
    assert set(kept.split(", ")) == set(before)


def test_existing_files_are_kept(collections: Path, tmp_path: Path) -> None:
    """Existing files, directories and permissions are kept; missing files are added."""
    mine = tmp_path / "mine"
    (mine / "inventory" / "group_vars").mkdir(parents=True)
    mine.chmod(0o700)
    (mine / "README.md").write_text("ours\n", encoding="utf-8")
    (mine / "group_vars").mkdir()
    (mine / "group_vars" / "all.yml").symlink_to("elsewhere.yml")
    done = init(tmp_path, collections, f"init_directory={mine}", "init_ci=none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "existing files kept: inventory/group_vars, group_vars/all.yml, README.md" in done.stdout
    found = content(mine)
    assert found["README.md"] == "ours\n"
    assert found["group_vars/all.yml"] == "-> elsewhere.yml"
    assert set(found) == COMMON - {"inventory/group_vars"} | {"group_vars/machine.yml"}
    assert list((mine / "inventory" / "group_vars").iterdir()) == []
    assert mine.stat().st_mode & 0o777 == 0o700


def test_gitignore_is_extended(collections: Path, tmp_path: Path) -> None:
    """Missing lines are added to an existing .gitignore, such as that of an imported fleet."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / ".gitignore").write_text("/secrets/\n/ours/", encoding="utf-8")
    done = init(tmp_path, collections, "init_directory=mine", "init_ci=none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "existing files kept" not in done.stdout
    ignored = content(mine)[".gitignore"].splitlines()
    assert ignored[:3] == ["/secrets/", "/ours/", "/vault-password"]
    assert "/out/" in ignored and len(set(ignored)) == len(ignored)


INVALID = {
    "no directory": ([], "init_directory is not set; set it with -e init_directory=PATH"),
    "platform": (["init_directory=a", "init_platform=servr"], "must be one of: server, kubernetes, got: servr"),
    "ci": (["init_directory=a", "init_ci=gitub"], "must be one of: github, gitlab, both, none, got: gitub"),
    "cluster": (
        ["init_directory=a", "init_cluster=my-lab"],
        "cluster my-lab, hub research: a cluster's name has at most 31",
    ),
    "group of Ansible": (["init_directory=a", "init_cluster=all"], "must not be all, ungrouped"),
    "tier": (["init_directory=a", "init_hub=staging"], "must not be all, ungrouped"),
    "long hub": (["init_directory=a", f"init_hub={'h' * 25}"], "a hub's name at most 24 lowercase letters"),
    "same name": (["init_directory=a", "init_hub=lab", "init_cluster=lab"], "cluster lab, hub lab: "),
}


@pytest.mark.parametrize(("variables", "message"), INVALID.values(), ids=INVALID.keys())
def test_invalid_arguments(variables: list[str], message: str, collections: Path, tmp_path: Path) -> None:
    """Invalid arguments are rejected before anything is written."""
    done = init(tmp_path, collections, *variables)
    assert done.returncode != 0
    assert message in " ".join((done.stdout + done.stderr).split())
    assert list(tmp_path.iterdir()) == []


def test_example_validates(written: dict[str, Path], platform: str, collections: Path) -> None:
    """The example is valid, with its own ansible.cfg and with -i from another directory."""
    for directory, arguments in ((written[platform], ()), (Path("/"), ("-i", str(written[platform] / "inventory")))):
        done = playbook(directory, collections, "validate", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 hubs in 1 cluster: valid" in done.stdout


@pytest.mark.parametrize("source", ["checkout", "installed"])
def test_validates_at_once(source: str, collections: Path, tmp_path: Path) -> None:
    """The repository has the collection that wrote it, of a checkout, too, and needs no registry and no settings."""
    path = PROJECT / ".ansible" / "collections" if source == "checkout" else collections
    # Nothing listens here: an attempt to download fails.
    offline = environment(
        ANSIBLE_COLLECTIONS_PATH=str(path),
        ANSIBLE_GALAXY_SERVER="http://127.0.0.1:9/",
        HOME=str(tmp_path / "home"),
        https_proxy="http://127.0.0.1:9/",
        http_proxy="http://127.0.0.1:9/",
    )
    command = [str(program("ansible-playbook")), "hubfleet.jupyterhub.init", "-e", "init_directory=mine"]
    done = attempt(command, tmp_path, offline)
    assert done.returncode == 0, done.stdout + done.stderr
    own = {name: value for name, value in offline.items() if name != "ANSIBLE_COLLECTIONS_PATH"}
    for command in (
        ["ansible-playbook", "hubfleet.jupyterhub.validate"],
        ["ansible-galaxy", "collection", "install", "-r", "collections/requirements.yml"],
    ):
        done = attempt([str(program(command[0])), *command[1:]], tmp_path / "mine", own)
        assert done.returncode == 0, done.stdout + done.stderr
    copy = tmp_path / "mine" / "collections" / "ansible_collections" / "hubfleet" / "jupyterhub"
    assert (copy / "MANIFEST.json").is_file()
    assert not (copy / "tests").exists()


def test_longest_names_validate(repository: Path, collections: Path) -> None:
    """Names that init accepts are valid for validate, too."""
    cluster, hub = "c" + "_" * 29 + "9", "h" + "-" * 22 + "9"
    done = init(
        repository.parent,
        collections,
        "init_directory=other",
        "init_ci=none",
        f"init_cluster={cluster}",
        f"init_hub={hub}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = playbook(repository.parent / "other", collections, "validate")
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_can_be_deployed(written: dict[str, Path], collections: Path) -> None:
    """A deploy would create both hubs."""
    done = playbook(written["server"], collections, "deploy", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    for hub in ("research-staging", "research"):
        assert any(line.startswith(f"{hub} ") and "create" in line for line in done.stdout.splitlines()), done.stdout


def test_git_ignores_secrets(repository: Path) -> None:
    """Git ignores secrets and output files, and nothing that init writes."""
    files = sorted(content(repository))
    for secret in ("vault-password", "secrets/research/token", "plan.json", "out/research/values.yaml"):
        (repository / secret).parent.mkdir(parents=True, exist_ok=True)
        (repository / secret).write_text("hunter2\n", encoding="utf-8")
    run(["git", "init", "--quiet"], repository)
    run(["git", "add", "--all"], repository)
    assert run(["git", "ls-files"], repository).stdout.split() == files


def test_versions_come_from_the_collection(written: dict[str, Path], collections: Path, tmp_path: Path) -> None:
    """The required versions are those of this collection, installed or as a checkout."""
    lines = (PROJECT / "requirements.in").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    found = (written["server"] / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert found[1:] == wanted
    version = yaml.safe_load((PROJECT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    (collection,) = yaml.safe_load((written["server"] / "collections/requirements.yml").read_text())["collections"]
    assert collection["name"] == "hubfleet.jupyterhub"
    assert collection["version"].startswith(f">={version},<")
    done = init(tmp_path, PROJECT / ".ansible" / "collections", "init_directory=mine", "init_ci=none", check=True)
    assert f'+    version: "{collection["version"]}"' in done.stdout


def test_defaults_are_those_of_the_schema() -> None:
    """The defaults of the role are those of its argument specs."""
    role = PROJECT / "roles" / "fleet_repository"
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    documented = {
        name: spec["default"] for name, spec in specs["argument_specs"]["main"]["options"].items() if "default" in spec
    }
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: defaults[name] for name in documented} == documented
    assert set(defaults) - set(documented) == {"fleet_repository_cluster"}
