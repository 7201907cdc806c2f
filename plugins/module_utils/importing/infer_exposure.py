# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guess the route that the chart itself makes: ``ingress``, ``httpRoute`` or ``proxy.https``."""

from __future__ import annotations

from typing import Any

from ..platform.kubernetes.values.exposure import ISSUER
from ..platform.kubernetes.values.layers import Values
from .reconcile_values import MISSING, at, keeps, mapping_at

Variables = dict[str, Any]


def guess_route(wanted: Values) -> tuple[Variables, Variables]:
    """Return the options of the cluster, and those of the hub, that may make the route; none where there is none.

    They hold only if all hubs of the cluster agree, and nothing of the route is left over.
    """
    for guess in (_ingress, _gateway, _load_balancer):
        cluster, hub = guess(wanted)
        found = {name: value for name, value in cluster.items() if value and value is not MISSING}
        own = {name: value for name, value in hub.items() if value and value is not MISSING}
        if found and "hub_domain" in own and all(keeps(name, value) for name, value in {**found, **own}.items()):
            return {**found, **_gateway_of(wanted, found)}, own
    return {}, {}


def _ingress(wanted: Values) -> tuple[Variables, Variables]:
    if at(wanted, "ingress.enabled") is not True:
        return {}, {}
    annotations = mapping_at(wanted, "ingress.annotations")
    tls = at(wanted, "ingress.tls")
    certificate = tls[0] if isinstance(tls, list) and tls and isinstance(tls[0], dict) else {}
    cluster = {
        "cluster_exposure": "ingress",
        "cluster_ingress_class": at(wanted, "ingress.ingressClassName"),
        "cluster_ingress_annotations": {key: value for key, value in annotations.items() if key != ISSUER},
        "cluster_certificate_issuer": annotations.get(ISSUER),
    }
    return cluster, {"hub_domain": _first(at(wanted, "ingress.hosts")), "hub_tls_secret": certificate.get("secretName")}


def _gateway(wanted: Values) -> tuple[Variables, Variables]:
    if at(wanted, "httpRoute.enabled") is not True:
        return {}, {}
    return {"cluster_exposure": "gateway"}, {"hub_domain": _first(at(wanted, "httpRoute.hostnames"))}


def _gateway_of(wanted: Values, found: Variables) -> Variables:
    """Return the gateway of a route; its keys are checked where the whole is tried."""
    if found["cluster_exposure"] != "gateway":
        return {}
    gateway = mapping_at(wanted, "httpRoute.gateway")
    words = {"name": "name", "namespace": "namespace", "sectionName": "section"}
    return {"cluster_gateway": {key: gateway[word] for word, key in words.items() if gateway.get(word)}}


def _load_balancer(wanted: Values) -> tuple[Variables, Variables]:
    if at(wanted, "proxy.https.enabled") is not True or at(wanted, "proxy.service.type") != "LoadBalancer":
        return {}, {}
    hub = {"hub_domain": _first(at(wanted, "proxy.https.hosts"))}
    if at(wanted, "proxy.https.type") == "secret":
        hub["hub_tls_secret"] = at(wanted, "proxy.https.secret.name")
    contact = at(wanted, "proxy.https.letsencrypt.contactEmail")
    return {"cluster_exposure": "load-balancer", "cluster_acme_contact": contact}, hub


def _first(listed: Any) -> Any:
    return listed[0] if isinstance(listed, list) and len(listed) == 1 else None
