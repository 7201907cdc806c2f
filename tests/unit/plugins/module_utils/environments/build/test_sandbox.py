# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs in the sandbox of a build see, and what is left of what they made."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.sandbox import (
    MAX_DEPTH,
    Sandbox,
    SandboxError,
    kept_environment,
    leave_keys,
    remove_tree,
)


@pytest.fixture(name="sandbox")
def _sandbox(tmp_path: Path) -> Sandbox:
    """A sandbox of the account that runs the tests, which sees the directory ``made`` as /srv/environment."""
    for name in ("tmp", "shm", "made", "input"):
        (tmp_path / name).mkdir()
    (tmp_path / "input/text").write_text("given")
    return Sandbox(
        None,
        str(tmp_path / "tmp"),
        str(tmp_path / "shm"),
        {"/srv/environment": str(tmp_path / "made")},
        {"/srv/input": str(tmp_path / "input")},
    )


def run(sandbox: Sandbox, script: str, path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    """Run a script of sh in the sandbox; skip the test where the machine has no sandboxes."""
    if not shutil.which("bwrap") or not Path("/proc/self/ns/user").exists():
        pytest.skip("needs bubblewrap")
    command = sandbox.command(["/bin/sh", "-c", script], "/srv/environment")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": path}, preexec_fn=leave_keys
    )
    if "namespace" in done.stderr:
        pytest.skip(f"needs namespaces: {done.stderr.strip()}")
    return done


def test_it_sees_its_own_directories_only(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    done = run(
        sandbox, f"cat /srv/input/text; cat {tmp_path}/secret; touch /srv/input/more /usr/more; ls -A /tmp /home"
    )
    assert done.stdout.startswith("given") and "hunter2" not in done.stdout
    assert done.stderr.count("No such file or directory") >= 2 and done.stderr.count("Read-only file system") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as another account")
def test_roots_builds_are_not_roots(sandbox: Sandbox, tmp_path: Path) -> None:
    """Also with programs of their own that are called like what the sandbox starts."""
    sandbox = replace(sandbox, account="nobody")
    planted = tmp_path / "made/bin/setpriv"
    planted.parent.mkdir()
    planted.write_text("#!/bin/sh\nid -u\ngrep CapEff /proc/self/status\n")
    planted.chmod(0o755)
    sandbox.change_owner()
    script = "id -u; grep CapEff /proc/self/status; mount -o remount,rw,bind /usr && echo writable"
    done = run(sandbox, script, f"/srv/environment/bin:{os.defpath}")
    account, capabilities, *rest = done.stdout.split("\n")
    assert account != "0" and capabilities.split() == ["CapEff:", "0" * 16] and rest == [""], done


def test_nothing_runs_any_more_when_it_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(sandbox, "for number in 1 2 3 4 5; do sleep 987654321 & done; echo $! > started")
    assert done.returncode == 0 and (tmp_path / "made/started").exists()
    assert (
        "987654321" not in subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True).stdout
    )


def test_what_it_made_is_made_harmless(sandbox: Sandbox, tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "closed").mkdir()
    (made / "closed/program").write_text("#!/bin/sh\n")
    (made / "closed/program").chmod(0o6711)
    (made / "closed/text").write_text("x")
    (made / "closed/text").chmod(0o602)
    os.mkfifo(made / "pipe")
    (made / "link").symlink_to("/etc/shadow")
    before = os.stat("/etc/shadow") if os.path.exists("/etc/shadow") else None
    (made / "closed").chmod(0)
    sandbox.restore_owner()
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (made / "closed").iterdir()}
    assert modes == {"program": 0o755, "text": 0o644}
    assert sorted(path.name for path in made.iterdir()) == ["closed", "link"]
    assert before is None or os.stat("/etc/shadow") == before


def test_what_is_too_deep_is_refused_and_removed(sandbox: Sandbox, tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path / "made")
        for _level in range(MAX_DEPTH + 1500):
            os.mkdir("deep")
            os.chdir("deep")
    finally:
        os.chdir(here)
    with pytest.raises(SandboxError, match="more than 100 levels deep"):
        sandbox.restore_owner()
    remove_tree(str(tmp_path / "made"))
    assert not (tmp_path / "made").exists()


def test_only_what_it_needs_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "/x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "https://example.org/")
    kept = kept_environment("https://index.example.org/")
    assert not {"ANSIBLE_VAULT_PASSWORD_FILE", "AWS_SECRET_ACCESS_KEY"} & kept.keys()
    assert kept["UV_EXTRA_INDEX_URL"] == "https://example.org/"
    assert kept["UV_DEFAULT_INDEX"] == "https://index.example.org/"
