# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the images of environments on the controller, and find those that their registries have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError, reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import CHANNEL_ALIAS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.address import ImageAddress
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.builder import (
    ImageBuilder,
    WantedImage,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import (
    ImageKey,
    ImagePin,
    ImagePins,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.rattler import rattler
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.registry import Registry
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import CONDA, Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import Repository
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import (
    address_of,
    built_environments,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets, image_cache, repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import find_uv

#: The account of the Linux Standard Base that owns no files.
_NOBODY = "nobody"
#: What became of an image.
UNCHANGED, FOUND, BUILT, MISSING = "unchanged", "in the registry", "built", "would be built"


@dataclass
class ImageUse:
    """An image, and the environments of hubs that need it. outcome: what became of it. problem: why it failed."""

    wanted: WantedImage
    uses: list[tuple[Hub, Environment]] = field(default_factory=list)
    pin: ImagePin | None = None
    outcome: str = ""
    problem: str = ""

    @property
    def key(self) -> ImageKey:
        """What a lock file knows it by."""
        return self.wanted.address.name, self.wanted.key


class ImageBuilds:
    """The images of a fleet's environments.

    directory: what paths of repositories start from. report: shows a line of progress.
    """

    def __init__(self, platforms: Platforms, directory: str, report: Callable[[str], None]):
        self.platforms = platforms
        self.directory = directory
        self.report = report

    def bases(self, hubs: list[Hub], known: dict[str, str], newest: bool) -> dict[str, str]:
        """Return the digests of base images, by their addresses; asks for those that are not known.

        newest: ask for the others that hubs need as well. Raises HubfleetError.
        """
        found = dict(known)
        for base in dict.fromkeys(self._bases_of(hubs)):
            name = address_of(base)
            if base.reference.startswith("sha256:"):
                found[name] = base.reference
            elif newest or name not in known:
                digest = Registry(base).digest(base.reference or "latest")
                if not digest:
                    raise HubfleetError(f"cluster_base_image: there is no image {name}")
                found[name] = digest
        return found

    def needed(self, hubs: list[Hub], lock: Lock) -> list[ImageUse]:
        """Return the images that hubs need. lock: has the commits of repositories, and the digests of base images."""
        found: dict[ImageKey, ImageUse] = {}
        for hub in hubs:
            images = self.platforms.images(hub)
            if images is None:
                continue
            for environment in built_environments(hub):
                use = ImageUse(images.wanted(hub, environment, lock))
                found.setdefault(use.key, use).uses.append((hub, environment))
        return [found[key] for key in sorted(found)]

    def outdated(self, hubs: list[Hub], before: Lock, after: Lock) -> list[ImageUse]:
        """Return images of other hubs that change with what was pinned for some, such as a base image, if they had one.

        Raises HubfleetError.
        """
        known = {use.key for use in self.needed(hubs, before)} & before.images.images.keys()
        names = {name for name, _key in known}
        return [use for use in self.needed(hubs, after) if use.key not in known and use.key[0] in names]

    def settle(self, needed: list[ImageUse], lock: Lock, build: bool) -> ImagePins:
        """Find the images in the lock file or in their registries, and build the others, unless ``build`` is false.

        Returns all images of the lock file with these; those that could not be built have a problem.
        """
        builder: ImageBuilder | None = None
        for use in needed:
            use.pin, use.outcome = lock.images.images.get(use.key), UNCHANGED
            if use.pin:
                continue
            try:
                builder = builder or ImageBuilder(image_cache(), self._tools(), self.report)
                use.pin, use.outcome = builder.find(use.wanted), FOUND
                if not use.pin:
                    use.outcome = BUILT if build else MISSING
                    use.pin = self._build(builder, use, lock) if build else None
            except HubfleetError as error:
                use.problem = str(error)
            except OSError as error:
                use.problem = f"building {use.wanted.build.name}: {reason(error)}"
        images = {**lock.images.images, **{use.key: use.pin for use in needed if use.pin}}
        return ImagePins(lock.images.bases, images)

    def _build(self, builder: ImageBuilder, use: ImageUse, lock: Lock) -> ImagePin:
        hub, environment = use.uses[0]
        pin = lock.repositories.get(environment.repository) if environment.repository else None
        tools = replace(builder.tools, index=hub.cluster["cluster_package_index"])
        if not pin:
            return builder.build(use.wanted, tools)
        with tempfile.TemporaryDirectory(prefix="hubfleet-repository-") as directory:
            repository = Repository(pin.repository, self.directory, repository_cache())
            archive = os.path.join(directory, "repository.tar")
            repository.write_archive(pin, archive)
            return builder.build(use.wanted, self._with_conda(replace(tools, archive=archive), repository, pin, hub))

    def _with_conda(self, tools: Tools, repository: Repository, pin: Pin, hub: Hub) -> Tools:
        if pin.kind != CONDA:
            return tools
        return replace(
            tools,
            conda=repository.conda_environment(pin),
            rattler=rattler(image_cache(), tools.uv, assets().locks["rattler.txt"], assets().conda),
            channel_alias=hub.cluster["cluster_conda_channel_alias"] or CHANNEL_ALIAS,
        )

    def _bases_of(self, hubs: list[Hub]) -> list[ImageAddress]:
        found = []
        for hub in hubs:
            images = self.platforms.images(hub)
            if images and any(True for _environment in built_environments(hub)):
                found.append(images.base(hub))
        return found

    def _tools(self) -> Tools:
        """Return the programs of builds. Root's builds run as an account that owns nothing."""
        account = _NOBODY if os.geteuid() == 0 else None
        return Tools(uv=find_uv(), cache=os.path.join(image_cache(), "uv"), account=account)
