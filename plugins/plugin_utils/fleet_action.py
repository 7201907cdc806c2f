# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet-wide actions share: one call for all hubs, a validated fleet, plain output."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import (
    plain,
    read_inventory,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.machines import reach
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import Validated, stopping, validated

display = Display()


class BulkAction(ActionBase):
    """Base of actions that run once for all hosts of a play, in the controller."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True


class FleetAction(BulkAction):
    """Base of actions that look at all hubs of a play at once, valid ones only."""

    #: Names of the arguments that the action takes.
    ARGUMENTS: frozenset[str] = frozenset()
    #: Whether environments need what the lock file says: commits of their repositories, and images.
    NEEDS_LOCK_FILE = True
    #: Whether the lock file must have the images of all environments, because hubs are compared or deployed.
    NEEDS_IMAGES = True
    #: What validation found out, for :meth:`work`.
    validated: Validated

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Validate the fleet, then hand over to :meth:`work`; stop at any problem."""
        super().run(tmp, task_vars)
        unknown = set(self._task.args) - self.ARGUMENTS
        if unknown:
            return {"failed": True, "msg": f"unknown arguments: {', '.join(sorted(unknown))}"}
        inventory = read_inventory(task_vars, keep_encrypted=self.keep_encrypted())
        if not self.NEEDS_LOCK_FILE:
            inventory.lock, inventory.admins = None, {}
        inventory.needs_images = self.NEEDS_IMAGES
        selected = [name for name in map(str, self.hosts(task_vars)) if name in inventory.hosts]
        if not selected:
            what = "no host that was selected is a hub" if inventory.hosts else "the inventory has no hub"
            return {"failed": True, "msg": f"{what}: hubs are hosts of child groups of the group clusters"}
        try:
            platforms = Platforms(inventory, lambda hub: reach(self, hub, task_vars), self.downloads())
            found = self.validated = validated(inventory, selected, platforms)
            problems = stopping(found, selected, bool(self.argument("as_deployed", False)))
            if problems:
                return report_problems(problems)
            fleet = found.fleet
            return self.work(fleet, [fleet.hubs[name] for name in selected], inventory, task_vars)
        except HubfleetError as error:
            raise AnsibleActionFail(f"{error}; nothing was changed") from None

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Do the work on ``hubs``, the ones that ``--limit`` selected, all of them valid."""
        raise NotImplementedError

    def hosts(self, task_vars: Any) -> list[str]:
        """Return the hosts to work on; hubs that failed earlier in the run are done with."""
        return list(task_vars["ansible_play_hosts"])

    def keep_encrypted(self) -> bool:
        """Tell whether what is encrypted can stay encrypted, because it is not needed."""
        return False

    def downloads(self) -> bool:
        """Return whether to download missing charts."""
        return False

    @property
    def platforms(self) -> Platforms:
        """The platforms of the inventory's clusters."""
        return self.validated.platforms

    def argument(self, name: str, default: Any = None) -> Any:
        """Return an argument of the task in plain Python types."""
        return plain(self._task.args.get(name, default))


def report_problems(problems: list[Problem]) -> dict[str, Any]:
    """Print one line per problem and return the failed result."""
    for problem in problems:
        display.display(problem.line(), color="red")
    hubs = {name for problem in problems for name in problem.hubs}
    count = plural(len(problems), "problem")
    where = f" in {plural(len(hubs), 'hub')}" if hubs else ""
    return {"failed": True, "msg": f"{count}{where}, listed above; nothing was changed"}
