# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a container engine builds becomes an image too, as repo2docker says; users' servers start in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from environment_repository import Repository
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet
from podman import Podman
from registry import Registry

#: A program of the image, in a place that only root can write to.
TIDES = "#!/bin/sh\necho high at $1\n"
DOCKERFILE = """\
FROM {base}
USER root
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
COPY binder/tides /usr/local/bin/tides
RUN chmod 0755 /usr/local/bin/tides && test "$(id -u)" = 0
ENV HARBOUR=north
ONBUILD RUN touch /untested
USER 1000
"""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="module")
def podman(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """The engine."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed")
    made = Podman(tmp_path_factory.mktemp("podman"), registry.address)
    yield made
    made.end()


@pytest.fixture(scope="module")
def fleet(
    make_fleet: Callable[..., KubernetesFleet],
    kubernetes: Kubernetes,
    registry: Registry,
    base_image: str,
    podman: Podman,
    tmp_path_factory: pytest.TempPathFactory,
) -> KubernetesFleet:
    """A hub with an environment that is built without an engine, and one that is not."""
    made = make_fleet(cloud=kubernetes)
    made.clusters["cloud"] |= {
        "cluster_image_registry": f"http://{registry.address}/hubs",
        "cluster_base_image": base_image,
    }
    made.add_hub("research", hub_environments=["science"])
    made.hubs["research"]["hub_environment_catalogue"] = {
        "science": {"title": "Science", "packages": ["tabulate==0.9.0"]},
        "tides": {
            "title": "Tides",
            "repository": "../tides",
            "check_code": "import subprocess; print(subprocess.check_output(['tides', 'noon'], text=True))",
            "check_output": "high at noon",
        },
    }
    made.environment["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    made.environment |= podman.environment
    return made


@pytest.fixture(scope="module")
def community(fleet: KubernetesFleet) -> Repository:
    """The repository of an environment whose Dockerfile begins with an image that has JupyterHub."""
    fleet.run("environments")
    made = Repository(fleet.directory / "tides")
    files = {
        "binder/Dockerfile": DOCKERFILE.format(base=reference(fleet, "science")),
        "binder/tides": TIDES,
        "ca.crt": CERTIFICATES.read_text(encoding="ascii"),
        "tests/test_tides.py": "import os\n\n\ndef test_it():\n    assert os.environ['HARBOUR'] == 'north'\n",
    }
    made.commit(files)
    fleet.hubs["research"]["hub_environments"] = ["science", "tides"]
    return made


def reference(fleet: KubernetesFleet, name: str) -> str:
    """Return the image of an environment that the lock file has."""
    found = yaml.safe_load((fleet.directory / "environments.lock.yml").read_text(encoding="utf-8"))
    (image,) = (entry for entry in found["images"] if entry["image"].endswith(f"/{name}"))
    return f"{image['image']}@{image['digest']}"


def update(fleet: KubernetesFleet) -> str:
    """Return what a build says that fails."""
    return fleet.fails("environments", "-e", "environments_update=true")


def test_users_start_in_what_podman_built(fleet: KubernetesFleet, community: Repository, podman: Podman) -> None:
    would = fleet.run("environments", "--check")
    assert re.search(r"^tides .* would be built with podman$", would, re.MULTILINE), would
    output = fleet.run("environments")
    assert re.search(r"^tides .* built with podman$", output, re.MULTILINE), output
    assert "tides: building " in output and "nothing to change" in fleet.run("environments")
    lock = (fleet.directory / "environments.lock.yml").read_text(encoding="utf-8")
    assert "kind: repo2docker" in lock and lock.count("jupyterhub: 5.") == 2, lock
    assert "/hubs/tides" not in podman.run("images", "--format", "{{.Repository}}")
    fleet.run("deploy")
    fleet.assert_unchanged()
    with fleet.hub("research").session("ada", profile="tides") as session:
        assert session.container["image"] == reference(fleet, "tides")
        assert session.value("os.environ['HARBOUR']") == "north"
        assert session.value("os.path.exists('/untested')") is False


def test_an_image_of_the_registry_is_not_built_again(fleet: KubernetesFleet, community: Repository) -> None:
    lock = fleet.directory / "environments.lock.yml"
    before = reference(fleet, "tides")
    lock.unlink()
    output = fleet.run("environments")
    assert re.search(r"^tides .* in the registry$", output, re.MULTILINE), output
    assert reference(fleet, "tides") == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tests/test_tides.py": "def test_it():\n    assert 1 == 2\n"}, "the step 'tests' failed"),
        ({"binder/Dockerfile": "FROM {base}\nRUN echo no such harbour && false\n"}, "no such harbour"),
        ({"binder/Dockerfile": "FROM {plain}\n"}, "the step 'jupyterhub-singleuser' failed"),
        ({"binder/Dockerfile": 'FROM {base}\nENTRYPOINT ["/bin/true"]\n'}, "jupyterhub do not answer in its image"),
        ({"binder/Dockerfile": "FROM {base}\nRUN echo $http_proxy && false\n"}, "http://***@127.0.0.1:1"),
    ],
)
def test_a_build_that_fails_changes_nothing(
    files: dict[str, str], message: str, fleet: KubernetesFleet, community: Repository, base_image: str, podman: Podman
) -> None:
    before = (fleet.directory / "environments.lock.yml").read_text(encoding="utf-8")
    science = reference(fleet, "science")
    community.commit({path: text.format(base=science, plain=base_image) for path, text in files.items()})
    fleet.environment["http_proxy"] = "http://ada:s3cret-of-ada@127.0.0.1:1"
    fleet.environment["no_proxy"] = "*"
    output = update(fleet)
    del fleet.environment["http_proxy"], fleet.environment["no_proxy"]
    assert "s3cret-of-ada" not in output
    assert "building tides: " in output and message in output, output
    assert (fleet.directory / "environments.lock.yml").read_text(encoding="utf-8") == before
    assert not podman.run("ps", "--all", "--quiet", "--external")
    assert "hubfleet-build" not in podman.run("images", "--format", "{{.Repository}}")


def test_without_an_engine_it_is_told_before(fleet: KubernetesFleet, community: Repository, tmp_path: Path) -> None:
    for program in ("podman", "docker"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'Cannot connect to the service' >&2\nexit 1\n")
        (tmp_path / program).chmod(0o755)
    path, before = fleet.environment["PATH"], community.git("rev-parse", "HEAD")
    fleet.environment["PATH"] = f"{tmp_path}:{path}"
    try:
        output = fleet.fails("environments", "-e", "environments_update=true", "--check")
    finally:
        fleet.environment["PATH"] = path
    assert "needs podman or docker on the controller; docker says: Cannot connect to the service" in output, output
    assert community.git("rev-parse", "HEAD") == before
