# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of Helm are read from their Secrets."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases import helm_secrets

RELEASE = {
    "name": "research",
    "namespace": "research-hub",
    "version": 7,
    "info": {
        "status": "deployed",
        "first_deployed": "2026-11-01T08:00:00Z",
        "last_deployed": "2026-11-30T10:14:05.123456789Z",
        "description": "Upgrade complete",
    },
    "chart": {"metadata": {"name": "jupyterhub", "version": "4.4.0", "appVersion": "5.5.0"}},
    "config": {"hub": {"replicas": 1}},
    "manifest": "---\nkind: ConfigMap\n",
    "hooks": [],
}


def secret(content: bytes, name: str = "sh.helm.release.v1.research.v7") -> dict[str, Any]:
    """Return a Secret as the API server returns it."""
    data = base64.b64encode(base64.b64encode(content)).decode()
    return {"metadata": {"name": name, "namespace": "elsewhere"}, "data": {"release": data}}


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_release_is_decoded(compress: Any) -> None:
    found = helm_secrets.decode(secret(compress(json.dumps(RELEASE).encode())))
    assert found == helm_secrets.HelmRelease(
        name="research",
        namespace="research-hub",
        revision=7,
        status="deployed",
        chart_version="4.4.0",
        app_version="5.5.0",
        config={"hub": {"replicas": 1}},
        manifest="---\nkind: ConfigMap\n",
        when="2026-11-30T10:14:05.123456789Z",
        description="Upgrade complete",
    )


def test_release_may_leave_out_what_is_empty() -> None:
    found = helm_secrets.decode(secret(json.dumps({"name": "a", "version": 1, "info": {}, "config": None}).encode()))
    assert (found.namespace, found.config, found.manifest, found.chart_version) == ("elsewhere", {}, "", "")


@pytest.mark.parametrize(
    "broken",
    [
        secret(b"hunter2"),
        secret(b"[1]"),
        secret(b"{}"),
        secret(gzip.compress(b"{}")[:-9]),
        secret(b"\x1f\x8b\x08hunter2"),
        {"metadata": {"name": "sh.helm.release.v1.research.v7"}, "data": {"release": "hunter2"}},
        {"metadata": {"name": "sh.helm.release.v1.research.v7"}, "data": None},
    ],
)
def test_other_content_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(PlatformError) as error:
        helm_secrets.decode(broken)
    assert str(error.value) == "the Secret sh.helm.release.v1.research.v7 does not hold a release of Helm"


def test_labels_tell_the_release() -> None:
    labels = {"owner": "helm", "name": "research", "status": "deployed", "version": "12", "modifiedAt": "1"}
    assert helm_secrets.name_of({"name": "x", "labels": labels}) == ("research", 12, "deployed")


@pytest.mark.parametrize("change", [{"owner": "flux"}, {"name": ""}, {"version": "latest"}, {"version": ""}])
def test_other_labels_are_no_release(change: dict[str, str]) -> None:
    labels = {"owner": "helm", "name": "research", "status": "deployed", "version": "12", **change}
    assert helm_secrets.name_of({"labels": labels}) == ("", 0, "")
    assert helm_secrets.name_of({"labels": None}) == ("", 0, "")
