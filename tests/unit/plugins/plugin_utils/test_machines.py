# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of machines that cannot be reached."""

from __future__ import annotations

from unittest.mock import Mock

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.machines import RemoteMachine


def test_a_sudo_that_ansible_does_not_understand_is_named() -> None:
    machine = RemoteMachine(Mock(), "hub1.example.org", {})
    said = machine.reason(AnsibleConnectionFailure("Timeout (12s) waiting for privilege escalation prompt: "))
    assert "sudo-rs" in said and "ansible_become_exe: sudo.ws" in said
