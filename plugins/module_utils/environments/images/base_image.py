# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack the image that environments are built on, so that programs see its system; nothing of it is run here.

Source: https://github.com/opencontainers/image-spec/blob/main/layer.md, which has the rules of whiteouts.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tarfile
from dataclasses import dataclass
from typing import IO, Any

from ...common.errors import HubfleetError, reason
from ..build.sandbox import IMAGE_FOLDER, MOUNTED_FILES, remove_tree, resolved
from .address import ImageAddress
from .registry import Registry, is_digest

#: The names of processors in images, by those of the kernel.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_COMPLETE = ".complete"


class BaseImageError(HubfleetError):
    """Nothing can be built on an image; a whole sentence."""


@dataclass(frozen=True)
class BaseImage:
    """An image that was unpacked.

    digest: of the image, or of the list of images for several processors that it is in.
    root: the directory of its file system. layers: their descriptors. blobs: the directory of their files.
    configuration: of the image, with the keys of the specification, such as ``config`` and ``rootfs``.
    """

    address: ImageAddress
    digest: str
    root: str
    layers: list[Any]
    blobs: str
    configuration: Any

    @property
    def settings(self) -> Any:
        """What its programs are started with: the part ``config`` of its configuration."""
        return self.configuration.get("config") or {}

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its programs."""
        return dict(line.partition("=")[::2] for line in self.settings.get("Env") or ())

    @property
    def path(self) -> str:
        """The variable PATH of its programs."""
        return self.variables.get("PATH") or "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def blob(self, digest: str) -> str:
        """Return the file of a layer."""
        return os.path.join(self.blobs, digest.replace(":", "-"))


def base_image(address: ImageAddress, digest: str, cache: str) -> BaseImage:
    """Return an image, which is downloaded and unpacked unless the cache has it. Raises HubfleetError."""
    registry = Registry(address)
    manifest = _of_this_processor(registry, digest)
    configuration = registry.configuration(manifest)
    _check(configuration, manifest, address.name)
    place = os.path.join(cache, digest.replace(":", "-"))
    found = BaseImage(
        address, digest, os.path.join(place, "root"), manifest["layers"], os.path.join(place, "blobs"), configuration
    )
    os.makedirs(cache, mode=0o700, exist_ok=True)
    with open(f"{place}.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(place, _COMPLETE)):
            remove_tree(place)
            os.makedirs(found.blobs)
            os.makedirs(found.root)
            for layer in found.layers:
                registry.download(layer["digest"], found.blob(layer["digest"]))
                unpack(found.blob(layer["digest"]), found.root)
            _prepare(found.root, address.name)
            with open(os.path.join(place, _COMPLETE), "w", encoding="ascii"):
                pass
    return found


def _of_this_processor(registry: Registry, digest: str) -> Any:
    """Return the manifest of an image; where there is one for each processor, that for this one."""
    manifest = registry.manifest(digest)
    if "manifests" not in manifest:
        return manifest
    wanted = ARCHITECTURES.get(platform.machine(), platform.machine())
    for each in manifest["manifests"]:
        about = (each.get("platform") if isinstance(each, dict) else None) or {}
        if (about.get("os"), about.get("architecture")) == ("linux", wanted):
            return registry.manifest(each["digest"])
    raise BaseImageError(f"{registry.address.name} has no image for Linux on {wanted}")


def _is_layer(layer: Any) -> bool:
    return isinstance(layer, dict) and is_digest(layer.get("digest")) and isinstance(layer.get("mediaType"), str)


def _check(configuration: Any, manifest: Any, name: str) -> None:
    """Check what is used of an image. Raises BaseImageError."""
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not all(map(_is_layer, layers)):
        raise BaseImageError(f"the manifest of {name} has no layers that this release can read; use another image")
    settings, diff_ids = configuration.get("config") or {}, (configuration.get("rootfs") or {}).get("diff_ids")
    lists = [settings.get(key) or [] for key in ("Env", "Entrypoint")]
    if not isinstance(diff_ids, list) or len(diff_ids) != len(layers):
        raise BaseImageError(f"the configuration of {name} does not list its layers; use another image")
    if not all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in lists):
        raise BaseImageError(f"Env or Entrypoint in the configuration of {name} is no list of texts; use another image")


def unpack(path: str, root: str) -> None:
    """Unpack a layer over those before it. Raises BaseImageError.

    Files belong to whoever unpacks them, without bits that let a program run as its owner; devices are left out.
    """
    try:
        with open(path, "rb") as file, tarfile.open(fileobj=_decompressed(file), mode="r|") as archive:
            own: set[str] = set()
            for member in archive:
                _unpack_member(archive, member, root, own)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BaseImageError(f"the layer {os.path.basename(path)} of an image cannot be unpacked: {error}") from None


def _decompressed(file: IO[bytes]) -> Any:
    """Return a layer as tar, by how its file begins."""
    begin = file.read(4)
    file.seek(0)
    if begin[:2] == b"\x1f\x8b":
        import gzip

        return gzip.GzipFile(fileobj=file)
    if begin == b"\x28\xb5\x2f\xfd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    return file


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, root: str, own: set[str]) -> None:
    """Unpack one entry. own: what this layer has unpacked, which its whiteouts leave alone."""
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if not parts:
        return
    folder = resolved(root, "/".join(parts[:-1]))
    name, target = parts[-1], os.path.join(folder, parts[-1])
    if name == "..":
        raise BaseImageError(f"a layer of the image has a path that leads out of it: {member.name[:200]}")
    os.makedirs(folder, exist_ok=True)
    if name == _OPAQUE:
        for each in os.listdir(folder):
            if os.path.join(folder, each) not in own:
                remove_tree(os.path.join(folder, each))
        return
    if name.startswith(_WHITEOUT):
        hidden = name.removeprefix(_WHITEOUT)
        if hidden not in ("", ".", ".."):
            remove_tree(os.path.join(folder, hidden))
        return
    own.add(target)
    if member.isdir():
        if os.path.islink(target) or not os.path.isdir(target):
            remove_tree(target)
            os.mkdir(target)
        os.chmod(target, member.mode & 0o777 | 0o700)
    elif member.issym():
        remove_tree(target)
        os.symlink(member.linkname, target)
    elif member.islnk():
        remove_tree(target)
        above, _slash, last = member.linkname.strip("/").rpartition("/")
        os.link(os.path.join(resolved(root, above), last), target, follow_symlinks=False)
    elif member.isfile():
        remove_tree(target)
        content = archive.extractfile(member)
        with open(target, "xb") as file:
            shutil.copyfileobj(content, file, 1 << 20) if content else None
        os.chmod(target, member.mode & 0o777 | 0o600)


def _prepare(root: str, name: str) -> None:
    """Make what a sandbox mounts on. Raises BaseImageError."""
    try:
        for folder in (IMAGE_FOLDER, "/var/tmp", "/etc/uv"):
            os.makedirs(resolved(root, folder), exist_ok=True)
        for path in MOUNTED_FILES:
            folder, file_name = os.path.split(path)
            # Some images have links that lead to where a service of their own would write it.
            remove_tree(os.path.join(resolved(root, folder), file_name))
            with open(os.path.join(resolved(root, folder), file_name), "w", encoding="ascii"):
                pass
    except OSError as error:
        raise BaseImageError(f"nothing can be built on {name}: {reason(error)}; use another image") from None
