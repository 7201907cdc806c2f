# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the image that images of environments start from: Debian with Python, and nothing of JupyterHub."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import images
from .programs import building, digest

PACKAGES = ("bash", "ca-certificates", "python3", "python3-venv", "tini")
#: The "config" of the OCI image.
CONFIGURATION: dict[str, object] = {
    "Env": images.ENVIRONMENT,
    "User": "1000",
    "WorkingDir": "/home/jovyan",
    "Entrypoint": ["tini", "--"],
}


def build(cache: Path) -> Path:
    """Return the layer of the image; build it if the cache does not have it yet, in one to two minutes.

    Raises AssertionError with what a command printed.
    """
    target = cache / f"base-{digest(*(Path(file).read_bytes() for file in (__file__, images.__file__)))}"
    with building(target) as new:
        if new:
            print("Building the image that images of environments start from", flush=True)
            root = new / "root"
            images.fill_with_debian(root, PACKAGES)
            images.remove_unneeded(root)
            images.write_compressed_layer(new / "layer.tar.gz", root)
            subprocess.run(["rm", "-rf", str(root)], check=True)
    return target / "layer.tar.gz"
