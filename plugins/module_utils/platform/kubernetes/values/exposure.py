# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How browsers come to the hub: ``ingress``, ``httpRoute`` or ``proxy`` of the chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ....schema.model import Hub
from .layers import Values
from .settings import Setting, setting

#: What tells cert-manager who makes an ingress' certificate.
ISSUER = "cert-manager.io/cluster-issuer"


def exposure_settings(hub: Hub, defaults: Values) -> Iterator[Setting]:
    """Yield the hub's path, and the route to it where the cluster has one; ``defaults`` are those of the chart."""
    source = "hub_domain" if hub["hub_domain"] else "hub_url"
    path = urlsplit(hub["hub_url"] or "").path
    if path.strip("/"):
        yield setting("hub.baseUrl", path if path.endswith("/") else f"{path}/", source)
    route = hub.cluster["cluster_exposure"]
    domain = hub["hub_domain"] or urlsplit(hub["hub_url"] or "").hostname
    if hub["hub_defaults_source"] == "collection" and route != "load-balancer":
        # The chart's own default, a load balancer, serves passwords and cookies without TLS.
        yield setting("proxy.service.type", "ClusterIP", "hub_defaults_source")
    if not domain:
        return
    if route == "ingress":
        yield from _ingress(hub, domain, source)
    elif route == "gateway":
        yield from _gateway(hub, domain, source, "parentRefs" in (defaults.get("httpRoute") or {}))
    elif route == "load-balancer":
        yield from _load_balancer(hub, domain, source)


def _ingress(hub: Hub, domain: str, source: str) -> Iterator[Setting]:
    cluster = hub.cluster
    yield setting("ingress.enabled", True, "cluster_exposure")
    yield setting("ingress.hosts", [domain], source)
    if cluster["cluster_ingress_class"]:
        yield setting("ingress.ingressClassName", cluster["cluster_ingress_class"], "cluster_ingress_class")
    if cluster["cluster_ingress_annotations"]:
        yield setting("ingress.annotations", cluster["cluster_ingress_annotations"], "cluster_ingress_annotations")
    issuer = cluster["cluster_certificate_issuer"]
    if issuer:
        yield Setting(("ingress", "annotations", ISSUER), issuer, ("cluster_certificate_issuer",))
    secret = hub["hub_tls_secret"] or f"{hub.release}-tls"
    named_by = "hub_tls_secret" if hub["hub_tls_secret"] else "cluster_certificate_issuer"
    yield setting("ingress.tls", [{"hosts": [domain], "secretName": secret}], named_by)


def _gateway(hub: Hub, domain: str, source: str, has_references: bool) -> Iterator[Setting]:
    gateway: dict[str, Any] = hub.cluster["cluster_gateway"]
    yield setting("httpRoute.enabled", True, "cluster_exposure")
    yield setting("httpRoute.hostnames", [domain], source)
    names = {"name": "name", "namespace": "namespace", "section": "sectionName"}
    reference = {names[key]: value for key, value in gateway.items() if value}
    if has_references:  # charts from 5.0
        yield setting("httpRoute.parentRefs", [{"kind": "Gateway", **reference}], "cluster_gateway")
        return
    for key, name in names.items():
        if gateway[key]:
            yield setting(f"httpRoute.gateway.{name}", gateway[key], "cluster_gateway", key)


def _load_balancer(hub: Hub, domain: str, source: str) -> Iterator[Setting]:
    yield setting("proxy.service.type", "LoadBalancer", "cluster_exposure")
    yield setting("proxy.https.enabled", True, "cluster_exposure")
    yield setting("proxy.https.hosts", [domain], source)
    if hub["hub_tls_secret"]:
        yield setting("proxy.https.type", "secret", "hub_tls_secret")
        yield setting("proxy.https.secret.name", hub["hub_tls_secret"], "hub_tls_secret")
    else:
        contact = hub.cluster["cluster_acme_contact"]
        yield setting("proxy.https.type", "letsencrypt", "cluster_exposure")
        yield setting("proxy.https.letsencrypt.contactEmail", contact, "cluster_acme_contact")
