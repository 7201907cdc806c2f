# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart makes the route that a hub's options describe, whatever it calls their values.

It is only rendered: the Gateway API is not part of Kubernetes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import yaml
from cluster_hub import ClusterHub
from kubernetes_api import program


def test_the_route_names_gateway_and_listener(make_hub: Callable[..., ClusterHub]) -> None:
    hub = make_hub(
        cluster_exposure="gateway",
        cluster_gateway={"name": "shared", "namespace": "gateways", "section": "https"},
        hub_domain="hub.example.org",
    )
    hub.render()
    command = [program("helm"), "template", "hub", str(hub.chart), "--values", str(hub.files / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    routes = [each for each in yaml.safe_load_all(done.stdout) if each and each["kind"] == "HTTPRoute"]
    assert len(routes) == 1
    (found,) = routes[0]["spec"]["parentRefs"]
    reference = {"name": "shared", "namespace": "gateways", "sectionName": "https"}
    assert {"kind": "Gateway", **found} == {"kind": "Gateway", **reference}  # the kind is the default
    assert routes[0]["spec"]["hostnames"] == ["hub.example.org"]
