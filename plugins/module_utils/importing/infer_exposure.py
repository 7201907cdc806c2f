# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infer ``cluster_exposure`` from ``ingress``, ``httpRoute`` or ``proxy.https`` of the chart."""

from __future__ import annotations

from typing import Any

from ..platform.kubernetes.values.exposure import ISSUER
from ..platform.kubernetes.values.layers import Values
from .option_values import MISSING, accepts, chart_mapping, chart_value

Variables = dict[str, Any]


def infer_exposure(values: Values) -> tuple[Variables, Variables]:
    """Return options of the cluster and options of the hub for its exposure; empty where the chart has none.

    They are valid only if all hubs of the cluster agree, and if no value of the exposure is left over.
    """
    for infer in (_ingress, _gateway, _load_balancer):
        cluster, hub = infer(values)
        cluster = {name: value for name, value in cluster.items() if value and value is not MISSING}
        hub = {name: value for name, value in hub.items() if value and value is not MISSING}
        if cluster and "hub_domain" in hub and all(accepts(name, value) for name, value in {**cluster, **hub}.items()):
            return {**cluster, **_gateway_reference(values, cluster)}, hub
    return {}, {}


def _ingress(values: Values) -> tuple[Variables, Variables]:
    if chart_value(values, "ingress.enabled") is not True:
        return {}, {}
    annotations = chart_mapping(values, "ingress.annotations")
    tls = chart_value(values, "ingress.tls")
    certificate = tls[0] if isinstance(tls, list) and tls and isinstance(tls[0], dict) else {}
    cluster = {
        "cluster_exposure": "ingress",
        "cluster_ingress_class": chart_value(values, "ingress.ingressClassName"),
        "cluster_ingress_annotations": {key: value for key, value in annotations.items() if key != ISSUER},
        "cluster_certificate_issuer": annotations.get(ISSUER),
    }
    return cluster, {
        "hub_domain": _first(chart_value(values, "ingress.hosts")),
        "hub_tls_secret": certificate.get("secretName"),
    }


def _gateway(values: Values) -> tuple[Variables, Variables]:
    if chart_value(values, "httpRoute.enabled") is not True:
        return {}, {}
    return {"cluster_exposure": "gateway"}, {"hub_domain": _first(chart_value(values, "httpRoute.hostnames"))}


def _gateway_reference(values: Values, cluster: Variables) -> Variables:
    """Return ``cluster_gateway``; its keys are validated when the whole hub is."""
    if cluster["cluster_exposure"] != "gateway":
        return {}
    gateway = chart_mapping(values, "httpRoute.gateway")
    keys = {"name": "name", "namespace": "namespace", "sectionName": "section"}
    return {"cluster_gateway": {key: gateway[name] for name, key in keys.items() if gateway.get(name)}}


def _load_balancer(values: Values) -> tuple[Variables, Variables]:
    if (
        chart_value(values, "proxy.https.enabled") is not True
        or chart_value(values, "proxy.service.type") != "LoadBalancer"
    ):
        return {}, {}
    hub = {"hub_domain": _first(chart_value(values, "proxy.https.hosts"))}
    if chart_value(values, "proxy.https.type") == "secret":
        hub["hub_tls_secret"] = chart_value(values, "proxy.https.secret.name")
    contact = chart_value(values, "proxy.https.letsencrypt.contactEmail")
    return {"cluster_exposure": "load-balancer", "cluster_acme_contact": contact}, hub


def _first(listed: Any) -> Any:
    return listed[0] if isinstance(listed, list) and len(listed) == 1 else None
