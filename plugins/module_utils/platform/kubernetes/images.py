# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of environments that are built: which one a hub needs, and whether the lock file has it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...common.errors import HubfleetError
from ...common.nested import value_at
from ...environments.build.user_environment import user_build
from ...environments.images.address import ImageAddress
from ...environments.images.builder import WantedImage
from ...environments.images.container_build import repo2docker_build
from ...environments.lock import Lock
from ...environments.pins import LOCK_FILE, PYTHON, REPO2DOCKER
from ...schema.model import Environment, FleetInput, Hub, ValuePath
from ...schema.problems import Problems
from .chart.charts import Charts, release
from .chart.content import ChartError

#: The requirements of what says how container engines build.
_REPO2DOCKER = "repo2docker.txt"


@dataclass(frozen=True)
class EnvironmentFiles:
    """What of the collection goes into environments. locks: file name -> requirements with hashes.

    modules: path -> text of the package hubfleet_environment. repo2docker: that of the program that uses repo2docker.
    """

    locks: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    repo2docker: dict[str, str] = field(default_factory=dict)


class BaseError(HubfleetError):
    """There is no image to build on; the subject is cluster_base_image."""


class Images:
    """The images of a cluster's hubs."""

    def __init__(self, charts: Charts, files: EnvironmentFiles):
        self._charts = charts
        self._files = files
        self._made: dict[tuple[object, ...], WantedImage] = {}

    def base(self, hub: Hub) -> ImageAddress:
        """Return the image that environments of a hub are built on. Raises ChartError, BaseError."""
        given = hub.cluster["cluster_base_image"]
        if not given:
            image = value_at(self._charts.of(hub).defaults, ("singleuser", "image"), {})
            if not image.get("name") or not image.get("tag"):
                raise BaseError("is not set, and the chart has no image for sessions")
            given = f"{image['name']}:{image['tag']}"
        base, registry = ImageAddress.parse(given), ImageAddress.parse(hub.cluster["cluster_image_registry"])
        # An address of an image has no place for a scheme.
        return replace(base, plain=registry.plain and base.host == registry.host)

    def wanted(self, hub: Hub, environment: Environment, lock: Lock) -> WantedImage:
        """Return the image of an environment of a hub. Raises ChartError, BaseError.

        lock: has the commits of repositories; where it has no digest of the base image, the result has none.
        """
        lock, registry = lock.of(hub.is_staging), hub.cluster["cluster_image_registry"]
        pin = lock.repositories.get(environment.repository) if environment.repository else None
        tree, kind = (pin.tree, pin.kind) if pin else ("", PYTHON)
        address = ImageAddress.parse(f"{registry}/{environment.name}")
        if kind == REPO2DOCKER:
            locked, modules = self._files.locks[_REPO2DOCKER], self._files.repo2docker
            return WantedImage(address, repo2docker_build(environment.name, locked, modules, tree))
        base = self.base(hub)
        digest = lock.images.bases.get(base.full, "")
        requirements = environment.requirements or "".join(f"{package}\n" for package in environment.packages)
        locked, program = self._locked(hub), environment.program
        key = (registry, environment.name, requirements, locked, tree, kind, base, digest, program)
        if key not in self._made:
            build = user_build(
                environment.name,
                requirements,
                self._files.locks[locked],
                self._files.modules,
                tree=tree,
                kind=kind,
                base=digest,
                program=program,
            )
            self._made[key] = WantedImage(address, build, base, digest)
        return self._made[key]

    def complete(self, hub: Hub, inventory: FleetInput, problems: Problems) -> None:
        """Fill in the images of a hub; where the lock file does not matter, each has its tag instead of its digest."""
        host, lock = inventory.hosts[hub.name], inventory.lock
        images: dict[ValuePath, str] = {}
        for environment in built_environments(hub):
            try:
                wanted = self.wanted(hub, environment, lock or Lock())
            except ChartError:
                return  # told when the hub is validated
            except BaseError as error:
                place = ("cluster_base_image",)
                problems.add(place, str(error), host.locate(place), hub.name)
                return
            pin = lock.images.images.get((wanted.address.name, wanted.key)) if lock else None
            if lock and not inventory.needs_images and not pin:
                pin = next((each for each in lock.images.images.values() if each.image == wanted.address.name), None)
            images[environment.path] = pin.reference if pin else f"{wanted.address.name}:{wanted.key}"
            if lock and not pin and inventory.needs_images:
                message = f"has no image in {LOCK_FILE} yet; run the playbook environments, and commit the file"
                problems.add(environment.path, message, host.locate(environment.path), hub.name)
        hub.environments[:] = [_with_image(each, images) for each in hub.environments]
        hub.profiles[:] = [
            replace(profile, environments=tuple(_with_image(each, images) for each in profile.environments))
            for profile in hub.profiles
        ]

    def _locked(self, hub: Hub) -> str:
        """Return the file that pins JupyterHub in environments: the newest of the chart's major version."""
        major = (release(self._charts.of(hub).jupyterhub) or (0,))[0]
        names = [name for name in self._files.locks if name.startswith("user-")]
        same = [name for name in names if name.startswith(f"user-{major}.")]
        # Other versions of JupyterHub are refused when the hub is validated.
        return max(same or names, key=lambda name: release(name.removeprefix("user-")) or ())


def built_environments(hub: Hub) -> list[Environment]:
    """Return the environments of a hub whose images are built."""
    return [each for each in hub.offered_environments if each.builds_image]


def _with_image(environment: Environment, images: dict[ValuePath, str]) -> Environment:
    return replace(environment, image=images[environment.path]) if environment.builds_image else environment
