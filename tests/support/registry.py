# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container registry, which nodes of test clusters pull from, and images of one layer to push to it.

Sources: https://distribution.github.io/distribution/about/configuration/ and
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from types import TracebackType

import bcrypt
from kubernetes_cluster import programs
from kubernetes_cluster.images import write_compressed_layer
from kubernetes_cluster.networks import free_port
from prebuilt import cache

#: Seconds that the registry gets to start and to end, on a busy machine.
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
#: Seconds that one request may take; a layer is one.
REQUEST_TIMEOUT = 120.0
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class RegistryError(Exception):
    """Why the registry does not start: the last line of its log."""


class Registry:
    """A registry without TLS on a port of one of this machine's addresses, the same one whenever it is started again.

    As a context it starts the registry and ends it. directory: for images and the log; it is not removed.
    users: name -> password of those who may pull and push; everybody may if there are none.
    """

    def __init__(self, directory: Path, address: str, users: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.address = f"{address}:{free_port(address)}"
        self.users = dict(users or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._trusted: list[Path] = []

    def __enter__(self) -> Registry:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for settings in self._trusted:
            shutil.rmtree(settings, ignore_errors=True)

    @property
    def log(self) -> Path:
        """Return the file of its errors."""
        return self.directory / "log"

    # --- Start and stop ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it with the images that it had before; wait until it answers. Raises RegistryError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = self.directory / "settings.yaml"
        settings.write_text(json.dumps(self._settings()), encoding="utf-8")
        command = [str(programs.build(cache() / "kubernetes") / "registry"), "serve", str(settings)]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # variables REGISTRY_* would replace settings; without this one, it sends traces to a port of localhost
                env={"OTEL_TRACES_EXPORTER": "none"},
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self.answers():
            if self._process.poll() is not None:
                lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise RegistryError(f"the registry has ended: {lines[-1] if lines else 'no output'}")
            if time.monotonic() > deadline:
                raise RegistryError(f"the registry does not answer after {START_TIMEOUT:.0f} seconds")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; images stay in its directory."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def answers(self) -> bool:
        """Return whether it answers, and knows its users."""
        try:
            self._request("GET", "/v2/", timeout=5.0)
        except OSError:
            return False
        return True

    def trust_on_nodes(self, state: Path) -> None:
        """Let the nodes of a test cluster pull from it, until it ends as a context. state: the cluster's directory.

        containerd, which would insist on TLS, reads this at every pull.
        """
        settings = state / "registries" / self.address
        settings.mkdir(parents=True, exist_ok=True)
        self._trusted.append(settings)
        url = f"http://{self.address}"
        content = f'server = "{url}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n'
        (settings / "hosts.toml").write_text(content, encoding="utf-8")

    def _settings(self) -> dict[str, object]:
        settings: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.directory / "storage")},
                "delete": {"enabled": True},
            },
            "http": {"addr": self.address},
        }
        if self.users:
            passwords = self.directory / "passwords"
            # the fewest rounds: these passwords protect nothing, and every request costs them
            lines = [
                f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"
                for name, password in self.users.items()
            ]
            passwords.write_text("".join(lines), encoding="utf-8")
            settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
        return settings

    # --- Push -------------------------------------------------------------------------------------------------------

    def push_root(self, name: str, root: Path, configuration: Mapping[str, object]) -> str:
        """Push an image whose file system is a directory; as `push`."""
        with tempfile.NamedTemporaryFile(dir=self.directory) as layer:
            write_compressed_layer(Path(layer.name), root)
            return self.push(name, Path(layer.name), configuration)

    def push(self, name: str, layer: Path, configuration: Mapping[str, object]) -> str:
        """Push an image of one compressed layer, and return its digest, such as sha256:4f53. Raises OSError.

        name: without the address, such as base:test; the tag is latest if there is none.
        configuration: the "config" of an OCI image.
        """
        repository, _colon, tag = name.partition(":")
        with gzip.open(layer) as unpacked:
            layers = {"type": "layers", "diff_ids": [f"sha256:{hashlib.file_digest(unpacked, 'sha256').hexdigest()}"]}
        described = {"architecture": "amd64", "os": "linux", "config": configuration, "rootfs": layers}
        with open(layer, "rb") as content:
            manifest = {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": self._push_blob(repository, _CONFIGURATION, io.BytesIO(json.dumps(described).encode())),
                "layers": [self._push_blob(repository, _LAYER, content)],
            }
        text = json.dumps(manifest).encode()
        path = f"/v2/{repository}/manifests/{tag or 'latest'}"
        self._request("PUT", path, io.BytesIO(text), {"Content-Type": _MANIFEST})
        return f"sha256:{hashlib.sha256(text).hexdigest()}"

    def _push_blob(self, repository: str, kind: str, content: io.BufferedIOBase) -> dict[str, object]:
        """Push a layer or a configuration, and return how a manifest names it."""
        digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        place = self._request("POST", f"/v2/{repository}/blobs/uploads/", io.BytesIO())["Location"]
        headers = {"Content-Type": "application/octet-stream"}
        self._request("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", content, headers)
        return {"mediaType": kind, "digest": digest, "size": content.seek(0, io.SEEK_END)}

    def _request(
        self,
        method: str,
        path: str,
        content: io.BufferedIOBase | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = REQUEST_TIMEOUT,
    ) -> Message:
        """Return the headers of an answer. Raises OSError, also if it is an error."""
        url = urllib.parse.urljoin(f"http://{self.address}/", path)
        request = urllib.request.Request(url, content, dict(headers or {}), method=method)
        if content is not None:
            # without it, a file is sent in chunks
            request.add_header("Content-Length", str(content.seek(0, io.SEEK_END)))
            content.seek(0)
        for name, password in list(self.users.items())[:1]:
            request.add_header("Authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            found: Message = answer.headers
            return found
