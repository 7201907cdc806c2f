# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build environments into images: the base image, and one layer over it; or with a container engine, what needs one."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import glob
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ...common import digests
from ...common.errors import reason
from ..build.conda_build import CondaBuild
from ..build.constraints import constraints_of, versions_by_package
from ..build.environment_build import START, EnvironmentBuild
from ..build.model import Build
from ..build.sandbox import IMAGE_FOLDER, remove_tree, resolved
from ..build.steps import BuildError, Steps
from ..build.tools import Tools
from ..pins import CONDA, REPO2DOCKER
from .address import ImageAddress
from .base_image import ARCHITECTURES, BaseImage, base_image
from .container_build import SOURCE as ENGINE_SOURCE
from .container_build import TOLD, ContainerBuild, told_versions
from .engine import Engine, find_engine
from .layer import pack
from .pins import ImageKey, ImagePin
from .registry import MANIFEST, Registry, digest_of

#: Media types of layers, as Docker writes them -> in images of the Open Container Initiative.
_MEDIA_TYPES = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
}
_LABEL = "hubfleet."
_BASE_NAME, _BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


@dataclass(frozen=True)
class WantedImage:
    """An image that a hub needs. build: the environment in it.

    base, base_digest: what it is built on, "" where a container engine builds it.
    """

    address: ImageAddress
    build: Build
    base: ImageAddress = ImageAddress("", "")
    base_digest: str = ""

    @property
    def key(self) -> str:
        """The tag: a digest of everything that it is made from."""
        return self.build.directory.removeprefix(f"{self.build.name}-")

    @property
    def needs_engine(self) -> bool:
        """Whether only a container engine can build it."""
        return self.build.kind == REPO2DOCKER

    @property
    def pin_key(self) -> ImageKey:
        """What a lock file knows it by."""
        return self.address.name, self.key


