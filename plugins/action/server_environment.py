# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_environment: copies the files of repositories that are built to the machine."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import CHANNEL_ALIAS, has_python
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import CONDA, Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.recipe import RepositoryError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import Repository
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (
    rattler_environment,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster


class ActionModule(ServerAction):
    """Hands the files of a repository over, so that machines need neither git nor credentials."""

    #: The commit to build, if the environment is one of a repository.
    pin: Pin | None = None
    #: The repository of it.
    repository: Repository

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module's arguments."""
        filled = super().arguments(hub, cluster, given)
        build = (filled or {}).get("build") or {}
        pins = [environment.pin for environment in hub.environments if environment.name == build.get("name")]
        self.pin = pins[0] if build.get("tree") else None
        if self.pin:
            self.repository = Repository(self.pin.repository, cluster.directory, repository_cache())
        if self.pin and self.pin.kind == CONDA and filled and not self._task.check_mode:
            filled["conda"] = self._conda(hub, cluster, self.pin)
        return filled

    def _conda(self, hub: Hub, cluster: ServerCluster, pin: Pin) -> dict[str, Any]:
        asked = self.repository.conda_environment(pin)
        rattler = rattler_environment(cluster.setup, cluster.assets)
        return {
            **asked,
            "has_python": has_python(asked["specs"]),
            "alias": hub.cluster["cluster_conda_channel_alias"] or CHANNEL_ALIAS,
            "tool": cluster.setup.layout.tool(rattler.directory),
        }

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module, with the files of the repository."""
        if not self.pin or self._task.check_mode:
            return super().apply(arguments, task_vars)
        with tempfile.TemporaryDirectory(prefix="hubfleet-repository-") as directory:
            archive = os.path.join(directory, "repository.tar")
            try:
                self.repository.write_archive(self.pin, archive)
            except RepositoryError as error:
                raise AnsibleActionFail(f"building {arguments['build']['name']}: {error}") from None
            place = self._make_tmp_path()
            there = self._transfer_file(archive, self._connection._shell.join_path(place, "repository.tar"))
            self._fixup_perms2([place, there])
        return super().apply({**arguments, "archive": there}, task_vars)
