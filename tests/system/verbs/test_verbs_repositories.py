# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of git repositories: pinned, built in a sandbox, tested, and rebuilt beside sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from verbs_fleet import Fleet
from verbs_hub import Kernel
from verbs_repository import Repository

ROOT = os.geteuid() == 0
LOCK = "environments.lock.yml"
POST_BUILD = """\
#!/bin/bash
# Writes down what it could do to the machine.
notes="$NB_PYTHON_PREFIX/notes"
{
  echo "uid $(id -u)"
  ls /root /home /var/lib 2>&1
  touch /usr/of-the-build /etc/of-the-build "$NB_PYTHON_PREFIX/../of-the-build" 2>&1
  cat /etc/shadow 2>&1
  ls -d /proc/[0-9]* | wc -l
  env
} > "$notes"
cp /bin/true "$NB_PYTHON_PREFIX/bin/as-owner" && chmod 6755 "$NB_PYTHON_PREFIX/bin/as-owner"
mkfifo "$NB_PYTHON_PREFIX/pipe"
ln -s /etc/shadow "$NB_PYTHON_PREFIX/shadow"
rm -f "$NB_PYTHON_PREFIX/lock.txt" && ln -s /etc/hostname "$NB_PYTHON_PREFIX/lock.txt"
"""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet of its own: a hub with an environment of a repository beside the usual one."""
    made = Fleet("geo")
    try:
        catalogue = {"python": {"title": "Python"}, "maps": {"repository": "../maps"}}
        made.clusters["geo"]["hub_environment_catalogue"] = catalogue
        made.add("lab", "staging", hub_environments=["python", "maps"])
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def repository(fleet: Fleet) -> Repository:
    """The repository, in a directory beside the inventory."""
    made = Repository(fleet.directory / "maps")
    made.commit(
        binder__requirements_txt="cowsay==6.1\n",
        binder__postBuild=POST_BUILD,
        binder__start='#!/bin/bash -l\nexport SHORE="$(basename "$REPO_DIR")"\nexec "$@"\n',
        requirements_txt="this-is-not-read\n",
        tests__test_moo_py="import cowsay\n\n\ndef test_moo():\n    assert cowsay.get_output_string('cow', 'moo')\n",
    )
    return made


def test_an_environment_of_a_repository_through_its_life(fleet: Fleet, repository: Repository) -> None:
    """Each part goes on from what the parts before it left."""
    a_commit_has_to_be_pinned(fleet)
    the_playbook_pins_it(fleet, repository)
    a_deploy_builds_it(fleet)
    its_code_could_do_nothing_else(fleet)
    kernel = a_session_starts_in_it(fleet)
    a_push_changes_nothing(fleet, repository)
    a_build_that_fails_its_tests_changes_nothing(fleet, repository, kernel)
    a_new_build_leaves_sessions_alone(fleet, repository, kernel)


def a_commit_has_to_be_pinned(fleet: Fleet) -> None:
    result = fleet.run("deploy")
    assert result.code == 2 and f"maps.repository: has no commit in {LOCK} yet; run the playbook env" in result.output
    assert "group_vars/geo.yml:" in result.output and not (fleet.state / "hubs").exists()


def the_playbook_pins_it(fleet: Fleet, repository: Repository) -> None:
    head, lock = repository.git("rev-parse", "HEAD"), fleet.directory / LOCK
    shown = fleet.succeed("environments", "--check", "--diff").output
    assert f"commit: {head}" in shown and f"{lock} would be written" in shown and not lock.exists()
    assert f"{head[:12]}" in fleet.succeed("environments").output
    assert f"commit: {head}" in lock.read_text()
    again = fleet.succeed("environments")
    assert f"{LOCK}: nothing to change" in again.output and not again.changed()


def environment(fleet: Fleet) -> Path:
    """The directory of the environment that users get."""
    return (fleet.state / "environments/maps").resolve()


def a_deploy_builds_it(fleet: Fleet) -> None:
    assert fleet.succeed("deploy").outcomes() == {"lab": "deployed"}
    assert "nothing to change" in fleet.succeed("deploy").output
    assert "cowsay==6.1" in (environment(fleet) / "lock.txt").read_text()
    assert not list((fleet.state / "environments").glob(".work-*"))


def its_code_could_do_nothing_else(fleet: Fleet) -> None:
    built = environment(fleet)
    notes = (built / "notes").read_text()
    if ROOT:
        assert "uid 0" not in notes
    assert "root:" not in notes and "ANSIBLE" not in notes and str(fleet.state / "hubs") not in notes
    for place in ("/usr", "/etc", built.parent):
        assert not Path(place, "of-the-build").exists()
    assert not (built / "pipe").exists()
    assert not (built / "lock.txt").is_symlink() and (built / "lock.txt").stat().st_mode & 0o777 == 0o600
    for path in [built, *built.rglob("*")]:
        status = path.lstat()
        assert (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid()), path
        assert path.is_symlink() or not status.st_mode & 0o6022, path


def a_session_starts_in_it(fleet: Fleet) -> Kernel:
    hub = fleet.hub("lab")
    hub.start_server("ada", {"profile": "maps"})
    kernel = hub.kernel("ada").mark()
    assert kernel.run("import os; print(os.environ['SHORE'])") == "repository\n"
    assert kernel.run("import cowsay; print(cowsay.__file__)").startswith(f"{environment(fleet)}/lib/")
    return kernel


def a_push_changes_nothing(fleet: Fleet, repository: Repository) -> None:
    repository.commit(tests__test_moo_py="def test_moo():\n    assert 'moo' == 'woof'\n")
    assert f"{LOCK}: nothing to change" in fleet.succeed("environments").output
    assert "nothing to change" in fleet.succeed("deploy").output


def a_build_that_fails_its_tests_changes_nothing(fleet: Fleet, repository: Repository, kernel: Kernel) -> None:
    before = environment(fleet)
    fleet.succeed("environments", "-e", "environments_update=true")
    result = fleet.run("deploy")
    assert result.code == 2 and "building maps: the step 'tests' failed" in result.output, result.output
    assert "assert 'moo' == 'woof'" in result.output
    assert environment(fleet) == before and kernel.survives()


def a_new_build_leaves_sessions_alone(fleet: Fleet, repository: Repository, kernel: Kernel) -> None:
    before = environment(fleet)
    repository.commit(binder__requirements_txt="cowsay==6.0\n", tests__test_moo_py="def test_moo():\n    pass\n")
    assert "was " in fleet.succeed("environments", "-e", "environments_update=true").output
    assert fleet.succeed("deploy").outcomes() == {"lab": "deployed"}
    assert environment(fleet) != before and "cowsay==6.0" in (environment(fleet) / "lock.txt").read_text()
    assert kernel.survives() and before.exists()


def test_what_a_machine_cannot_build_is_told_before(fleet: Fleet, repository: Repository) -> None:
    lock = fleet.directory / LOCK
    fleet.succeed("environments")
    before = lock.read_text()
    repository.commit(binder__Dockerfile="FROM scratch\n")
    result = fleet.run("environments", "-e", "environments_update=true")
    assert result.code == 2 and "has binder/Dockerfile: a machine cannot build that; build an image" in result.output
    assert "maps.repository: " in result.output and "nothing was changed" in result.output
    assert lock.read_text() == before
