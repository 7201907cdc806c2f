# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a hub is reached for its check: by its own address, or through the API server of its cluster."""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
import time
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import HubTarget

from ..errors import PlatformError, UnreachableError
from .api.client import KubernetesApi
from .api.port_forward import PortForward
from .api.service_pods import port_number, ready_pod

#: The Service of the chart that leads to the hub's proxy.
SERVICE = "proxy-public"
#: Seconds to wait for a proxy that is not ready at the moment, such as after the API server was away.
READY_SECONDS = 15.0
#: Where the chart has certificates issued, another proxy is in front, which knows no hub until it has a certificate.
#: This Service leads past it.
SERVICE_BEHIND_CERTIFICATES, CERTIFICATES = "proxy-http", "autohttps"


def is_inside(url: str, namespace: str) -> bool:
    """Tell whether an address is that of the hub's proxy inside of its cluster."""
    name = f"{SERVICE}.{namespace}"
    return urlsplit(url).hostname in (name, f"{name}.svc", f"{name}.svc.cluster.local")


def unknown_names(urls: Iterable[str]) -> set[str]:
    """Return the host names in these addresses that cannot be resolved here; all are asked at once."""
    names = sorted({urlsplit(url).hostname or "" for url in urls if not _has_proxy(url)})
    if not names:
        return set()
    with ThreadPoolExecutor(min(32, len(names))) as pool:
        return {name for name, found in zip(names, pool.map(_is_known, names)) if not found}


def through_cluster(api: KubernetesApi, target: HubTarget, namespace: str, forwards: ExitStack) -> HubTarget:
    """Return a target that leads through the API server for as long as ``forwards`` is open.

    What is in front of the hub's proxy, such as a gateway and its certificate, is not tried. Raises PlatformError.
    """
    service = api.find(f"/api/v1/namespaces/{namespace}/services/{SERVICE}")
    if service is None:
        raise PlatformError(f"namespace {namespace} has no service {SERVICE}")
    scheme = urlsplit(target.url).scheme
    if scheme == "https" and (service["spec"].get("selector") or {}).get("component") == CERTIFICATES:
        service = api.find(f"/api/v1/namespaces/{namespace}/services/{SERVICE_BEHIND_CERTIFICATES}") or service
    ports = {port.get("name") or "http": port["targetPort"] for port in service["spec"]["ports"]}
    scheme = scheme if scheme in ports else "http"
    if scheme not in ports:
        raise PlatformError(f"the service {service['metadata']['name']} in namespace {namespace} has no port http")
    pod = _ready_pod(api, namespace, service)
    if pod is None:
        raise PlatformError(f"no pod of the service {service['metadata']['name']} in namespace {namespace} is ready")
    number = port_number(pod, ports[scheme])
    try:
        local = forwards.enter_context(PortForward(api, namespace, pod["metadata"]["name"], number))
    except UnreachableError as error:
        raise PlatformError(str(error)) from None  # the cluster answers, or there would be no pod
    return _elsewhere(target, scheme, local)


def _ready_pod(api: KubernetesApi, namespace: str, service: Any) -> Any:
    """Return a pod of a Service that is ready, None where none becomes so in time."""
    deadline = time.monotonic() + READY_SECONDS
    while (pod := ready_pod(api, namespace, service)) is None and time.monotonic() < deadline:
        time.sleep(1)
    return pod


def _elsewhere(target: HubTarget, scheme: str, port: int) -> HubTarget:
    """Return a target behind a port of this machine; its name stays, which certificates and virtual hosts need."""
    parts = urlsplit(target.url)
    if _is_address(parts.hostname or ""):
        # nothing is resolved
        return dataclasses.replace(target, url=urlunsplit((scheme, f"127.0.0.1:{port}", parts.path, "", "")))
    url = urlunsplit((scheme, parts.netloc, parts.path, "", ""))
    return dataclasses.replace(target, url=url, connect_to=("127.0.0.1", port))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_known(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return False
    return True


def _has_proxy(url: str) -> bool:
    """Tell whether an HTTP proxy resolves the name, as in check/client.py."""
    parts = urlsplit(url)
    return bool(urllib.request.getproxies().get(parts.scheme)) and not urllib.request.proxy_bypass(parts.hostname or "")
