# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator on Kubernetes: our code is in the hub's pod, however the class was chosen."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ACCESS_CONFIG,
    IDLE_CONFIG,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.extension import (
    EXTRA_CONFIG,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.native_login import (
    NATIVE_CONFIG,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CODE,
    values_of,
)

PEOPLE: dict[str, Any] = {"hub_allowed_users": ["ada"]}
BY_HELM = {
    "hub_helm_values": {
        "hub": {
            "config": {
                "JupyterHub": {"authenticator_class": "nativeauthenticator.NativeAuthenticator"},
                "Authenticator": {"allowed_users": ["ada"]},
            }
        }
    },
}


@pytest.mark.parametrize(
    "variables",
    [
        {"hub_authenticator": "native", **PEOPLE},
        {"hub_authenticator": "native", "hub_defaults_source": "chart", **PEOPLE},
        BY_HELM,
    ],
)
def test_our_code_is_in_the_pod(variables: dict[str, Any]) -> None:
    hub = values_of(**variables).merged["hub"]
    assert hub["extraConfig"][NATIVE_CONFIG] == CODE.native_login
    files = {
        file["mountPath"]: file["stringData"] for name, file in hub["extraFiles"].items() if name.startswith("code-")
    }
    root = "/usr/local/share/jupyterhub/hubfleet/code"
    assert files == {f"{root}/{path}": text for path, text in CODE.package.items()}
    assert f'"{root}"' in CODE.native_login


def test_it_runs_after_the_operators_own() -> None:
    """Which may choose the class; taking back access wraps whatever class there is in the end."""
    variables = {"hub_authenticator": "native", "hub_jupyterhub_config": "pass", **PEOPLE}
    config = values_of(**variables).merged["hub"]["extraConfig"]
    assert sorted(config) == [EXTRA_CONFIG, NATIVE_CONFIG, IDLE_CONFIG, ACCESS_CONFIG]


def test_other_hubs_do_not_have_it() -> None:
    hub = values_of(hub_authenticator="dummy", hub_demonstration=True, **PEOPLE).merged["hub"]
    assert list(hub["extraFiles"]) == ["hubfleet-page"] and NATIVE_CONFIG not in hub["extraConfig"]


@pytest.mark.parametrize(("everyone", "open_to_all"), [({"hub_allow_everyone": True}, True), (PEOPLE, False)])
def test_only_where_everyone_may_come_people_sign_up(everyone: dict[str, Any], open_to_all: bool) -> None:
    config = values_of(hub_authenticator="native", **everyone).merged["hub"]["config"]
    assert config["NativeAuthenticator"]["enable_signup"] is open_to_all
