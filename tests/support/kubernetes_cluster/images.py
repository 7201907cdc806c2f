# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the images that pods run: Debian with JupyterHub, under the names that zero-to-jupyterhub uses.

One file system serves as hub, proxy and user's server, so that it is imported once. Nothing asks a container registry.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from file_systems import bootstrap, mirror_of_debian, run, run_inside

from .programs import building, digest

HERE = Path(__file__).parent
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
HELPER_IMAGE = "quay.io/jupyterhub/k8s-hub:test"
#: Tag of the chart's own images in a checkout of zero-to-jupyterhub, and ours of the images of other projects.
CHART_TAGS = ("set-by-chartpress", "test")
RELEASE = "bookworm"
PACKAGES = (
    "ca-certificates",
    "curl",
    "git",
    "iproute2",
    "iptables",  # of the chart's init container
    "libcurl4",
    "nodejs",
    "python3-venv",
    "restic",  # of pods that make backups
    "sqlite3",
    "tini",
)
_VENV = "/opt/venv"
_UNREAD = ("doc", "info", "locale", "man")
ENVIRONMENT = [
    f"PATH={_VENV}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME=/home/jovyan",
    "NB_USER=jovyan",
    "NB_UID=1000",
]


@dataclass(frozen=True)
class Image:
    """An image of the file system. configuration: the "config" of an OCI image."""

    names: tuple[str, ...]
    configuration: dict[str, object]


def images() -> list[Image]:
    """Return the images that are made of the one file system."""
    jupyterhub = "quay.io/jupyterhub"

    def tagged(*names: str) -> tuple[str, ...]:
        return tuple(f"{jupyterhub}/{name}:{tag}" for name in names for tag in CHART_TAGS)

    user = {"Env": ENVIRONMENT, "User": "1000", "Entrypoint": ["tini", "--"]}
    hub = ["jupyterhub", "--config", "/usr/local/etc/jupyterhub/jupyterhub_config.py"]
    return [
        # the chart mounts the hub's volume at its working directory, and names the database by a relative path
        Image(tagged("k8s-hub"), {**user, "WorkingDir": "/srv/jupyterhub", "Cmd": hub}),
        Image(
            tagged("k8s-singleuser-sample"), {**user, "WorkingDir": "/home/jovyan", "Cmd": ["jupyterhub-singleuser"]}
        ),
        Image(
            (
                *tagged("k8s-network-tools", "k8s-secret-sync"),
                f"{jupyterhub}/configurable-http-proxy:test",
                "docker.io/restic/restic:test",
            ),
            {**user, "WorkingDir": "/"},
        ),
    ]


def build(cache: Path, proxy: Path, uv: Path) -> Path:
    """Return a directory of containerd with all images; build it if the cache does not have it yet, in two minutes.

    A cluster starts with hard links to its files, since an import takes longer than all other parts of a start.
    proxy: directory with configurable-http-proxy. uv: the program. Raises AssertionError with what a command printed.
    """
    sources = [path.read_bytes() for path in (HERE / "image.txt", HERE / "pause.c", Path(__file__))]
    version = subprocess.run(["containerd", "--version"], check=True, capture_output=True).stdout
    target = cache / f"images-{digest(*sources, proxy.name, version)}"
    with building(target) as new:
        if new:
            print("Building the image of hubs and users' servers", flush=True)
            archives = [_pause(new), _jupyterhub(new, proxy, uv)]
            _import(archives, new / "containerd")
            for leftover in ("pause", "jupyterhub", "state"):
                subprocess.run(["rm", "-rf", str(new / leftover), str(new / f"{leftover}.tar")], check=True)
    return target / "containerd"


def copy(built: Path, target: Path) -> None:
    """Copy a directory of containerd; files other than its databases are hard links, since it never changes them."""
    unfinished = target.with_name(f".{target.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--link", str(built), str(unfinished)], check=True)
    for database in unfinished.glob("*/*.db"):
        database.unlink()
        shutil.copyfile(built / database.relative_to(unfinished), database)
    unfinished.rename(target)


