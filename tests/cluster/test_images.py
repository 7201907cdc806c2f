# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments become images without a container engine; nodes pull them, and users' servers start in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import conda_channel
import pytest
import yaml
from environment_repository import Repository
from fleet_inventory import FleetInventory
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet
from registry import Registry

#: What the repository of a community has beside what init_environment writes.
FILES = {
    "requirements.txt": "numpy==2.2.6\nsix==1.17.0\n",
    "start": '#!/bin/sh\nexport STARTED=yes\nexec "$@"\n',
    # whatever it tries, it changes nothing but the environment
    "postBuild": """\
#!/bin/sh
mount -o remount,rw,bind /usr && touch /usr/poisoned
mount -o remount,rw,bind /etc/hosts && echo poisoned >> /etc/hosts
id -u > "$NB_PYTHON_PREFIX/account"
touch "$NB_PYTHON_PREFIX/made"
""",
    "uv.toml": 'cache-dir = "/run/hubfleet/inputs"\n',
    "pyproject.toml": """\
[project]
name = "shoreline"
version = "1"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "shoreline.py": "",
    "tests/test_six.py": "import six\n\n\ndef test_six():\n    assert six.PY3\n",
}
#: What a user's server tells: where the environment is, and what the repository did.
_PREFIX = "os.environ['NB_PYTHON_PREFIX']"
_ABOUT = f"[{_PREFIX}, os.environ.get('STARTED'), os.path.exists({_PREFIX} + '/made')]"


#: Installs a package that the user has written.
_INSTALL = """
import subprocess, zipfile
about = {
    "own.py": "VALUE = 7",
    "own-7.dist-info/METADATA": "Metadata-Version: 2.1\\nName: own\\nVersion: 7\\n",
    "own-7.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "own-7.dist-info/RECORD": "",
}
with zipfile.ZipFile("own-7-py3-none-any.whl", "w") as wheel:
    for name, text in about.items():
        wheel.writestr(name, text)
command = ["pip", "install", "--no-index", "./own-7-py3-none-any.whl"]
done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout)
"""


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The repository of an environment, as init_environment writes it, and changed."""
    made = Repository(tmp_path_factory.mktemp("community") / "maps")
    written = FleetInventory(made.directory.parent).playbook(
        "init_environment", "-e", f"environment_directory={made.directory}"
    )
    assert written.returncode == 0, written.stdout + written.stderr
    made.commit(FILES)
    return made


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of channels of conda."""
    directory = tmp_path_factory.mktemp("channels")
    conda_channel.add_shore(directory)
    server = conda_channel.Server(directory)
    yield server.address
    server.end()


@pytest.fixture(scope="module")
def fleet(
    make_fleet: Callable[..., KubernetesFleet],
    kubernetes: Kubernetes,
    registry: Registry,
    base_image: str,
    community: Repository,
    channels: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> KubernetesFleet:
    """A hub with two environments that are built."""
    made = make_fleet(cloud=kubernetes)
    made.clusters["cloud"] |= {
        "cluster_image_registry": f"http://{registry.address}/hubs",
        "cluster_base_image": base_image,
        "cluster_conda_channel_alias": channels,
    }
    catalogue = {
        "science": {"title": "Science", "packages": ["tabulate==0.9.0"]},
        "maps": {"title": "Maps", "repository": str(community.directory), "check_code": "import six; print(six.PY3)"},
    }
    catalogue["maps"]["check_output"] = "True"
    # the check of a deploy proves that it answers
    viewer = ["python", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
    catalogue["maps"]["interface"] = {"command": viewer, "path": "viewer"}
    made.add_hub("research", hub_environment_catalogue=catalogue, hub_environments=["science", "maps"])
    made.environment["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    return made


def lock_of(fleet: KubernetesFleet) -> Path:
    """Return the lock file of a fleet."""
    return fleet.directory / "environments.lock.yml"


def digests(fleet: KubernetesFleet, place: str = "hubs") -> dict[str, str]:
    """Return the images of the lock file that are at a place in the registry, by the names of their environments."""
    found = yaml.safe_load(lock_of(fleet).read_text(encoding="utf-8"))["images"]
    parts = [(*entry["image"].split("/"), entry["digest"]) for entry in found]
    return {name: digest for _host, folder, name, digest in parts if folder == place}


def test_nothing_is_deployed_before_images_are_built(fleet: KubernetesFleet) -> None:
    output = fleet.fails("plan")
    assert "hub_environment_catalogue.maps.repository: has no commit in environments.lock.yml yet; run the" in output, (
        output
    )
    fleet.hubs["research"]["hub_environments"] = ["science"]
    output = fleet.fails("plan")
    fleet.hubs["research"]["hub_environments"] = ["science", "maps"]
    assert "hub_environment_catalogue.science: has no image in environments.lock.yml yet; run the" in output, output
    would = fleet.run("environments", "--check")
    assert len(re.findall(r"^(maps|science) .* would be built$", would, re.MULTILINE)) == 2, would
    assert not lock_of(fleet).exists()


@pytest.mark.options("cluster_image_registry", "cluster_base_image")
def test_users_start_in_images(fleet: KubernetesFleet, kubernetes: Kubernetes) -> None:
    output = fleet.run("environments", "--diff")
    assert len(re.findall(r"^(maps|science) .* built$", output, re.MULTILINE)) == 2, output
    # the check of the deploy starts every environment of a repository, and runs its code
    fleet.run("deploy")
    fleet.assert_unchanged()
    hub, found = fleet.hub("research"), digests(fleet)
    with hub.session("ada", profile="science") as session:
        assert session.container["image"].endswith(f"/science@{found['science']}")
        prefix, started, made = session.value(_ABOUT)
        assert prefix.startswith("/opt/hubfleet/environments/science-")
        assert (started, made) == (None, False)
        assert session.value("__import__('tabulate').__version__") == "0.9.0"
        report = fleet.run("environments", "-e", "environments_report=true")
        use = rf"^ *science +science@{found['science'][:19]} +[-0-9]+ +- +research +ada +-$"
        assert re.search(use, report, re.MULTILINE), report
    with hub.session("ben", profile="maps") as session:
        prefix, started, made = session.value(_ABOUT)
        assert prefix.startswith("/opt/hubfleet/environments/maps-")
        assert (started, made) == ("yes", True)
        assert session.value("os.environ['JUPYTERHUB_DEFAULT_URL']") == "/viewer/"
        account = int(session.value(f"pathlib.Path({_PREFIX}, 'account').read_text()"))
        assert account != 0 and (os.geteuid() == 0 or account == os.geteuid())
    roots = list(Path(fleet.environment["XDG_CACHE_HOME"]).glob("hubfleet/images/bases/*/root"))
    assert len(roots) == 1 and not (roots[0] / "usr/poisoned").exists()
    assert "poisoned" not in Path("/etc/hosts").read_text(encoding="utf-8")


def test_users_add_packages_in_their_homes(fleet: KubernetesFleet) -> None:
    hub = fleet.hub("research")
    with hub.session("ada", profile="science") as session:
        said = session.run(_INSTALL)
        assert "Successfully installed own-7" in said, said
    with hub.session("ada", profile="science") as session:
        assert session.run("import own; print(own.VALUE)") == "7\n"


def test_what_deploys_nothing_goes_on_without_images(fleet: KubernetesFleet) -> None:
    science = fleet.hubs["research"]["hub_environment_catalogue"]["science"]
    before = list(science["packages"])
    science["packages"] = ["tabulate==0.8.10"]
    try:
        assert "has no image in environments.lock.yml yet" in fleet.fails("plan")
        assert "has no image in environments.lock.yml yet" in fleet.fails("deploy")
        for verb in ("status", "check", "stop --check"):
            fleet.run(*verb.split())
    finally:
        science["packages"] = before


def test_what_is_pinned_needs_no_registry(fleet: KubernetesFleet, registry: Registry) -> None:
    before = lock_of(fleet).read_text(encoding="utf-8")
    registry.stop()
    try:
        output = fleet.run("environments")
    finally:
        registry.start()
    assert "nothing to change" in output
    assert lock_of(fleet).read_text(encoding="utf-8") == before


def test_images_of_a_registry_are_not_built_again(fleet: KubernetesFleet) -> None:
    before = digests(fleet)
    lock_of(fleet).unlink()
    output = fleet.run("environments")
    assert len(re.findall(r"^(maps|science) .* in the registry$", output, re.MULTILINE)) == 2, output
    assert digests(fleet) == before


def test_the_same_files_make_the_same_image(
    fleet: KubernetesFleet, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before, cache = digests(fleet), fleet.environment["XDG_CACHE_HOME"]
    fleet.clusters["cloud"]["cluster_image_registry"] = f"http://{registry.address}/elsewhere"
    fleet.environment["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    try:
        output = fleet.run("environments", "--limit", "research")
        assert len(re.findall(r"^(maps|science) .* built$", output, re.MULTILINE)) == 2, output
        assert digests(fleet, "elsewhere") == before
    finally:
        fleet.clusters["cloud"]["cluster_image_registry"] = f"http://{registry.address}/hubs"
        fleet.environment["XDG_CACHE_HOME"] = cache
    # the others stay in the file, since another inventory may need them
    output = fleet.run("environments")
    assert output.count(f"no hub here needs {registry.address}/elsewhere/") == 2, output


def test_a_broken_repository_changes_nothing(fleet: KubernetesFleet, community: Repository) -> None:
    before = lock_of(fleet).read_text(encoding="utf-8")
    community.commit({"tests/test_six.py": "def test_six():\n    assert 1 == 2\n"})
    output = fleet.fails("environments", "-e", "environments_update=true")
    assert "building maps: the step 'tests' failed" in output, output
    assert "assert 1 == 2" in output, output
    assert lock_of(fleet).read_text(encoding="utf-8") == before
    fleet.assert_unchanged()


@pytest.mark.slow
@pytest.mark.options("cluster_conda_channel_alias")
def test_packages_of_conda(fleet: KubernetesFleet, tmp_path: Path) -> None:
    shore = Repository(tmp_path / "shore")
    shore.commit({"environment.yml": "channels: [shore]\ndependencies: [coast, {pip: [six==1.17.0]}]\n"})
    fleet.hubs["research"]["hub_environments"] = [
        "science",
        {"name": "shore", "repository": str(shore.directory), "check_code": "import coast; print(coast.height)"},
    ]
    fleet.hubs["research"]["hub_environments"][1]["check_output"] = "3"
    fleet.run("environments")
    fleet.run("deploy")
    with fleet.hub("research").session("ada", profile="shore") as session:
        assert session.value("__import__('six').__version__") == "1.17.0"
        prefix = session.value(_PREFIX)
        assert session.value("os.environ['COAST']") == f"of {prefix}/conda"
