# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A channel of conda that tests make: Python from the files of the machine's own, and what else they need."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: Debian's Python, which needs no files of its own but these.
PYTHON = Path("/usr/bin/python3")
#: A kernel of another language, as far as a hub is concerned.
_KERNEL = {"argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Coast"}
_UNNEEDED = {"test", "tests", "__pycache__", "idlelib", "tkinter", "ensurepip", "dist-packages"}


def add_package(
    channel: Path,
    name: str,
    version: str,
    files: Mapping[str, tuple[bytes, int]],
    depends: tuple[str, ...] = (),
    subdir: str = "noarch",
) -> None:
    """Add a package to a channel; files: path -> content and mode. Source: https://github.com/conda/ceps, 16 and 20.

    What is below site-packages is for every version of Python.
    """
    folder = channel / subdir
    folder.mkdir(parents=True, exist_ok=True)
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": depends, "subdir": subdir}
    if any(path.startswith("site-packages/") for path in files):
        index["noarch"] = "python"
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        for path, (data, _mode) in files.items()
    ]
    about = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    archive = folder / f"{name}-{version}-0.tar.bz2"
    with tarfile.open(archive, "w:bz2", compresslevel=1) as package:
        for path, value in about.items():
            _add(package, f"info/{path}", json.dumps(value).encode(), 0o644)
        for path, (data, mode) in files.items():
            _add(package, path, data, mode)
    content = archive.read_bytes()
    found = {**index, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    for each in dict.fromkeys(("noarch", subdir)):
        repodata = channel / each / "repodata.json"
        repodata.parent.mkdir(exist_ok=True)
        known = json.loads(repodata.read_text()) if repodata.exists() else {"info": {"subdir": each}, "packages": {}}
        known["packages"].update({archive.name: found} if each == subdir else {})
        repodata.write_text(json.dumps(known))


def add_python(channel: Path) -> None:
    """Add the machine's Python as a package."""
    asked = [str(PYTHON), "-I", "-S", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    name = f"python{version.rpartition('.')[0]}"
    program = PYTHON.resolve().read_bytes()
    files = {f"bin/{each}": (program, 0o755) for each in ("python", "python3", name)}
    library = Path("/usr/lib") / name
    for folder, folders, names in os.walk(library):
        folders[:] = [each for each in folders if each not in _UNNEEDED and not each.startswith("config-")]
        for path in (Path(folder, each) for each in names):
            if path.is_file():
                files[f"lib/{name}/{path.relative_to(library)}"] = (_as_upstream(path), 0o644)
    add_package(
        channel, "python", version, files, subdir=f"linux-{'64' if os.uname().machine == 'x86_64' else 'aarch64'}"
    )


class Server:
    """Serves the channels in a directory, at ``address``."""

    def __init__(self, directory: Path) -> None:
        handler = functools.partial(_Handler, directory=str(directory))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def _as_upstream(path: Path) -> bytes:
    """Return a file of the standard library without Debian's own name for the directory of packages."""
    data = path.read_bytes()
    return re.sub(rb"dist-packages", b"site-packages", data) if path.name == "site.py" else data


def _add(package: tarfile.TarFile, path: str, data: bytes, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(data), mode
    package.addfile(member, io.BytesIO(data))


def add_shore(directory: Path) -> None:
    """Add a channel shore, which has Python and the package coast with a kernel."""
    add_python(directory / "shore")
    files = {
        "share/jupyter/kernels/coast/kernel.json": (json.dumps({**_KERNEL, "language": "python"}).encode(), 0o644),
        "etc/conda/activate.d/coast.sh": (b'export COAST="of $CONDA_PREFIX"\n', 0o644),
        "bin/coast": (b"#!/bin/sh\necho the coast\n", 0o755),
        "site-packages/coast.py": (b"height = 3\n", 0o644),
    }
    for number in ("0.9", "1.1"):
        add_package(directory / "shore", "coast", number, files, depends=("python >=3.10",))
    add_package(directory / "shore", "pip", "1", {"share/doc/pip": (b"", 0o644)})
