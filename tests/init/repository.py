# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run init and other playbooks as an operator does, outside of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PLATFORMS = ("server", "kubernetes")

COMMON = {
    ".gitignore",
    "README.md",
    "files/README.md",
    "ansible.cfg",
    "collections/requirements.yml",
    "group_vars/all.yml",
    "inventory/group_vars",
    "inventory/host_vars/research-staging.yml",
    "inventory/host_vars/research.yml",
    "inventory/hosts.yml",
    "requirements.txt",
}
GITHUB = {
    ".github/actions/prepare/action.yml",
    ".github/workflows/deploy.yml",
    ".github/workflows/environments.yml",
    ".github/workflows/nightly.yml",
    ".github/workflows/pull-request.yml",
}
GITLAB = {".gitlab-ci.yml", ".gitlab/deploy.yml", ".gitlab/nightly.yml", ".gitlab/prepare.yml"}

# What init installs, and git ignores.
INSTALLED = "collections/ansible_collections"


def program(name: str) -> Path:
    """Return a program of the environment that runs the tests."""
    return Path(sys.executable).with_name(name)


def environment(**more: str) -> dict[str, str]:
    """Return the environment of an operator's shell or of CI: Ansible is on PATH, and not configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GIT_"))}
    path = f"{program('python').parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "ANSIBLE_NOCOLOR": "1", **more}


def run(command: list[str], directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed."""
    done = attempt(command, directory, environment(**more))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def attempt(command: list[str], directory: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail."""
    return subprocess.run(
        command, cwd=directory, env=variables, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def playbook(directory: Path, collections: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection by name."""
    command = [str(program("ansible-playbook")), f"hubfleet.jupyterhub.{name}", *arguments]
    return attempt(command, directory, environment(ANSIBLE_COLLECTIONS_PATH=str(collections)))


def init(directory: Path, collections: Path, *variables: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    """Run init in a directory."""
    extra = [part for variable in variables for part in ("-e", variable)]
    return playbook(directory, collections, "init", *extra, *(["--check", "--diff"] if check else []))


def content(directory: Path) -> dict[str, str]:
    """Return relative path -> text of every file, or "-> target" of every link, without the installed collection."""
    found = {}
    for path in directory.rglob("*"):
        name = str(path.relative_to(directory))
        if name.startswith(INSTALLED):
            continue
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file() and not name.startswith(".git/"):
            found[name] = path.read_text(encoding="utf-8")
    return found
