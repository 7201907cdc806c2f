# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of git repositories: pinned, built in a sandbox, tested, and rebuilt beside sessions."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from environment_repository import Repository
from verbs_fleet import Fleet, kill_all, wait_for
from verbs_hub import Kernel
from verbs_machine import processes_of

ROOT = os.geteuid() == 0
LOCK = "environments.lock.yml"
POST_BUILD = """\
#!/bin/bash
# Writes down what it could do to the machine.
notes="$NB_PYTHON_PREFIX/notes"
{
  echo "uid $(id -u)"
  echo "processes $(ulimit -u)"
  ls /root /home /var/lib 2>&1
  touch /usr/of-the-build /etc/of-the-build "$NB_PYTHON_PREFIX/../of-the-build" 2>&1
  cat /etc/shadow 2>&1
  ls -d /proc/[0-9]* | wc -l
  env
} > "$notes"
cp /bin/true "$NB_PYTHON_PREFIX/bin/as-owner" && chmod 6755 "$NB_PYTHON_PREFIX/bin/as-owner"
mkfifo "$NB_PYTHON_PREFIX/pipe"
ln -s /etc/shadow "$NB_PYTHON_PREFIX/shadow"
ln -s /dev/zero "$NB_PYTHON_PREFIX/lock.txt" && mkdir "$NB_PYTHON_PREFIX/.complete" "$NB_PYTHON_PREFIX/start"
echo "home = $(dirname "$NB_PYTHON_PREFIX")" >> "$NB_PYTHON_PREFIX/pyvenv.cfg"
mkdir -m 000 "$NB_PYTHON_PREFIX/closed"
(cd "$NB_PYTHON_PREFIX" && for level in $(seq 70); do mkdir deep && cd deep; done && cp /bin/true . && chmod 6755 true)
for number in $(seq 50); do sleep 1000 & done
"""
#: A build that ends only when it is killed, and what is left then would pass for a complete one.
ENDLESS = """\
#!/bin/sh
touch "$NB_PYTHON_PREFIX/.complete" && chmod 0777 "$NB_PYTHON_PREFIX" && touch /tmp/waits
exec sleep 1000
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
        {
            "binder/requirements.txt": "cowsay==6.1\n",
            "binder/postBuild": POST_BUILD,
            "binder/start": '#!/bin/bash -l\nexport SHORE="$(basename "$REPO_DIR")"\nexec "$@"\n',
            "requirements.txt": "this-is-not-read\n",
            "tests/test_moo.py": "import cowsay\n\n\ndef test_moo():\n    assert cowsay.char_names\n",
        }
    )
    return made


def test_an_environment_of_a_repository_through_its_life(fleet: Fleet, repository: Repository) -> None:
    """Each part goes on from what the parts before it left."""
    a_commit_has_to_be_pinned(fleet)
    the_playbook_pins_it(fleet, repository)
    a_deploy_builds_it(fleet)
    its_code_could_do_nothing_else(fleet)
    kernel = a_session_starts_in_it(fleet)
    a_report_tells_who_uses_it(fleet)
    a_push_changes_nothing(fleet, repository)
    a_build_that_fails_its_tests_changes_nothing(fleet, repository, kernel)
    a_build_that_is_killed_is_made_again(fleet, repository, kernel)
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
    assert f"{lock}: nothing to change" in again.output and not again.changed()


def environment(fleet: Fleet) -> Path:
    """The directory of the environment that users get."""
    return (fleet.state / "environments/maps").resolve()


def a_deploy_builds_it(fleet: Fleet) -> None:
    result = fleet.succeed("deploy")
    assert result.outcomes() == {"lab": "deployed"} and "maps/small" in result.output
    assert "nothing to change" in fleet.succeed("deploy").output
    assert "cowsay==6.1" in (environment(fleet) / "lock.txt").read_text()
    assert not list((fleet.state / "environments").glob(".work-*"))


def its_code_could_do_nothing_else(fleet: Fleet) -> None:
    built = environment(fleet)
    notes = (built / "notes").read_text()
    if ROOT:
        assert "uid 0" not in notes and "processes 4096" in notes
    assert "root:" not in notes and "ANSIBLE" not in notes and str(fleet.state / "hubs") not in notes
    for place in ("/usr", "/etc", built.parent):
        assert not Path(place, "of-the-build").exists()
    assert not (built / "pipe").exists()
    assert not (built / "lock.txt").is_symlink() and (built / "lock.txt").stat().st_mode & 0o777 == 0o600
    assert str(built.parent) not in (built / "pyvenv.cfg").read_text().replace(str(built), "")
    unsafe = ["-not", "-user", str(os.geteuid()), "-or", "-not", "-type", "l", "-perm", "/6022"]
    assert not subprocess.run(["find", built, *unsafe], capture_output=True, text=True, check=True).stdout


def a_session_starts_in_it(fleet: Fleet) -> Kernel:
    hub = fleet.hub("lab")
    hub.start_server("ada", {"profile": "maps"})
    kernel = hub.kernel("ada").mark()
    assert kernel.run("import os; print(os.environ['SHORE'])") == "repository\n"
    assert kernel.run("import cowsay; print(cowsay.__file__)").startswith(f"{environment(fleet)}/lib/")
    return kernel


def a_report_tells_who_uses_it(fleet: Fleet) -> None:
    result = fleet.succeed("environments", "-e", "environments_report=true")
    (line,) = (line for line in result.output.splitlines() if environment(fleet).name in line)
    name, build, built, size, unit, hubs, users, used, _by, user = line.split()
    assert (name, build, hubs, users, user) == ("maps", environment(fleet).name, "lab", "ada", "ada")
    assert built <= used and int(size) > 100 and unit == "MB"
    assert "python" in result.output and not result.changed()


def a_push_changes_nothing(fleet: Fleet, repository: Repository) -> None:
    repository.commit({"tests/test_moo.py": "def test_moo():\n    assert 'moo' == 'woof'\n"})
    assert f"{LOCK}: nothing to change" in fleet.succeed("environments").output
    assert "nothing to change" in fleet.succeed("deploy").output


def a_build_that_fails_its_tests_changes_nothing(fleet: Fleet, repository: Repository, kernel: Kernel) -> None:
    before = environment(fleet)
    fleet.succeed("environments", "-e", "environments_update=true")
    result = fleet.run("deploy")
    assert result.code == 2 and "building maps: the step 'tests' failed" in result.output, result.output
    assert "assert 'moo' == 'woof'" in result.output
    assert environment(fleet) == before and kernel.survives()


def a_build_that_is_killed_is_made_again(fleet: Fleet, repository: Repository, kernel: Kernel) -> None:
    before, environments = environment(fleet), fleet.state / "environments"
    repository.commit({"binder/postBuild": ENDLESS, "tests/test_moo.py": "def test_moo():\n    pass\n"})
    fleet.succeed("environments", "-e", "environments_update=true")
    started = fleet.start("deploy")
    wait_for("the build to wait", lambda: list(environments.glob(".work-maps/tmp/waits")))
    assert environments.joinpath(".work-maps").stat().st_mode & 0o777 == 0o700
    kill_all(started)
    wait_for("its processes to end", lambda: "sleep 1000" not in processes_of(fleet.directory).values())
    assert environment(fleet) == before and len(list(environments.glob("maps-*"))) == 1 and kernel.survives()
    commit = repository.git("rev-parse", "HEAD")[:12]
    assert f"maps of commit {commit} to build" in fleet.succeed("plan").output


def a_new_build_leaves_sessions_alone(fleet: Fleet, repository: Repository, kernel: Kernel) -> None:
    before = environment(fleet)
    repository.commit({"binder/requirements.txt": "cowsay==6.0\n", "binder/postBuild": "#!/bin/sh\n"})
    assert "was " in fleet.succeed("environments", "-e", "environments_update=true").output
    assert fleet.succeed("deploy").outcomes() == {"lab": "deployed"}
    assert environment(fleet) != before and "cowsay==6.0" in (environment(fleet) / "lock.txt").read_text()
    assert kernel.survives() and before.exists()


@pytest.mark.slow
def test_a_repository_cannot_have_everything(fleet: Fleet, repository: Repository) -> None:
    before = environment(fleet)
    install = "#!/bin/sh\npython -m pip install --quiet --no-deps jupyterhub==5.2.1\n"
    repository.commit({"binder/postBuild": install})
    fleet.succeed("environments", "-e", "environments_update=true")
    result = fleet.run("deploy")
    assert result.code == 2 and "its repository installs jupyterhub 5.2.1, and the hub needs 5.5" in result.output
    repository.commit(
        {"binder/postBuild": "#!/bin/sh\nmkdir ~/course\n", "binder/start": '#!/bin/sh\ncd ~/course && "$@"\n'}
    )
    fleet.succeed("environments", "-e", "environments_update=true")
    result = fleet.run("deploy")
    assert result.code == 2 and "the step 'start' failed" in result.output and "/tmp/course" in result.output
    deep = "import os, sys\nos.chdir(sys.prefix)\n"
    deep += "for level in range(1500):\n    os.mkdir('deep')\n    os.chdir('deep')\n"
    start = '#!/bin/sh\nexec "$@"\n'
    repository.commit({"binder/postBuild": f"#!/usr/bin/env python\n{deep}", "binder/start": start})
    fleet.succeed("environments", "-e", "environments_update=true")
    result = fleet.run("deploy")
    assert result.code == 2 and "building maps: its directories are more than 100 levels deep" in result.output
    assert environment(fleet) == before and not list((fleet.state / "environments").glob(".work-*"))


def test_what_a_machine_cannot_build_is_told_before(fleet: Fleet, repository: Repository) -> None:
    lock = fleet.directory / LOCK
    fleet.succeed("environments")
    before = lock.read_text()
    repository.commit({"binder/Dockerfile": "FROM scratch\n"})
    result = fleet.run("environments", "-e", "environments_update=true")
    assert result.code == 2 and "has binder/Dockerfile: a machine cannot build that; offer it" in result.output
    assert "maps.repository: " in result.output and "nothing was changed" in result.output
    assert lock.read_text() == before
