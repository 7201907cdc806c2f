# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reach the machines of clusters: this process where it is the controller's own, Ansible's connection plugins else.

A task has one connection, to the host that it runs for; what looks at the whole fleet at once needs one to every
machine. :func:`connected` makes it as Ansible's task executor does, from the variables of a hub of the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import become_loader, connection_loader
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import nonempty_lines
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    CheckResults,
    PlatformError,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import (
    LocalMachine,
    MachineAccess,
    Report,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.queries import QUERIES
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import LOCALHOST, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain

COLLECTION = "hubfleet.jupyterhub"
#: What holds unless the inventory says otherwise, as in playbooks/vars/connection.yml. Pipelining: the arguments of
#: modules, secrets among them, go through the connection only, and not into files on the machine.
DEFAULTS = {"ansible_connection": "ssh", "ansible_python_interpreter": "auto_silent", "ansible_pipelining": True}

#: What Ansible says where the password was not asked for in its own words.
_NO_PROMPT = "waiting for privilege escalation prompt"
_SUDO_RS = (
    "where that is sudo-rs, as on Ubuntu 25.10 and newer, set ansible_become_exe: sudo.ws, "
    "or let the account use sudo without a password"
)


def host_of(hub: Hub) -> str:
    """Return the machine of a hub's cluster."""
    return str(hub.cluster["cluster_host"])


class RemoteMachine:
    """Another machine than the controller, on which ``action`` runs modules."""

    def __init__(self, action: ActionBase, host: str, variables: Mapping[str, Any]):
        self.action = action
        self.host = host
        # Ansible writes down in the facts which Python it found.
        self.variables = {**variables, "ansible_facts": dict(variables.get("ansible_facts") or {})}

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        """Answer one of the queries; raises PlatformError, UnreachableError where the machine does not answer."""
        found = self.run("server_query", {"query": name, "arguments": arguments})["answer"]
        return QUERIES[name].decode(found)

    def check(
        self, hubs: list[tuple[HubTarget, str]], options: CheckOptions, python: str, report: Report | None
    ) -> CheckResults:
        """Check hubs on the machine, by the Python that they run with: it has what the check needs."""
        if report:
            report(f"checking {', '.join(target.name for target, _directory in hubs)} from {self.host}")
        targets = [{**asdict(target), "directory": directory} for target, directory in hubs]
        found = self.run("server_check", {"hubs": targets, "options": asdict(options)}, python)
        return CheckResults.from_dict(found["checked"])

    def run(self, module: str, arguments: dict[str, Any], python: str = "") -> dict[str, Any]:
        """Run a module of this collection, by the machine's own Python unless ``python`` is given; return its result.

        Raises PlatformError with what the module says, UnreachableError where it could not be run.
        """
        variables = {**self.variables, "ansible_python_interpreter": python} if python else self.variables
        try:
            result = self.action._execute_module(
                module_name=f"{COLLECTION}.{module}", module_args=arguments, task_vars=variables
            )
        except AnsibleError as error:
            raise UnreachableError(f"{self.host} cannot be used: {self.reason(error)}") from None
        result = plain(result)
        if result.get("explained"):
            raise PlatformError(f"{self.host}: {result['msg']}")
        if result.get("failed"):
            # Such as: no sudo, or no Python.
            why = result.get("module_stderr") or result.get("module_stdout") or result.get("msg") or "no answer"
            raise UnreachableError(f"{self.host} cannot be used: {_one_line(str(why))}")
        return dict(result)

    def reason(self, error: AnsibleError) -> str:
        """Return in a line why nothing could be run; what ssh says is hidden along with what modules say."""
        if not isinstance(error, AnsibleConnectionFailure):
            return _one_line(str(error))
        if _NO_PROMPT in str(error):
            return f"sudo did not ask for the password as Ansible expects it; {_SUDO_RS}"
        context = self.action._play_context
        hidden, context.no_log = context.no_log, False
        try:
            self.action._low_level_execute_command("true", sudoable=False)
        except AnsibleError as shown:
            return _one_line(str(shown))
        finally:
            context.no_log = hidden
        return _one_line(str(error))


def connected(action: ActionBase, hub: Hub, task_vars: Mapping[str, Any]) -> RemoteMachine:
    """Return the machine of a hub's cluster, over a connection of its own."""
    variables = {**DEFAULTS, **_connection_variables(hub.name, task_vars), "ansible_host": host_of(hub)}
    context = action._play_context.copy()
    # Otherwise -vvv shows what modules answer, word for word.
    context.no_log = True
    kind = str(variables["ansible_connection"])
    connection = connection_loader.get(kind, context, new_stdin=None)
    if connection is None:
        raise PlatformError(f"{host_of(hub)}: there is no connection plugin {kind!r}")
    keywords = _keywords(action)
    connection.set_options(task_keys=keywords, var_options=_options("connection", connection, variables))
    connection._shell.set_options(task_keys=keywords, var_options=_options("shell", connection._shell, variables))
    become = None
    if boolean(variables.get("ansible_become", False)):
        method = str(variables.get("ansible_become_method") or "sudo")
        become = become_loader.get(method)
        if become is None:
            raise PlatformError(f"{host_of(hub)}: there is no become plugin {method!r}")
        become.set_options(task_keys=keywords, var_options=_options("become", become, variables))
        context.set_become_plugin(become.name)
        context.prompt = become.prompt
    connection.set_become_plugin(become)
    task = action._task.copy()
    task.no_log = True
    runner = _Runner(task, connection, context, action._loader, action._templar, action._shared_loader_obj)
    return RemoteMachine(runner, host_of(hub), variables)


class _Runner(ActionBase):
    """Runs modules over the connection it is given."""

    _supports_check_mode = True

    def _execute_module(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = super()._execute_module(*arguments, **more)
            return found
        finally:
            self.cleanup()

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        raise NotImplementedError


def reach(action: ActionBase, hub: Hub, task_vars: Mapping[str, Any]) -> MachineAccess:
    """Return the machine of a hub's cluster."""
    return LocalMachine() if host_of(hub) == LOCALHOST else connected(action, hub, task_vars)


def _connection_variables(hub: str, task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the inventory says of how Ansible reaches the machine of a hub."""
    hostvars = task_vars["hostvars"]
    templated = hostvars[hub]
    found = {"inventory_hostname": hub}
    for name in hostvars.raw_get(hub):
        if name.startswith("ansible_") and name not in ("ansible_facts", "ansible_local"):
            found[name] = templated[name]
    return found


def _keywords(action: ActionBase) -> dict[str, Any]:
    """Return what the command line says, such as the account and its password, in the names of plugins' options."""
    context, keywords = action._play_context, action._task.dump_attrs()
    # The task's own are about the task.
    del keywords["retries"]
    keywords["timeout"] = context.timeout
    keywords.update({name: value for name, value in (("password", context.password),) if value})
    keywords.update({name: value for name, value in (("become_pass", context.become_pass),) if value})
    return dict(keywords)


def _options(kind: str, plugin: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    names = C.config.get_plugin_vars(kind, plugin._load_name)
    return {name: variables[name] for name in names if name in variables}


def _one_line(text: str) -> str:
    """Return the last line that says anything: the ones before it are greetings and warnings."""
    lines = nonempty_lines(text)
    return lines[-1][:300] if lines else "no answer"
