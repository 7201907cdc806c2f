# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of SharedPasswordAuthenticator, which the hub's pod generates."""

from __future__ import annotations

from collections.abc import Sequence

from ....common.nested import value_at
from ....schema.model import Hub
from .kubectl import file_command
from .layers import Values
from .settings import Setting, setting

#: File of the hub's pod with the generated passwords.
PASSWORDS = "/srv/jupyterhub/shared-passwords"

#: The chart runs extraConfig in the order of its keys; the operator's own, which may set passwords, comes before.
PASSWORD_CONFIG = "zzz-hubfleet-shared-password"


def has_generated_passwords(hub: Hub, values: Values) -> bool:
    """Return whether passwords are generated for a hub with these values; imported hubs bring theirs along."""
    chosen = value_at(values, ("hub", "config", "JupyterHub", "authenticator_class"))
    return hub["hub_defaults_source"] == "collection" and bool(chosen == "shared-password")


def shared_password_setting(code: str) -> Setting:
    """Return the code that generates the passwords; code: the text of hubfleet_runtime/shared_password.py."""
    text = f'{code}\n\nconfigure(c, "{PASSWORDS}")\n'
    return setting(f"hub.extraConfig.{PASSWORD_CONFIG}", text, "hub_authenticator")


def shared_passwords_command(hub: Hub, options: Sequence[str] = ()) -> str:
    """Return the command that prints the generated passwords of a hub; options: see kubectl.py."""
    return file_command(hub, PASSWORDS, options)
