# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack a directory into a layer of an image: the same files give the same layer, on any machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass

from ...common.errors import HubfleetError

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+zstd"
#: A time of all files that archives of every kind can hold (1980-01-01).
_TIME = 315532800
_CHUNK = 1 << 20
#: zstd's result depends on whether there are threads, and not on how many.
_LEVEL, _THREADS = 3, 2


class LayerError(HubfleetError):
    """A layer cannot be packed."""


@dataclass(frozen=True)
class Layer:
    """A layer in a file. digest, size: of the file (bytes). diff_id: digest of what it is without compression."""

    path: str
    digest: str
    size: int
    diff_id: str

    @property
    def descriptor(self) -> dict[str, object]:
        """What a manifest says of it."""
        return {"mediaType": MEDIA_TYPE, "digest": self.digest, "size": self.size}


def pack(directory: str, folder: str, path: str) -> Layer:
    """Write ``folder`` of a directory as a layer to a file. Raises LayerError."""
    try:
        import zstandard
    except ImportError:
        raise LayerError(
            "layers are compressed with the Python package zstandard, which is not installed here"
        ) from None
    # tar, since Python's module takes several times as long.
    command = ["tar", "--create", "--file=-", "--format=gnu", "--sort=name", f"--mtime=@{_TIME}", "--numeric-owner"]
    command += ["--owner=0", "--group=0", f"--directory={directory}", "--", folder]
    compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=_THREADS).compressobj()
    plain, packed, size = hashlib.sha256(), hashlib.sha256(), 0
    environment = {**os.environ, "LC_ALL": "C"}
    with open(path, "wb") as target, subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:

        def write(part: bytes) -> int:
            packed.update(part)
            return target.write(part)

        while part := process.stdout.read(_CHUNK) if process.stdout else b"":
            plain.update(part)
            size += write(compressor.compress(part))
        size += write(compressor.flush())
    if process.returncode:
        raise LayerError(f"tar failed with exit code {process.returncode}")
    return Layer(path, f"sha256:{packed.hexdigest()}", size, f"sha256:{plain.hexdigest()}")
