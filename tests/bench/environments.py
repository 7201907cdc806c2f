# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment of a git repository costs, against uv alone with the same packages."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from measure import CHECKOUT, Table, Taken, timed

sys.path[:0] = [str(CHECKOUT / ".ansible/collections"), str(CHECKOUT / "tests/support")]

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import Repository  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (  # noqa: E402
    user_environment,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import (  # noqa: E402
    BUILD_ACCOUNT,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment  # noqa: E402
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets  # noqa: E402
from prebuilt import JUPYTERHUB, cluster_setup, find_uv  # noqa: E402

#: What a course in data science asks for.
PACKAGES = "numpy==2.3.5\npandas==2.3.3\nmatplotlib==3.10.7\nscikit-learn==1.7.2\n"
UNCHANGED = 20
#: Builds in a process of its own, so that its CPU seconds can be told.
_BUILD = """\
import json, sys
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import (
    Builder, from_dict,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
given = json.load(open(sys.argv[1]))
for _time in range(given["times"]):
    Builder(from_dict(given["build"]), Layout(given["root"]), Tools(**given["tools"])).run()
"""


def environments(table: Table, scratch: str) -> None:
    """Build an environment of a repository, the same packages with uv alone, and look at unchanged ones."""
    if os.geteuid() == 0:
        subprocess.run(["useradd", "--system", "--no-create-home", BUILD_ACCOUNT], capture_output=True, check=False)
    # Both begin with empty caches, but for the packages of every environment.
    alone = _uv_alone(Path(scratch))
    table.add("venv, JupyterLab and a course's packages, uv alone", alone, None, None)
    given = _given(Path(scratch))
    table.add("environment of a repository with the same packages", _build(scratch, given, 1), None, alone)
    looked = _build(scratch, given, UNCHANGED)
    started = timed([sys.executable, "-c", _BUILD.partition("given =")[0]], _environment())
    taken = Taken(looked.wall - started.wall, looked.cpu - started.cpu)
    table.add(f"{UNCHANGED} unchanged environments", taken, 2, None)


def _given(scratch: Path) -> dict[str, object]:
    """Commit a repository; return what its build takes."""
    repository, git = scratch / "course", ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    repository.mkdir()
    (repository / "requirements.txt").write_text(PACKAGES)
    subprocess.run([*git, "-C", repository, "init", "--quiet"], check=True)
    subprocess.run([*git, "-C", repository, "add", "--all"], check=True)
    subprocess.run([*git, "-C", repository, "commit", "--quiet", "--message=Course"], check=True)
    found = Repository(str(repository), "/", str(scratch / "repositories"))
    pin = found.pin("", "", found.commit_of(""))
    found.write_archive(pin, str(scratch / "course.tar"))
    environment = Environment(name="course", title="Course", repository=pin.key, pin=pin)
    account = BUILD_ACCOUNT if os.geteuid() == 0 else None
    tools = {"uv": find_uv(), "archive": str(scratch / "course.tar"), "account": account}
    build = user_environment(environment, JUPYTERHUB, cluster_setup(), assets())
    return {"build": asdict(build), "root": str(scratch / "state"), "tools": tools}


def _build(scratch: str, given: dict[str, object], times: int) -> Taken:
    path = Path(scratch, "build.json")
    path.write_text(json.dumps({**given, "times": times}))
    return timed([sys.executable, "-c", _BUILD, str(path)], _environment())


def _uv_alone(scratch: Path) -> Taken:
    lock, packages, target = scratch / "lock.txt", scratch / "packages.txt", scratch / "alone"
    lock.write_text(assets().locks[f"user-{JUPYTERHUB}.txt"])
    packages.write_text(PACKAGES)
    uv, python = find_uv(), cluster_setup().python

    def install(place: Path, *wanted: str) -> list[str]:
        options = ["--quiet", "--compile-bytecode", "--link-mode=copy", "--python", f"{place}/bin/python"]
        return [uv, "pip", "install", *options, *wanted]

    base = ("--require-hashes", "--requirements", str(lock))
    warm = scratch / "warm"  # fills the cache
    timed([uv, "venv", "--quiet", "--python", python, str(warm)])
    timed(install(warm, *base))
    return (
        timed([uv, "venv", "--quiet", "--python", python, str(target)])
        + timed(install(target, *base))
        + timed(install(target, "--requirements", str(packages)), {"UV_CACHE_DIR": str(scratch / "uv")})
    )


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(CHECKOUT / ".ansible/collections")}