class ImageBuilder:
    """Builds images on this machine, and pushes them.

    cache: a private directory. report: takes lines of progress.
    """

    def __init__(self, cache: str, report: Callable[[str], None]):
        self.cache = cache
        self.report = report

    def find(self, wanted: WantedImage) -> ImagePin | None:
        """Return the pin of an image if the registry has it; asks, and downloads nothing. Raises HubfleetError."""
        registry = Registry(wanted.address)
        digest = registry.digest(wanted.key)
        if not digest:
            return None
        found = registry.configuration(registry.manifest(digest))
        processor = ARCHITECTURES.get(platform.machine(), platform.machine())
        if found.get("architecture") != processor:
            raise BuildError(
                f"building {wanted.build.name}: {wanted.address.name}:{wanted.key} is there for the processor"
                f" {found.get('architecture')}, and this machine builds for {processor}; build on such a machine"
            )
        labels = (found.get("config") or {}).get("Labels") or {}
        if wanted.needs_engine and not labels.get(f"{_LABEL}{TOLD[0]}"):
            return None  # of a build that was killed after its push
        return _pin(wanted, digest, told_versions({name: labels.get(_LABEL + name) for name in TOLD}))

    def engine(self, wanted: WantedImage, work: str) -> Engine | None:
        """Return what builds an image if it needs a container engine. Raises BuildError where there is none.

        work: the directory of the build, which tells its containers and images from those of other builds.
        """
        return find_engine(Steps(wanted.build.name), digests.digest([work])) if wanted.needs_engine else None

    def build(self, wanted: WantedImage, tools: Tools) -> ImagePin:
        """Build an image, and push it. tools: with what this image needs. Raises HubfleetError."""
        try:
            with self._work(wanted.build.name) as work:
                engine = self.engine(wanted, work)
                if engine:
                    return self._build_with(engine, wanted, tools, work)
                return self._build_on_base(wanted, tools, work)
        except OSError as error:
            raise BuildError(f"building {wanted.build.name} in {self.cache}: {reason(error)}") from None

    def _build_with(self, engine: Engine, wanted: WantedImage, tools: Tools, work: str) -> ImagePin:
        """Build an image with a container engine, and push it."""
        address = replace(wanted.address, reference=wanted.key)
        versions = ContainerBuild(wanted.build.name, address, engine, tools, work, self.report).run()
        # Not by another build of the engine, which could run what was not tested: a Dockerfile may have ONBUILD.
        registry = Registry(wanted.address)
        manifest = registry.manifest(wanted.key)
        if not isinstance(manifest.get("layers"), list):
            raise BuildError(f"building {wanted.build.name}: {address.full} is of a kind that this release cannot read")
        configuration = registry.configuration(manifest)
        config = configuration.get("config") or {}
        labels = {**(config.get("Labels") or {}), **{_LABEL + name: text for name, text in versions.items()}}
        content = _json({**configuration, "config": {**config, "Labels": labels}})
        return _pin(wanted, _push_manifest(registry, manifest["layers"], content, work, wanted.key), versions)

    def _build_on_base(self, wanted: WantedImage, tools: Tools, work: str) -> ImagePin:
        """Build an image as a layer on the base image, and push it."""
        self.report(f"{wanted.build.name}: reading the base image {wanted.base.name}")
        base = base_image(wanted.base, wanted.base_digest, os.path.join(self.cache, "bases"))
        self.report(f"{wanted.build.name}: building {wanted.address.name}:{wanted.key}")
        folder = self._environment(wanted.build, base, tools, work)
        layer = pack(os.path.join(work, "layer"), IMAGE_FOLDER.strip("/"), os.path.join(work, "layer.tar.zst"))
        versions = _versions(os.path.join(work, "layer") + folder)
        configuration = _configuration(base, folder, layer.diff_id, wanted, versions)
        self.report(f"{wanted.build.name}: pushing {layer.size // 1_000_000} MB")
        digest = self._push(wanted, base, configuration, layer.path, layer.descriptor, work)
        return _pin(wanted, digest, versions)

    @contextmanager
    def _work(self, name: str) -> Iterator[str]:
        """Make a directory for a build, and remove those that killed builds left."""
        os.makedirs(self.cache, mode=0o700, exist_ok=True)
        for left in glob.glob(f"{glob.escape(self.cache)}/build-*.lock"):
            with open(left, "a", encoding="ascii") as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                work = left.removesuffix(".lock")
                if os.path.isdir(os.path.join(work, ENGINE_SOURCE)):
                    with contextlib.suppress(BuildError):
                        find_engine(Steps(name), digests.digest([work])).clean()
                remove_tree(work)
                os.unlink(left)
        descriptor, path = tempfile.mkstemp(prefix=f"build-{name}-", suffix=".lock", dir=self.cache)
        work = path.removesuffix(".lock")
        with open(descriptor, "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                os.mkdir(work, mode=0o700)
                yield work
            finally:
                remove_tree(work)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

    def _environment(self, build: Build, base: BaseImage, tools: Tools, work: str) -> str:
        """Build the environment for the layer; return its path in the image."""
        folder = f"{IMAGE_FOLDER}/environments/{build.directory}"
        destination = os.path.join(work, "layer") + folder
        for directory in (os.path.dirname(os.path.dirname(destination)), os.path.dirname(destination)):
            os.makedirs(directory)
            os.chmod(directory, 0o755)
        steps = Steps(build.name)
        there = replace(tools, root=base.root, path=base.path, base=f"the image {base.address.name}")
        kind = CondaBuild if build.kind == CONDA else EnvironmentBuild
        constraints = constraints_of(build.lock)
        if not os.path.isfile(resolved(base.root, "/bin/bash")):
            raise BuildError(f"building {build.name}: the image {base.address.name} has no /bin/bash, which it needs")
        kind(build, steps, there, folder, os.path.join(work, "work"), constraints, destination).run()
        return folder

    def _push(
        self,
        wanted: WantedImage,
        base: BaseImage,
        configuration: bytes,
        layer: str,
        descriptor: dict[str, object],
        work: str,
    ) -> str:
        registry = Registry(wanted.address)
        for each in base.layers:
            registry.upload(base.blob(each["digest"]), each["digest"])
        registry.upload(layer, str(descriptor["digest"]))
        return _push_manifest(registry, [*base.layers, descriptor], configuration, work, wanted.key)


def _push_manifest(registry: Registry, layers: list[Any], configuration: bytes, work: str, tag: str) -> str:
    """Store an image whose layers the registry has; return its digest."""
    path = os.path.join(work, "configuration.json")
    with open(path, "wb") as file:
        file.write(configuration)
    about = _descriptor("application/vnd.oci.image.config.v1+json", configuration)
    registry.upload(path, about["digest"])
    layers = [{**each, "mediaType": _MEDIA_TYPES.get(each["mediaType"], each["mediaType"])} for each in layers]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": layers}
    return registry.upload_manifest(_json(manifest), tag)


def _configuration(base: BaseImage, folder: str, diff_id: str, wanted: WantedImage, versions: dict[str, str]) -> bytes:
    """Return the configuration of an image: that of its base, whose programs come after those of the environment."""
    config = dict(base.settings)
    variables = {
        **base.variables,
        "PATH": f"{folder}/bin:{base.path}",
        # Users' own packages go into their homes.
        "HUBFLEET_USER_PACKAGES": "true",
        # Not every file system of homes can hold the sockets of kernels.
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",
    }
    labels = {_BASE_NAME: wanted.base.full, _BASE_DIGEST: base.digest}
    config |= {
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Entrypoint": [*(config.get("Entrypoint") or ()), f"{folder}/{START}"],
        "Cmd": ["jupyterhub-singleuser"],
        "Labels": {**(config.get("Labels") or {}), **labels, **{_LABEL + key: text for key, text in versions.items()}},
    }
    root = base.configuration["rootfs"]
    architecture = base.configuration.get("architecture") or ARCHITECTURES[platform.machine()]
    content = {"architecture": architecture, "os": "linux", "config": config, "history": _history(base, wanted)}
    return _json({**content, "rootfs": {"type": "layers", "diff_ids": [*root["diff_ids"], diff_id]}})


def _history(base: BaseImage, wanted: WantedImage) -> list[dict[str, Any]]:
    """Return the history of an image, an entry for each layer; podman builds on no image that lacks one."""
    count, given = len(base.layers), base.configuration.get("history")
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if sum(not each.get("empty_layer") for each in entries) != count:
        entries = [{"created_by": base.address.name}] * count
    return [*entries, {"created_by": f"environment {wanted.build.directory}"}]


def _versions(environment: str) -> dict[str, str]:
    """Return the versions that a lock file tells of."""
    with open(os.path.join(environment, "lock.txt"), encoding="utf-8") as file:
        found = versions_by_package(file.read())
    return {name: min(found.get(name, {""})) for name in TOLD}


def _pin(wanted: WantedImage, digest: str, versions: dict[str, str]) -> ImagePin:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ImagePin(wanted.address.name, wanted.key, digest, now, **versions)


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
