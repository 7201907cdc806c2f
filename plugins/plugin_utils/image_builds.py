# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the images of environments on the controller, and find those that their registries have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.registry import Registry
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.tool import installed_tool
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import (
    CONDA,
    REPO2DOCKER,
    Pin,
    RepositoryKey,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import Repository
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import ChartError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import (
    BaseError,
    built_environments,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.places import without_credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import (
    assets,
    environment_files,
    image_cache,
    repository_cache,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import find_uv

Pins = Mapping[RepositoryKey, Pin]

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
        return self.wanted.pin_key


class ImageBuilds:
    """The images of a fleet's environments.

    directory: what paths of repositories start from. report: shows a line of progress.
    """

    def __init__(self, platforms: Platforms, directory: str, report: Callable[[str], None]):
        self.platforms = platforms
        self.directory = directory
        self.report = report

    def base_names(self, hubs: list[Hub], pins: Pins) -> set[str]:
        """Return the addresses of base images that hubs need; pins: of repositories. Raises HubfleetError."""
        return {base.full for base in self._bases_of(hubs, pins)}

    def bases(self, hubs: list[Hub], pins: Pins, known: dict[str, str], newest: bool) -> dict[str, str]:
        """Return the digests of base images, by their addresses; asks for those that are not known.

        pins: of repositories. newest: ask for the others that hubs need as well. Raises HubfleetError.
        """
        found = dict(known)
        for base in dict.fromkeys(self._bases_of(hubs, pins)):
            if base.reference.startswith("sha256:"):
                found[base.full] = base.reference
            elif newest or base.full not in known:
                digest = Registry(base).digest(base.reference or "latest")
                if not digest:
                    raise HubfleetError(f"there is no image {base.full} to build environments on (cluster_base_image)")
                found[base.full] = digest
        return found

    def needed(self, hubs: list[Hub], lock: Lock, others: list[Hub], before: Lock) -> list[ImageUse]:
        """Return the images that hubs need. lock: has commits of repositories, and digests of base images.

        others: hubs whose images change with what was pinned for the first ones, where they had some in ``before``.
        """
        found: dict[ImageKey, ImageUse] = {}
        for hub, environment, wanted in self._wanted(hubs, lock):
            found.setdefault(wanted.pin_key, ImageUse(wanted)).uses.append((hub, environment))
        had = {(hub.name, environment.path): wanted for hub, environment, wanted in self._wanted(others, before)}
        for hub, environment, wanted in self._wanted(others, lock):
            earlier = had.get((hub.name, environment.path))
            if earlier and earlier.pin_key in before.images.images and wanted.pin_key != earlier.pin_key:
                found.setdefault(wanted.pin_key, ImageUse(wanted)).uses.append((hub, environment))
        return [found[key] for key in sorted(found)]

    def replaced(self, hubs: list[Hub], before: Lock, after: Lock) -> set[ImageKey]:
        """Return the images that hubs needed by a lock file, and do not need by another."""
        needed = [{wanted.pin_key for _hub, _each, wanted in self._wanted(hubs, lock)} for lock in (before, after)]
        return needed[0] - needed[1]

    def _wanted(self, hubs: list[Hub], lock: Lock) -> Iterator[tuple[Hub, Environment, WantedImage]]:
        for hub in hubs:
            images = self.platforms.images(hub)
            if images is None:
                continue
            for environment in built_environments(hub):
                try:
                    wanted = images.wanted(hub, environment, lock)
                except (ChartError, BaseError):
                    continue  # hubs that were not selected may have charts that cannot be used
                yield hub, environment, wanted

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
                builder = builder or ImageBuilder(image_cache(), self.report)
                use.pin, use.outcome = builder.find(use.wanted), FOUND
                if not use.pin:
                    use.outcome = BUILT if build else MISSING
                    engine = builder.engine(use.wanted, use.wanted.key)
                    use.outcome += f" with {engine.program}" if engine else ""
                    use.pin = self._build(builder, use, lock) if build else None
            except HubfleetError as error:
                use.problem = _masked(str(error), use)
            except OSError as error:
                use.problem = f"building {use.wanted.build.name}: {reason(error)}"
        images = {**lock.images.images, **{use.key: use.pin for use in needed if use.pin}}
        return ImagePins(lock.images.bases, images)

    def _build(self, builder: ImageBuilder, use: ImageUse, lock: Lock) -> ImagePin:
        hub, environment = use.uses[0]
        pins = lock.of(hub.is_staging).repositories
        pin = pins.get(environment.repository) if environment.repository else None
        if environment.repository and not pin:
            raise HubfleetError(f"building {environment.name}: its repository has no commit in the lock file")
        tools = replace(self._tools(), index=hub.cluster["cluster_package_index"])
        if not pin:
            return builder.build(use.wanted, tools)
        with tempfile.TemporaryDirectory(prefix="hubfleet-repository-") as directory:
            repository = Repository(pin.repository, self.directory, repository_cache())
            archive = os.path.join(directory, "repository.tar")
            repository.write_archive(pin, archive)
            tools = replace(tools, archive=archive)
            return builder.build(use.wanted, self._with_tool(tools, repository, pin, hub))

    def _with_tool(self, tools: Tools, repository: Repository, pin: Pin, hub: Hub) -> Tools:
        """Return programs with that which installs packages of conda, or says how a container engine builds."""
        cache, uv, locks = image_cache(), tools.uv, assets().locks
        if pin.kind == REPO2DOCKER:
            lock, modules = locks["repo2docker.txt"], environment_files().repo2docker
            return replace(tools, repo2docker=installed_tool("repo2docker", cache, uv, lock, modules))
        if pin.kind != CONDA:
            return tools
        return replace(
            tools,
            conda=repository.conda_environment(pin),
            rattler=installed_tool("rattler", cache, uv, locks["rattler.txt"], assets().conda),
            channel_alias=hub.cluster["cluster_conda_channel_alias"] or CHANNEL_ALIAS,
        )

    def _bases_of(self, hubs: list[Hub], pins: Pins) -> list[ImageAddress]:
        found = []
        for hub in hubs:
            images = self.platforms.images(hub)
            built = [pins.get(each.repository) if each.repository else None for each in built_environments(hub)]
            if images and any(pin is None or pin.kind != REPO2DOCKER for pin in built):
                try:
                    found.append(images.base(hub))
                except (BaseError, ChartError) as error:
                    raise HubfleetError(f"the base image of hub {hub.name} is not known: {error}") from None
        return found

    def _tools(self) -> Tools:
        """Return the programs of builds. Root's builds run as an account that owns nothing."""
        account = _NOBODY if os.geteuid() == 0 else None
        return Tools(uv=find_uv(), cache=os.path.join(image_cache(), "uv"), account=account)


def _masked(text: str, use: ImageUse) -> str:
    """Return the output of a build without secrets, since its code could print them.

    They are those of the hubs that need it, and those in addresses, such as that of a proxy, which engines give on.
    """
    text = without_credentials(text)
    for hub, _environment in use.uses:
        text = hub.redactor.mask_text(text)
    return text
