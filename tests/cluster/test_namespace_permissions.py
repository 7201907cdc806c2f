# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered Role suffices for the rendered script, and the restricted Pod Security Standard is kept.

That no rule is too much is in test_live_permissions.py: the playbooks need more than the script.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from cluster_hub import ClusterHub

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"

pytestmark = pytest.mark.options("cluster_permissions", "hub_block_metadata_with_iptables")


class Deployer:
    """Whoever has the rendered Role, and nothing else. objects: of role.yaml."""

    def __init__(self, hub: ClusterHub) -> None:
        self.hub = hub
        self.objects = yaml.safe_load((hub.files / "role.yaml").read_text(encoding="utf-8"))
        self.apply(self.objects)
        name = self.objects["items"][0]["metadata"]["name"]
        token = hub.kubernetes.kubectl("--namespace", hub.namespace, "create", "token", name, "--duration=1h").strip()
        content = yaml.safe_load(hub.kubernetes.kubeconfig.read_text(encoding="utf-8"))
        content["users"][0]["user"] = {"token": token}
        self.kubeconfig = hub.directory / "deployer.yaml"
        self.kubeconfig.write_text(yaml.safe_dump(content), encoding="utf-8")

    def apply(self, objects: dict[str, Any]) -> None:
        """Apply the objects, as whoever administers the cluster."""
        self.hub.kubernetes.kubectl("apply", "--filename", "-", given=objects)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command with these permissions."""
        environment = {
            **self.hub.kubernetes.environment,
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.hub.directory),
        }
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Install or upgrade the hub."""
        return self.run(os.fspath(self.hub.files / "install.sh"), *arguments)

    def uninstall(self) -> subprocess.CompletedProcess[str]:
        """Remove the hub."""
        return self.run("helm", "uninstall", self.hub.name, "--namespace", self.hub.namespace, "--wait")


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub that is rendered for a namespace of others."""
    made = make_hub(
        cluster_permissions="namespace",
        hub_block_metadata_with_iptables=False,
        hub_user_scheduler=None,
        hub_prepull_on_new_nodes=None,
    )
    made.kubernetes.kubectl("create", "namespace", made.namespace)
    made.kubernetes.kubectl("label", "namespace", made.namespace, RESTRICTED)
    made.render()
    return made


@pytest.fixture(scope="module")
def deployer(hub: ClusterHub) -> Deployer:
    return Deployer(hub)


def test_what_the_namespace_refuses_is_found_before(hub: ClusterHub) -> None:
    """The dry run of a session knows what no schema does."""
    done = hub.playbook("validate", "-e", "validate_dry_run=true")
    assert done.returncode == 0, done.stdout
    assert "1 pod of sessions checked" in done.stdout
    given = dict(hub.variables)
    hub.variables["hub_block_metadata_with_iptables"] = True
    done = hub.playbook("validate", "-e", "validate_dry_run=true")
    hub.variables = given
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted:latest": privileged (container "block-cloud-metadata"' in done.stdout


def test_a_hub_is_installed_upgraded_and_removed(hub: ClusterHub, deployer: Deployer) -> None:
    deployer.apply(deployer.objects)
    for more in ((), ("--set", "hub.annotations.changed=yes")):
        done = deployer.install("--wait", "--timeout=180s", *more)
        assert done.returncode == 0, f"{done.stderr}\n{hub.state()}"
    hub.connect()
    with hub.session("ada") as session:
        context = session.container["securityContext"]
        assert context["runAsNonRoot"] and context["capabilities"] == {"drop": ["ALL"]}
        assert session.value("os.getuid()") == 1000
    done = deployer.uninstall()
    assert done.returncode == 0, done.stderr
    assert hub.pods("hub") == []
