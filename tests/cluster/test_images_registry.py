# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images are pushed to a registry with the credentials of docker login; what goes wrong is told in a sentence."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import registry as container_registry
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.address import ImageAddress
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.registry import (
    MANIFEST,
    Registry,
    RegistryError,
)
from kubernetes_cluster.__main__ import missing_for_clusters

USER, PASSWORD = "ada", "s3cret-of-ada"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageAddress]:
    """A repository in a registry that asks for a password."""
    if missing_for_clusters():
        pytest.skip(missing_for_clusters())
    directory = tmp_path_factory.mktemp("registry")
    with container_registry.Registry(directory, "127.0.0.1", {USER: PASSWORD}) as running:
        yield ImageAddress.parse(f"http://{running.address}/hubs/maps")


def log_in(directory: Path, place: ImageAddress, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write what docker login writes."""
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (directory / "config.json").write_text(json.dumps({"auths": {place.host: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))


def test_an_image_is_pushed_once(place: ImageAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, place, PASSWORD, monkeypatch)
    registry = Registry(place)
    content = b'{"config": {"Labels": {"a": "b"}}}' + b" " * 3_000_000
    blob = tmp_path / "blob"
    blob.write_bytes(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert registry.digest("1") == ""
    assert [registry.upload(str(blob), digest), registry.upload(str(blob), digest)] == [True, False]
    about = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(content)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": []}).encode()
    pushed = registry.upload_manifest(manifest, "1")
    assert registry.digest("1") == pushed
    assert registry.configuration(registry.manifest("1"))["config"]["Labels"] == {"a": "b"}
    registry.download(digest, str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == content


@pytest.mark.parametrize("password", ["", "wrong"])
def test_who_may_not_is_told_how_to_log_in(
    password: str, place: ImageAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if password:
        log_in(tmp_path, place, password, monkeypatch)
    with pytest.raises(RegistryError, match=r"refuses access to hubs/maps \(401\); log in with docker login") as error:
        Registry(place).digest("1")
    assert password == "" or password not in str(error.value)


def test_a_registry_that_does_not_answer() -> None:
    with pytest.raises(RegistryError, match="the registry 127.0.0.1:9 does not answer: .*refused"):
        Registry(ImageAddress.parse("http://127.0.0.1:9/hubs/maps"))