def _import(archives: Iterable[Path], root: Path) -> None:
    """Import archives with a containerd that runs for this alone."""
    state = root.with_name("state")
    state.mkdir()
    settings = f'version = 2\nroot = "{root}"\nstate = "{state}"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
    (state / "containerd.toml").write_text(f'{settings}[grpc]\naddress = "{state}/socket"\n', encoding="utf-8")
    with open(state / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(["containerd", f"--config={state}/containerd.toml"], stdout=log, stderr=log)
    try:
        client = ["ctr", "--address", f"{state}/socket", "--connect-timeout", "30s", "--namespace", "k8s.io"]
        for archive in archives:
            run(*client, "images", "import", str(archive))
    finally:
        server.terminate()
        server.wait()


def _jupyterhub(new: Path, proxy: Path, uv: Path) -> Path:
    root = new / "jupyterhub"
    _fill(root, proxy, uv)
    write_archive(new / "jupyterhub.tar", root, images())
    return new / "jupyterhub.tar"


def _fill(root: Path, proxy: Path, uv: Path) -> None:
    fill_with_debian(root, PACKAGES)
    binds = {uv: "/tmp/uv", HERE / "image.txt": "/tmp/image.txt"}
    run_inside(root, binds, "/tmp/uv", "venv", "--quiet", "--python", "/usr/bin/python3", _VENV)
    install = (
        "/tmp/uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        f"{_VENV}/bin/python",
        "--requirement",
        "/tmp/image.txt",
    )
    run_inside(root, binds, *install)
    # users of containers cannot write byte code: every start would compile all modules again
    compile_all = (f"{_VENV}/bin/python", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    run_inside(root, {}, *compile_all, f"{_VENV}/lib")
    subprocess.run(["cp", "--archive", str(proxy), str(root / "opt/proxy")], check=True)
    (root / "usr/local/bin/configurable-http-proxy").symlink_to("/opt/proxy/node_modules/.bin/configurable-http-proxy")
    for directory in ("srv/jupyterhub", "usr/local/etc/jupyterhub"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    os.chown(root / "srv/jupyterhub", 1000, 1000)
    remove_unneeded(root)


def fill_with_debian(root: Path, packages: Iterable[str]) -> None:
    """Fill a directory with Debian, packages, and the account that containers run as."""
    bootstrap(root, RELEASE, mirror_of_debian(), packages)
    subprocess.run(
        ["chroot", str(root), "useradd", "--create-home", "--uid=1000", "--shell=/bin/bash", "jovyan"], check=True
    )


def remove_unneeded(root: Path) -> None:
    """Remove what no container reads."""
    for leftover in ("var/cache/apt", "var/lib/apt/lists", "root/.cache", *(f"usr/share/{each}" for each in _UNREAD)):
        subprocess.run(["rm", "-rf", str(root / leftover)], check=True)


def _pause(new: Path) -> Path:
    """Build the image of the container that holds a pod's namespaces: it only waits."""
    root = new / "pause"
    root.mkdir()
    subprocess.run(["gcc", "-static", "-Os", "-o", str(root / "pause"), str(HERE / "pause.c")], check=True)
    write_archive(new / "pause.tar", root, [Image((PAUSE_IMAGE,), {"Entrypoint": ["/pause"]})])
    return new / "pause.tar"


def write_archive(archive: Path, root: Path, described: Iterable[Image]) -> None:
    """Write images of one layer as an archive in the format of `docker save`, which `ctr images import` reads."""
    manifest = []
    with tempfile.NamedTemporaryFile(dir=archive.parent) as layer, tarfile.open(archive, "w") as whole:
        write_layer(Path(layer.name), root)
        with open(layer.name, "rb") as opened:
            checksum = hashlib.file_digest(opened, "sha256").hexdigest()
        for image in described:
            layers = {"type": "layers", "diff_ids": [f"sha256:{checksum}"]}
            content = {"architecture": "amd64", "os": "linux", "config": image.configuration, "rootfs": layers}
            text = json.dumps(content).encode()
            name = f"{hashlib.sha256(text).hexdigest()}.json"
            _add(whole, name, text)
            manifest.append({"Config": name, "RepoTags": list(image.names), "Layers": [f"{checksum}/layer.tar"]})
        whole.add(layer.name, arcname=f"{checksum}/layer.tar")
        _add(whole, "manifest.json", json.dumps(manifest).encode())


def write_layer(layer: Path, root: Path, *options: str) -> None:
    """Write a directory as the layer of an image. options: more of tar's."""
    command = ["tar", "-C", str(root), "--numeric-owner", "--one-file-system", *options, "-cf", str(layer), "."]
    subprocess.run(command, check=True)


def write_compressed_layer(layer: Path, root: Path) -> None:
    """Write a directory as the layer of an image in a registry; fast, since it is not sent far.

    Without devices: containers get their own, and who builds images as an ordinary user could not unpack them.
    """
    write_layer(layer, root, "--exclude=./dev/*", "--sort=name", "--use-compress-program=gzip -1 --no-name")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
