# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator without accounts for whoever comes first: our Python in the hub's pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....common.nested import value_at
from ....schema.model import Hub
from .code_files import code_files
from .kubectl import file_command
from .layers import Values
from .settings import Setting, setting

#: File of the hub's pod with first passwords; as in roles/hub/files/extra_config/native_login.py.
FIRST_PASSWORDS = "/srv/jupyterhub/first-passwords"

#: The chart runs extraConfig in the order of its keys; the operator's own, which may select the class, comes before.
NATIVE_CONFIG = "zzz-hubfleet-native-login"

_CLASS = ("hub", "config", "JupyterHub", "authenticator_class")


def is_native(values: Values) -> bool:
    """Return whether a hub with these values of the chart uses NativeAuthenticator."""
    return value_at(values, _CLASS) in ("native", "nativeauthenticator.NativeAuthenticator")


def native_login_settings(config: str, package: Mapping[str, str]) -> Iterator[Setting]:
    """Yield the code; config: for extraConfig, package: the modules that it imports, by path."""
    yield from code_files(package, "hub_authenticator")
    yield setting(f"hub.extraConfig.{NATIVE_CONFIG}", config, "hub_authenticator")


def first_passwords_command(hub: Hub, options: Sequence[str] = ()) -> str:
    """Return the command that prints the first passwords of a hub; options: see kubectl.py."""
    return file_command(hub, FIRST_PASSWORDS, options)
