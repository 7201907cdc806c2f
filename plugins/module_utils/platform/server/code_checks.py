# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check hub_jupyterhub_config of hubs on machines by the recorded traits of their version of JupyterHub."""

from __future__ import annotations

import os

from ...common.nested import path_text
from ...schema.model import EncryptedValue, HostInput, Hub
from ...schema.problems import Problems
from ..config_classes import read_traits
from ..config_code import code_problems
from ..traits import hub_traits

_OPTION = "hub_jupyterhub_config"
_SPAWNER = "hubfleet_runtime.spawner.ServerSpawner"


def check_code(hub: Hub, host: HostInput, records: str, problems: Problems) -> None:
    """Report traits that no class has. records: the directory with what is recorded of versions of JupyterHub."""
    text = hub[_OPTION]
    if not text or isinstance(text, EncryptedValue):
        return
    traits = read_traits(os.path.join(records, hub["hub_jupyterhub_version"], "traits.json"))
    config = {"JupyterHub": {**hub_traits(hub)["JupyterHub"], "spawner_class": _SPAWNER}}
    for section, trait, message in code_problems(text, config, traits):
        path = (_OPTION, section, trait)
        name = path_text(path)
        ignored = name in (hub["hub_ignored_problems"] or ())
        problems.add(path, message, host.locate((_OPTION,)), hub.name, ignorable_as=name, ignored=ignored)
