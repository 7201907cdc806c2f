# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the API server of a cluster, by the official library; objects are plain data.

Paths are those of the API, such as ``/api/v1/namespaces/research/secrets``
(https://kubernetes.io/docs/reference/using-api/api-concepts/).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from ....common.text import one_line
from ...errors import PlatformError, UnreachableError
from .credentials import Credentials

Json = dict[str, Any]
Objects = list[Json]
#: Of a table: the metadata of an object, and its cells by column.
Rows = list[tuple[Json, Json]]

#: Seconds to connect, and to wait for an answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
#: Whose fields our changes are, in managedFields.
FIELD_MANAGER = "hubfleet"

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH, JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"


class ApiError(PlatformError):
    """The API server refused a request. status: of HTTP. reason: its word for it, such as AlreadyExists."""

    def __init__(self, message: str, status: int, reason: str = "", details: Json | None = None):
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.details = details or {}


class KubernetesApi:
    """The API server of one cluster. Making it does no I/O. Methods raise ApiError, or UnreachableError."""

    def __init__(self, credentials: Credentials, read_timeout: float = READ_TIMEOUT):
        """read_timeout: seconds to wait for an answer."""
        self.credentials = credentials
        self.read_timeout = read_timeout
        self._client: Any = None

    def get(self, path: str, **query: Any) -> Json:
        """Return an object."""
        found: Json = json.loads(self.request("GET", path, query))
        return found

    def find(self, path: str) -> Json | None:
        """Return an object, None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def list(self, path: str, selector: str = "", metadata: bool = False, **query: Any) -> Objects:
        """Return the objects of a collection.

        selector: of labels. metadata: only the metadata of each, which is much less.
        """
        if selector:
            query["labelSelector"] = selector
        accept = _METADATA if metadata else "application/json"
        found = json.loads(self.request("GET", path, query, accept=accept))
        items: Objects = found["items"] or []
        return items

    def table(self, path: str, selector: str = "") -> Rows:
        """Return what ``kubectl get`` shows of a collection: the metadata and the cells of each object, by column."""
        query = {"labelSelector": selector} if selector else {}
        found = json.loads(self.request("GET", path, {**query, "includeObject": "Metadata"}, accept=_TABLE))
        names = [column["name"] for column in found["columnDefinitions"]]
        return [(row["object"]["metadata"], dict(zip(names, row["cells"]))) for row in found["rows"] or []]

    def create(self, path: str, body: Json, **query: Any) -> Json:
        """Create an object in a collection."""
        found: Json = json.loads(self.request("POST", path, {"fieldManager": FIELD_MANAGER, **query}, body))
        return found

    def replace(self, path: str, body: Json) -> Json:
        """Replace an object; refused (409) where its resourceVersion is not the current one."""
        found: Json = json.loads(self.request("PUT", path, {"fieldManager": FIELD_MANAGER}, body))
        return found

    def patch(self, path: str, body: Json | Objects, content_type: str = MERGE_PATCH, **query: Any) -> Json:
        """Change parts of an object."""
        query = {"fieldManager": FIELD_MANAGER, **query}
        found: Json = json.loads(self.request("PATCH", path, query, body, content_type))
        return found

    def delete(self, path: str, **options: Any) -> bool:
        """Delete an object; return whether there was one. options: of DeleteOptions, such as propagationPolicy."""
        try:
            self.request("DELETE", path, {}, options or None)
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def text(self, path: str, **query: Any) -> str:
        """Return text that is not JSON, such as a log."""
        return self.request("GET", path, query, accept="*/*").decode(errors="replace")

    def request(
        self,
        method: str,
        path: str,
        query: Json | None = None,
        body: Json | Objects | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        """Send a request, and return the content of the answer."""
        client = self.client  # imports the library
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        parameters = f"?{urlencode(query)}" if query else ""
        try:
            answer = client.request(
                method,
                path + parameters,
                body=body,
                header_params={"Accept": accept},
                content_type=content_type,
                serialize=False,
                _request_timeout=(CONNECT_TIMEOUT, self.read_timeout),
            )
        except ApiException as error:
            raise self._refused(error) from None
        except (HTTPError, OSError, ValueError) as error:
            raise UnreachableError(f"{self.server} does not answer: {_why(error)}") from None
        data: bytes = answer.data
        return data

    def connect(self) -> None:
        """Make the library's client, which is otherwise made by the first request; raises PlatformError."""
        _client = self.client

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.client.configuration.host)

    @property
    def client(self) -> Any:
        """The library's client for requests."""
        if self._client is None:
            client = self.credentials.api_client()
            from kubernetes.dynamic import DynamicClient

            # Without discovery, which reads every API of the cluster and writes a cache into /tmp.
            self._client = DynamicClient(client, discoverer=lambda _client, _cache: None)
        return self._client

    def _refused(self, error: Any) -> PlatformError:
        try:
            status = json.loads(error.body)
            message, why = str(status.get("message") or ""), str(status.get("reason") or "")
            details = status.get("details") or {}
        except (TypeError, ValueError, AttributeError):
            message, why, details = "", "", {}
        message = one_line(message or f"{error.status} {error.reason}")
        if error.status == 401:
            return UnreachableError(f"{self.server} does not accept the credentials of {self.credentials.name}")
        if error.status in (0, 429, 500, 502, 503, 504) and why != "AlreadyExists":
            return UnreachableError(f"{self.server} does not work: {message}")
        return ApiError(message, error.status, why, details)


def ignoring(status: int, do: Callable[[], Any]) -> bool:
    """Do something; return whether it succeeded, False where the API server answers with this status."""
    try:
        do()
    except ApiError as error:
        if error.status != status:
            raise
        return False
    return True


def _why(error: Exception) -> str:
    """Return the innermost reason of an error of urllib3, which wraps them."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, Exception):
        return _why(reason)
    text = one_line(str(error))
    for words, shown in _REASONS:
        if words in text:
            return shown
    return text.rpartition(": ")[2] or type(error).__name__


_REASONS = (
    ("Connection refused", "nothing listens there"),
    ("timed out", "there was no answer in time"),
    ("Name or service not known", "the name is not known"),
    ("Temporary failure in name resolution", "the name cannot be resolved"),
    ("certificate verify failed", "its certificate is not from the authority of the kubeconfig"),
    ("No route to host", "no network leads there"),
)
