# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator in a real JupyterHub that is configured by the values of the chart, as its pod would be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    chart_values,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import chart_code
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    hub_of,
)
from hub_client import Browser, wait_for
from native_people import PASSWORD, change_password, first_passwords, log_in, sign_up
from runtime_client import Client
from runtime_rig import free_ports
from runtime_tools import Tools

#: Directories of the hub's pod, which tests have elsewhere.
POD = ("/usr/local/share/jupyterhub/hubfleet", "/srv/jupyterhub")


class Pod(Client):
    """A hub's pod: the files that the chart mounts, and JupyterHub in its working directory."""

    def __init__(self, tools: Tools, root: Path) -> None:
        self.tools, self.root = tools, root
        self.directory = Path(f"{root}{POD[1]}")
        self.directory.mkdir(parents=True)
        self.ports = dict(zip(("public", "hub", "proxy_api"), free_ports(3)))
        self.url = f"http://127.0.0.1:{self.ports['public']}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: Any) -> None:
        """Start a hub with these variables of the inventory."""
        hub = hub_of(hub_domain="hub.example.org", **variables)
        text = json.dumps(chart_values(hub, "", chart_code()).merged)
        for place in POD:
            text = text.replace(place, f"{self.root}{place}")
        values = json.loads(text)
        for file in values["hub"].get("extraFiles", {}).values():
            path = Path(file["mountPath"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["stringData"], encoding="utf-8")
        environment = {
            "PATH": f"{self.tools.hub}/bin:{self.tools.node.parent}:/usr/bin:/bin",
            "HOME": str(self.root),
            "CHART_VALUES": json.dumps(values),
            "CHART_PORTS": json.dumps(self.ports),
            "CHART_PROXY": json.dumps([str(self.tools.node), str(self.tools.proxy)]),
            "CONFIGPROXY_AUTH_TOKEN": "0" * 64,
        }
        config = Path(__file__).with_name("native_chart_config.py")
        log = (self.root / "hub.log").open("ab")
        self.process = subprocess.Popen(
            [str(self.tools.hub / "bin" / "python"), "-m", "jupyterhub", "-f", str(config)],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        wait_for("the hub", self._is_healthy)

    def _is_healthy(self) -> bool:
        assert self.process and self.process.poll() is None, (self.root / "hub.log").read_text(encoding="utf-8")
        return self.request("GET", f"{self.url}hub/health")[0] == 200

    def stop(self) -> None:
        """Stop the hub."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)


@pytest.fixture
def pod(tools: Tools, tmp_path: Path) -> Iterator[Pod]:
    """A pod whose hub does not run yet."""
    made = Pod(tools, tmp_path)
    yield made
    made.stop()


OPEN: dict[str, Any] = {
    "hub_authenticator": "native",
    "hub_admins": ["ada"],
    "hub_allow_everyone": True,
    "hub_blocked_users": ["mallory"],
    "hub_roles": [{"name": "tutors", "scopes": ["list:users"], "users": ["tess"]}],
}


def test_nobody_gets_a_name_by_being_first(pod: Pod) -> None:
    pod.start(**OPEN)
    file = pod.directory / "first-passwords"
    given = first_passwords(file)
    assert sorted(given) == ["ada", "tess"]
    for name in ("ada", "ADA", "ａｄａ", "mallory", "tess"):
        assert "This name is reserved" in sign_up(pod, name)
        assert log_in(pod, name, PASSWORD) is None
    assert "an admin has authorized it" in sign_up(pod, "zoe")
    ada = log_in(pod, "ada", given["ada"])
    assert ada and "Authorize Users</a>" in ada.request("hub/home")[1]
    assert ada.request("hub/authorize/zoe", {"authorized": "yes"})[0] == 200 and log_in(pod, "zoe", PASSWORD)
    assert "changed successfully" in change_password(ada, given["ada"], PASSWORD)
    file.unlink()  # as without a volume
    pod.stop()
    pod.start(**OPEN)
    assert first_passwords(file) == {"tess": given["tess"]}
    assert log_in(pod, "ada", PASSWORD) and log_in(pod, "tess", given["tess"])


def test_nobody_signs_up_where_only_listed_people_may_log_in(pod: Pod) -> None:
    pod.start(hub_authenticator="native", hub_allowed_users=["ben"])
    assert Browser(pod).request("hub/signup")[0] == 404
    assert log_in(pod, "ben", first_passwords(pod.directory / "first-passwords")["ben"])


def test_accounts_of_an_imported_hub(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """People keep their passwords, but nobody gets rights by the import that the account did not have before."""
    people = {"hub_authenticator": "native", "hub_defaults_source": "chart", "hub_allow_everyone": True}
    with monkeypatch.context() as plain:
        plain.setattr(f"{chart_values.__module__}.native_login_settings", lambda _config, _package: iter(()))
        pod.start(**people, hub_admins=["bob"], hub_jupyterhub_config="pass")
        assert "successful" in sign_up(pod, "bob") and "sent to the admin" in sign_up(pod, "ada")
        bob = log_in(pod, "bob", PASSWORD)
        assert bob and bob.request("hub/authorize/ada")[0] == 200 and log_in(pod, "ada", PASSWORD)
        pod.stop()
    pod.start(**people, hub_admins=["ada", "bob"])
    given = first_passwords(pod.directory / "first-passwords")
    assert sorted(given) == ["ada"] and log_in(pod, "ada", PASSWORD) is None and log_in(pod, "bob", PASSWORD)
