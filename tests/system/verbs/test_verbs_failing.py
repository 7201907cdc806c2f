# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that fail: what is said, what is left alone, and that a corrected one goes through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from verbs_fleet import Fleet

WRONG = {"python": {"title": "Python", "check_output": "43"}}
EXTRA = {"name": "extra", "title": "Extra", "check_code": "import cowsay; print('moo')", "check_output": "moo"}
TINY = {"tiny": {"title": "Tiny", "memory": "1G"}}
BROKEN = "import os\nnot_defined_anywhere\n"


def test_a_failing_staging_hub_protects_production(fleet: Fleet) -> None:
    trial, campus = fleet.hub("trial"), fleet.hub("campus")
    before = campus.pids, campus.config
    fleet.set(hub_announcement="Second term")
    with fleet.changed(hub_environment_catalogue=WRONG):
        result = fleet.run("deploy")
        assert result.code == 2, result.output
        assert "trial: python/small failed in step" in result.output, result.output
        assert "'42'" in result.output and "'43'" in result.output
        # What ran before is checked as it was then, and passes.
        outcomes = result.outcomes()
        assert outcomes["trial"].startswith("rolled back the check failed"), outcomes
        assert outcomes["campus"] == "skipped staging hub trial of its cluster failed", outcomes
        assert (campus.pids, campus.config) == before
        assert "Second term" not in trial.login_page()
    fleet.succeed("deploy")
    assert "Second term" in campus.login_page() and "Second term" in trial.login_page()


def test_an_error_in_the_hubs_python(fleet: Fleet) -> None:
    trial, campus = fleet.hub("trial"), fleet.hub("campus")
    trial.start_server("ben")
    kernel, before = trial.kernel("ben").mark(), (campus.pids, trial.config)
    # Where and how the hub that is gone back to is checked follows from what was deployed then.
    address = f"http://127.0.0.1:{fleet.hubs['trial']['hub_port']}/elsewhere/"
    other = {"hub_url": address, "hub_sizes": ["tiny"], "hub_size_catalogue": TINY}
    with fleet.changed(hub_announcement="New"), fleet.changed("trial", hub_jupyterhub_config=BROKEN, **other):
        result = fleet.run("deploy")
        assert result.code
        assert "hub_jupyterhub_config (" in result.output and "line 2): NameError" in result.output
        assert "Traceback" not in result.output
        outcomes = result.outcomes()
        assert outcomes["trial"].startswith("rolled back ") and "NameError" in outcomes["trial"], outcomes
        assert outcomes["campus"] == "skipped staging hub trial of its cluster failed", outcomes
        # What ran before runs again, and was checked again.
        assert (campus.pids, trial.config) == before and trial.healthy()
        assert re.search("^trial +python/small +ok", result.output, re.MULTILINE), result.output
        assert kernel.survives()
    fleet.succeed("deploy")
    assert trial.healthy() and kernel.survives()
    trial.stop_server("ben")


def test_a_service_that_cannot_start(fleet: Fleet) -> None:
    """JupyterHub answers before it finds out, ends, and is started again, for ever."""
    trial = fleet.hub("trial")
    before = trial.config
    code = "c.JupyterHub.services.append({'name': 'report', 'command': ['/no/such/program']})"
    with fleet.changed("trial", hub_jupyterhub_config=code):
        result = fleet.run("deploy", "--limit", "trial")
    told = result.outcomes()["trial"]
    assert result.code == 2 and told.startswith("rolled back ") and "-hub ended while it started" in told, told
    assert "No such file or directory: '/no/such/program'" in result.output
    assert trial.config == before and trial.healthy()


def test_directories_of_others_are_left_alone(fleet: Fleet) -> None:
    """Whatever they are called, and whatever is asked for."""
    theirs = fleet.directory / "theirs"
    kept = [theirs / "tools/hammer", theirs / "homes/trial/ada/letter", theirs / "hubs/trial/config/hub.json"]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    for directory, reason in (("/etc", "is a directory of the system"), (theirs, "contains 'homes', 'hubs', 'tools'")):
        with fleet.changed(cluster_state_directory=str(directory)):
            for verb in ("plan", "deploy"):
                result = fleet.run(verb)
                assert result.code == 2, result.output
                assert re.search(rf"lab.yml.*: cluster_state_directory: {directory} {reason}", result.output)
            assert not Path(f"{directory}.deploy-lock").exists() and not Path(directory, ".hubfleet-state").exists()
    sure = ("-e", "remove_hubs=trial", "-e", "remove_data=true", "-e", "remove_end_sessions=true")
    with fleet.changed(cluster_state_directory=str(theirs)):
        for copy in ("true", "false"):
            result = fleet.run("remove", "--limit", "trial", *sure, "-e", f"remove_export={copy}")
            assert result.code == 2 and "which no deploy made; nothing in it is changed" in result.output, result.output
    assert all(path.read_text() == "{}" for path in kept)
    assert not Path(f"{theirs}-exports").exists() and fleet.hub("trial").healthy()


def uncompiled(environment: Path, *packages: str) -> list[Path]:
    """Modules of packages that Python has to compile whenever it imports them."""
    [folder] = environment.glob("lib/python3*/site-packages")
    modules = [module for package in packages for module in (folder / package).rglob("*.py")]
    assert len(modules) > len(packages)
    return [module for module in modules if not list(module.parent.glob(f"__pycache__/{module.stem}.*.pyc"))]


@pytest.mark.slow
def test_an_environment_that_cannot_be_built(fleet: Fleet) -> None:
    trial, campus = fleet.hub("trial"), fleet.hub("campus")
    before = campus.pids, campus.config
    broken = ["python", {**EXTRA, "packages": ["hubfleet-no-such-package==1.0"]}]
    with fleet.changed(hub_announcement="For all"), fleet.changed("campus", hub_environments=broken):
        result = fleet.run("deploy")
        # Only the hub that needs it fails, and its line says why.
        outcomes = result.outcomes()
        assert result.code == 2 and outcomes.get("trial") == "deployed", result.output
        assert outcomes["campus"].startswith("FAILED building extra: the step 'install packages' failed"), outcomes
        assert "hubfleet-no-such-package was not found" in outcomes["campus"]
        assert "some hubs differ from the inventory: 1 FAILED" in result.output
        assert "For all" in trial.login_page() and (campus.pids, campus.config) == before and campus.healthy()
        assert not list((fleet.state / "environments").glob("extra-*"))
    with fleet.changed("trial", hub_environments=["python", {**EXTRA, "packages": ["cowsay==6.1"]}]):
        fleet.succeed("deploy")
        assert not uncompiled(fleet.state / "environments/extra", "jupyter_server", "jupyterlab", "cowsay")
        result = fleet.succeed("check", "--limit", "trial", "-e", "check_every=true")
        assert "python/small" in result.output and "extra/small" in result.output
