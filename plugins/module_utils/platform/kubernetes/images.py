# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of environments that are built: which one a hub needs, and whether the lock file has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...environments.build.user_environment import user_build
from ...environments.images.address import ImageAddress
from ...environments.images.builder import WantedImage
from ...environments.lock import Lock
from ...environments.pins import LOCK_FILE, PYTHON
from ...schema.model import Environment, FleetInput, Hub
from ...schema.problems import Problems
from .chart.charts import Charts, release
from .chart.content import ChartError


@dataclass(frozen=True)
class EnvironmentFiles:
    """What of the collection goes into environments. locks: file name -> requirements with hashes.

    modules: path -> text of the package hubfleet_environment.
    """

    locks: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)


class Images:
    """The images of a cluster's hubs."""

    def __init__(self, charts: Charts, files: EnvironmentFiles):
        self._charts = charts
        self._files = files
        self._made: dict[tuple[object, ...], WantedImage] = {}

    def base(self, hub: Hub) -> ImageAddress:
        """Return the image that environments of a hub are built on. Raises ChartError."""
        given = hub.cluster["cluster_base_image"]
        if not given:
            image = self._charts.of(hub).defaults["singleuser"]["image"]
            given = f"{image['name']}:{image['tag']}"
        base, registry = ImageAddress.parse(given), ImageAddress.parse(hub.cluster["cluster_image_registry"])
        # An address of an image has no place for a scheme.
        return replace(base, plain=registry.plain and base.host == registry.host)

    def wanted(self, hub: Hub, environment: Environment, lock: Lock) -> WantedImage:
        """Return the image of an environment of a hub. Raises ChartError.

        lock: has the commits of repositories; where it has no digest of the base image, the result has none.
        """
        base = self.base(hub)
        digest = lock.images.bases.get(address_of(base), "")
        requirements = environment.requirements or "".join(f"{package}\n" for package in environment.packages)
        pin = lock.repositories.get(environment.repository) if environment.repository else None
        tree, kind = (pin.tree, pin.kind) if pin else ("", PYTHON)
        registry, locked = hub.cluster["cluster_image_registry"], self._locked(hub)
        key = (registry, environment.name, requirements, locked, tree, kind, base, digest)
        if key not in self._made:
            build = user_build(
                environment.name,
                requirements,
                self._files.locks[locked],
                self._files.modules,
                tree=tree,
                kind=kind,
                base=digest,
            )
            address = ImageAddress.parse(f"{registry}/{environment.name}")
            self._made[key] = WantedImage(address, build, base, digest)
        return self._made[key]

    def complete(self, hub: Hub, inventory: FleetInput, problems: Problems) -> None:
        """Fill in the images of a hub; where the lock file does not matter, each has its tag instead of its digest."""
        host, lock = inventory.hosts[hub.name], inventory.lock
        images: dict[str, str] = {}
        for environment in built_environments(hub):
            try:
                wanted = self.wanted(hub, environment, lock or Lock())
            except ChartError:
                return  # told when the hub is validated
            pin = lock.images.images.get((wanted.address.name, wanted.key)) if lock else None
            images[environment.name] = pin.reference if pin else f"{wanted.address.name}:{wanted.key}"
            if lock and not pin:
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
        names = [name for name in self._files.locks if name.startswith(f"user-{major}.")]
        return max(names, key=lambda name: release(name.removeprefix("user-")) or ())


def built_environments(hub: Hub) -> Iterator[Environment]:
    """Yield the environments of a hub that are built, each once."""
    offered = [*hub.environments, *(each for profile in hub.profiles for each in profile.environments)]
    yield from {each.name: each for each in offered if each.builds_image}.values()


def address_of(base: ImageAddress) -> str:
    """Return a base image as a lock file has it."""
    separator = "@" if base.reference.startswith("sha256:") else ":"
    return f"{base.name}{separator}{base.reference}" if base.reference else base.name


def _with_image(environment: Environment, images: dict[str, str]) -> Environment:
    return replace(environment, image=images[environment.name]) if environment.builds_image else environment
