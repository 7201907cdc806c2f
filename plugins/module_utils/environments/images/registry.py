# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry of images, by the protocol of the Open Container Initiative, with the client library oras.

Credentials are those that ``docker login`` and ``podman login`` store, also by credential helpers.

Sources: https://github.com/opencontainers/distribution-spec, and containers-auth.json(5).
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ...common.errors import HubfleetError
from ..build.sandbox import trusted_certificates
from .address import ImageAddress
from .pins import DIGEST

INDEX, MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
_DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_ACCEPTED = {"Accept": ", ".join((INDEX, MANIFEST, _DOCKER_INDEX, _DOCKER_MANIFEST))}
#: Seconds to connect, and without any data. Registries that limit requests say how long to wait: seconds and tries.
_TIMEOUT = (30, 120)
_PATIENCE, _LONGEST_WAIT = 5, 30
#: How Docker calls its own registry where it stores logins.
_HUB_LOGIN = "https://index.docker.io/v1/"
_CHUNK = 1 << 20
#: Bytes of a manifest or a configuration.
_MAX_DOCUMENT = 4_000_000


class RegistryError(HubfleetError):
    """A registry cannot be used; a whole sentence with its address."""


class Registry:
    """A repository of images in a registry. Methods raise RegistryError."""

    def __init__(self, address: ImageAddress):
        self.address = address
        with self._told():
            self._client = _client(address)

    def digest(self, reference: str) -> str:
        """Return the digest of the image with a tag, "" if there is none."""
        with self._told():
            answer = self._client.do_request(f"{self.address.api}/manifests/{reference}", "HEAD", headers=_ACCEPTED)
            if answer.status_code == 404:
                return ""
            if answer.status_code == 405:
                return digest_of(self._document(reference))
            self._require(answer)
            digest = str(answer.headers.get("Docker-Content-Digest") or digest_of(self._document(reference)))
            if not is_digest(digest):
                raise RegistryError(f"{self.address.name}: the registry names an image {digest[:80]!r}")
            return digest

    def manifest(self, reference: str) -> Any:
        """Return a manifest, or an index of several, by tag or digest."""
        with self._told():
            return self._mapping(self._document(reference), "manifest")

    def configuration(self, manifest: Any) -> Any:
        """Return the configuration of an image."""
        about = manifest.get("config")
        digest = about.get("digest") if isinstance(about, dict) else None
        if not isinstance(digest, str) or not is_digest(digest):
            raise RegistryError(f"{self.address.name}: the image is of a kind that this release cannot read")
        with self._told():
            return self._mapping(self._verified(self._get(f"blobs/{digest}", {}), digest), "configuration")

    def download(self, digest: str, path: str) -> None:
        """Write a blob to a file; checks its digest."""
        if not is_digest(digest):
            raise RegistryError(f"{self.address.name}: {digest[:80]!r} is no digest")
        checksum = hashlib.sha256()
        with self._told(), open(path, "wb") as file:
            answer = self._client.do_request(f"{self.address.api}/blobs/{digest}", "GET", stream=True)
            self._require(answer)
            for part in answer.iter_content(_CHUNK):
                checksum.update(part)
                file.write(part)
        if f"sha256:{checksum.hexdigest()}" != digest:
            raise RegistryError(f"{self.address.name}: the layer {digest} arrived damaged; run it again")

    def upload(self, path: str, digest: str) -> bool:
        """Send a blob unless the repository has it; return whether it was sent."""
        with self._told():
            if self._client.do_request(f"{self.address.api}/blobs/{digest}", "HEAD").status_code == 200:
                return False
            self._require(self._client.send(self.address, path, digest))
            return True

    def upload_manifest(self, manifest: bytes, tag: str) -> str:
        """Store a manifest under a tag; return its digest."""
        headers = {"Content-Type": MANIFEST}
        with self._told():
            url = f"{self.address.api}/manifests/{tag}"
            self._require(self._client.do_request(url, "PUT", data=manifest, headers=headers))
        return digest_of(manifest)

    def _document(self, reference: str) -> bytes:
        content = self._get(f"manifests/{reference}", _ACCEPTED)
        return self._verified(content, reference) if is_digest(reference) else content

    def _verified(self, content: bytes, digest: str) -> bytes:
        """Return a content that has a digest; the registry, or who is on the way to it, may say anything."""
        if digest_of(content) != digest:
            raise RegistryError(f"{self.address.name}: what is stored as {digest} is something else")
        return content

    def _mapping(self, content: bytes, what: str) -> Any:
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RegistryError(f"{self.address.name}: the registry answers with no {what} of an image")
        return found

    def _get(self, path: str, headers: dict[str, str]) -> bytes:
        answer = self._client.do_request(f"{self.address.api}/{path}", "GET", headers=dict(headers), stream=True)
        self._require(answer)
        content = b""
        for part in answer.iter_content(_CHUNK):
            content += part
            if len(content) > _MAX_DOCUMENT:
                raise RegistryError(f"{self.address.name}: {path} is larger than {_MAX_DOCUMENT // 1_000_000} MB")
        return content

    def _require(self, answer: Any) -> None:
        """Check that a request succeeded."""
        if answer.status_code == 404:
            raise RegistryError(f"{self.address.name} has no such image, or this account may not see it")
        if answer.status_code in (401, 403):
            raise RegistryError(
                f"{self.address.host} refuses access to {self.address.repository} ({answer.status_code}); log in with"
                " docker login or podman login"
            )
        if answer.status_code >= 300:
            raise RegistryError(f"{self.address.name}: the registry answers {answer.status_code}: {_message(answer)}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what goes wrong into a sentence about this registry."""
        try:
            yield
        except HubfleetError:
            raise
        except Exception as error:  # of requests, oras, jsonschema and json
            raise RegistryError(f"{self.address.name} cannot be used: {_reason(error)}") from None


def _client(address: ImageAddress) -> Any:
    """Return the client of oras for a registry."""
    try:
        import oras.provider  # brings its other modules; some of them cannot be imported first
        import requests
    except ImportError:
        raise RegistryError("images are pushed with the Python package oras, which is not installed here") from None
    logging.getLogger("oras").setLevel(logging.CRITICAL)
    once = oras.provider.Registry.do_request.__wrapped__

    class Client(oras.provider.Registry):
        """That of oras 0.2, without what makes it slow or fail here."""

        # The retries of oras take two minutes where there is no such host.
        @oras.decorator.retry(attempts=2, timeout=0)  # type: ignore[untyped-decorator]
        def do_request(self, url: str, method: str = "GET", **more: Any) -> Any:
            """Do a request, with the credentials that it needs."""
            answer = once(self, url, method, **more)
            for _try in range(_PATIENCE):
                if answer.status_code != 429:
                    break
                asked = str(answer.headers.get("Retry-After", ""))
                time.sleep(min(int(asked) if asked.isdigit() else 5, _LONGEST_WAIT))
                answer = once(self, url, method, **more)
            if answer.status_code == 401 and getattr(self.auth, "token", None):
                # oras keeps a token that allows reading, and offers it again where writing needs another one.
                self.auth.token = None
                answer = once(self, url, method, **more)
            return answer

        @oras.decorator.retry(attempts=2, timeout=0)  # type: ignore[untyped-decorator]
        def send(self, place: ImageAddress, path: str, digest: str) -> Any:
            """Send a file. oras itself reads all of it into memory first."""
            begun = self.do_request(f"{place.api}/blobs/uploads/", "POST")
            if begun.status_code != 202:
                return begun
            container = oras.container.Container(f"{place.registry}/{place.repository}")
            url = oras.utils.append_url_params(self._get_location(begun, container), {"digest": digest})
            headers = {"Content-Type": "application/octet-stream"}
            authorization = begun.request.headers.get("Authorization")
            if authorization and urlsplit(url).netloc == urlsplit(begun.request.url).netloc:
                # Asked for it at the end of the file, oras would send an empty one.
                headers["Authorization"] = authorization
            with open(path, "rb") as file:
                return once(self, url, "PUT", data=file, headers=headers)

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or trusted_certificates() or True
    try:
        asked = requests.get(f"{address.api.partition('/v2/')[0]}/v2/", timeout=_TIMEOUT, verify=bundle)
    except requests.RequestException as error:
        raise RegistryError(f"the registry {address.host} does not answer: {_reason(error)}") from None
    backend = "basic" if asked.headers.get("Www-Authenticate", "").lower().startswith("basic") else "token"
    if ".dkr.ecr." in address.host:
        backend = "ecr"
    client = Client(address.registry, insecure=address.plain, tls_verify=bundle, auth_backend=backend)
    if backend == "basic":
        client.auth._basic_auth = ""
    client.session.request = functools.partial(client.session.request, timeout=_TIMEOUT)
    client.auth._auth_config = _logins()
    client.auth.load_configs(oras.container.Container(f"{address.host}/{address.repository}"))
    return client


def _logins() -> dict[str, Any]:
    """Return what docker and podman have stored, in the form of Docker; oras reads only one of the files."""
    home, runtime = os.path.expanduser("~"), os.environ.get("XDG_RUNTIME_DIR")
    places = [
        os.environ.get("REGISTRY_AUTH_FILE"),
        os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker"), "config.json"),
        os.path.join(runtime, "containers", "auth.json") if runtime else None,
        os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "containers", "auth.json"),
    ]
    found: dict[str, Any] = {"auths": {}, "credHelpers": {}, "credsStore": None}
    for place in places:
        if place and os.path.exists(place):
            content = _login(place)
            for key in ("auths", "credHelpers"):
                found[key] = {**(content.get(key) or {}), **found[key]}
            found["credsStore"] = found["credsStore"] or content.get("credsStore")
    if _HUB_LOGIN in found["auths"]:
        found["auths"].setdefault("docker.io", found["auths"][_HUB_LOGIN])
    return found


def _login(path: str) -> dict[str, Any]:
    """Return the content of a file with logins. Raises RegistryError."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise RegistryError(f"{path}, which has the logins of registries, cannot be read, or is not JSON")
    return content


def is_digest(value: Any) -> bool:
    """Tell whether a value is a digest, which may be a part of paths and addresses."""
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def digest_of(content: bytes) -> str:
    """Return the digest that registries know a content by."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _message(answer: Any) -> str:
    """Return what a registry says of an error."""
    try:
        return "; ".join(str(error["message"]) for error in answer.json()["errors"])[:300]
    except (ValueError, KeyError, TypeError):
        return str(answer.reason)


def _reason(error: Exception) -> str:
    """Return why a request failed; the innermost cause says what happened to a connection."""
    import requests

    while isinstance(error, requests.RequestException) and isinstance(error.__context__, Exception):
        error = error.__context__
    cause = getattr(error, "reason", None)
    error = cause if isinstance(cause, Exception) else error
    return (str(error) or type(error).__name__).splitlines()[0][:300]
