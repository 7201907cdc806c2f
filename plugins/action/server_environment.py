# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_environment: copies the files of repositories that are built to the machine."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.conda import CHANNEL_ALIAS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import CONDA, Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import (
    Repository,
    RepositoryError,
)
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
    #: The inventory directory.
    directory = ""

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module's arguments."""
        filled = super().arguments(hub, cluster, given)
        if filled is None or not filled["build"]["tree"]:
            return filled
        self.directory = cluster.directory
        name = filled["build"]["name"]
        self.pin = next(environment.pin for environment in hub.environments if environment.name == name)
        if self.pin and self.pin.kind == CONDA and not self._task.check_mode:
            rattler = rattler_environment(cluster.setup, cluster.assets)
            environment = self._repository(self.pin).conda_environment(self.pin)
            filled["conda"] = asdict(environment) if environment else None
            filled["conda_channel_alias"] = hub.cluster["cluster_conda_channel_alias"] or CHANNEL_ALIAS
            filled["rattler"] = cluster.setup.layout.tool(rattler.directory)
        return filled

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module, with the files of the repository."""
        if not self.pin or self._task.check_mode:
            return super().apply(arguments, task_vars)
        with tempfile.TemporaryDirectory(prefix="hubfleet-repository-") as directory:
            archive = os.path.join(directory, "repository.tar")
            try:
                self._repository(self.pin).write_archive(self.pin, archive)
            except RepositoryError as error:
                raise AnsibleActionFail(f"building {arguments['build']['name']}: {error}") from None
            place = self._make_tmp_path()
            there = self._transfer_file(archive, self._connection._shell.join_path(place, "repository.tar"))
            self._fixup_perms2([place, there])
        return super().apply({**arguments, "archive": there}, task_vars)

    def _repository(self, pin: Pin) -> Repository:
        return Repository(pin.repository, self.directory, repository_cache())
