# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry of images is not believed: what it says is checked, and what is wrong is told in a sentence."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.address import ImageAddress
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.base_image import base_image
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.registry import (
    Registry,
    RegistryError,
)

DIGEST = f"sha256:{'b' * 64}"


def digest_of(content: bytes) -> str:
    """Return the digest of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Answers(BaseHTTPRequestHandler):
    """Answers with what a test has put there: path below /v2/ -> status, headers and content, one after the other."""

    there: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}

    def do_GET(self) -> None:
        answers = self.there.get(self.path.removeprefix("/v2/"), [(200 if self.path == "/v2/" else 404, {}, b"{}")])
        status, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Do not log requests."""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ImageAddress]:
    """A repository in a registry that answers what Answers.there has."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    Answers.there = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield ImageAddress.parse(f"http://127.0.0.1:{server.server_port}/base:1")
    server.shutdown()
    server.server_close()


def put(path: str, content: bytes, status: int = 200, **headers: str) -> None:
    """Let the registry answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    Answers.there.setdefault(f"base/{path}", []).append((status, named, content))


@pytest.mark.parametrize("said", ["/etc/passwd", "../..", "md5:abc", "sha256:12", f"{DIGEST}/.."])
def test_digests_are_digests(said: str, place: ImageAddress) -> None:
    put("manifests/1", b"{}", Docker_Content_Digest=said)
    with pytest.raises(RegistryError, match="the registry names an image"):
        Registry(place).digest("1")


def test_what_has_a_digest_is_what_it_says(place: ImageAddress, tmp_path: Path) -> None:
    put(f"manifests/{DIGEST}", b'{"layers": []}')
    put(f"blobs/{DIGEST}", b"another layer")
    registry = Registry(place)
    with pytest.raises(RegistryError, match="is something else"):
        registry.manifest(DIGEST)
    with pytest.raises(RegistryError, match="is something else"):
        registry.configuration({"config": {"digest": DIGEST}})
    with pytest.raises(RegistryError, match="arrived damaged"):
        registry.download(DIGEST, str(tmp_path / "layer"))


def test_layers_are_written_to_their_place_only(place: ImageAddress, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    configuration = json.dumps({"rootfs": {"diff_ids": ["sha256:1"]}}).encode()
    about = {"config": {"digest": digest_of(configuration)}, "layers": [{"digest": str(victim)}]}
    manifest = json.dumps(about).encode()
    put(f"manifests/{digest_of(manifest)}", manifest)
    put(f"blobs/{digest_of(configuration)}", configuration)
    with pytest.raises(HubfleetError, match="has no layers that this release can read"):
        base_image(place, digest_of(manifest), str(tmp_path / "cache"))
    assert victim.read_text() == "kept"


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"rootfs": {"diff_ids": []}, "config": {"Entrypoint": "tini --"}}, "Env or Entrypoint in the configuration"),
        ({"config": None}, "does not list its layers"),
        ({"rootfs": {"diff_ids": ["sha256:1"]}}, "does not list its layers"),
        ([], "the registry answers with no configuration of an image"),
    ],
)
def test_odd_configurations(configuration: Any, message: str, place: ImageAddress, tmp_path: Path) -> None:
    content = json.dumps(configuration).encode()
    manifest = json.dumps({"config": {"digest": digest_of(content)}, "layers": []}).encode()
    put(f"manifests/{digest_of(manifest)}", manifest)
    put(f"blobs/{digest_of(content)}", content)
    with pytest.raises(HubfleetError, match=message):
        base_image(place, digest_of(manifest), str(tmp_path / "cache"))


def test_an_image_needs_no_configuration_of_its_programs(place: ImageAddress, tmp_path: Path) -> None:
    content = json.dumps({"rootfs": {"diff_ids": []}, "config": None}).encode()
    manifest = json.dumps({"config": {"digest": digest_of(content)}, "layers": []}).encode()
    put(f"manifests/{digest_of(manifest)}", manifest)
    put(f"blobs/{digest_of(content)}", content)
    found = base_image(place, digest_of(manifest), str(tmp_path / "cache"))
    assert (found.variables, found.path.split(":")[-1]) == ({}, "/bin")
    assert (Path(found.root) / "opt/hubfleet").is_dir()


def test_a_page_is_no_image(place: ImageAddress) -> None:
    put("manifests/1", b"<html>", Content_Type="text/html")
    with pytest.raises(RegistryError, match="the registry answers with no manifest of an image"):
        Registry(place).manifest("1")


def test_a_registry_that_is_busy_is_asked_again(place: ImageAddress) -> None:
    put("manifests/1", b"", 429, Retry_After="0")
    put("manifests/1", b"", 429, Retry_After="0")
    put("manifests/1", b"{}", Docker_Content_Digest=DIGEST)
    assert Registry(place).digest("1") == DIGEST


def test_logins_that_cannot_be_read_are_named(place: ImageAddress, tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text("no JSON")
    with pytest.raises(RegistryError, match=r"/\.docker/config\.json, which has the logins"):
        Registry(place)
