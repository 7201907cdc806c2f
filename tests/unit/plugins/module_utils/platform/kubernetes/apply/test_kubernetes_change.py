# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a hub goes on only for as long as its playbook lives."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import Place


class Lock:
    """A lock that is never lost."""

    renewed = 0

    def renew(self, _owner: LockOwner) -> None:
        self.renewed += 1


def test_nothing_is_changed_after_the_playbook_was_killed() -> None:
    alive = LockOwner.of_process(os.getpid(), "ada", "today")
    gone = dataclasses.replace(alive, start_time="0")
    place, lock = Place("cloud", "research", "research", "research"), Lock()
    unused: Any = None

    def change(owner: LockOwner) -> Change:
        given: Any = lock
        return Change(unused, place, given, owner, {}, 10, 60, print)

    change(alive).renew()
    with pytest.raises(PlatformError, match="the playbook of this task has ended; nothing more is changed"):
        change(gone).renew()
    assert lock.renewed == 1
