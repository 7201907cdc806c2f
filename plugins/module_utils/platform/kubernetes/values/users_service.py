# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a hub that the playbook users acts as, and our Python in the hub that lets it do so.

It is not the service of the check: the token of that one is sent to the public address of the hub, and must not suffice
to take over an account. This token is sent to the hub's pod through the API server only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .code_files import code_files
from .settings import Setting, setting

#: As in roles/hub/files/extra_config/users.py.
USERS_SERVICE = "hubfleet-users"
#: What the playbook does, and no more. admin:users: list, add and remove users. The others: see and stop their servers.
SCOPES = ("admin:users", "read:servers", "delete:servers")

#: The chart runs extraConfig in the order of its keys; the operator's own, which may set extra_handlers, comes before.
USERS_CONFIG = "zzz-hubfleet-users"

_OPTION = "cluster_platform"


def users_service_settings(config: str, package: Mapping[str, str]) -> Iterator[Setting]:
    """Yield the service, its role, and the code. config: for extraConfig. package: modules that it imports, by path."""
    yield Setting(("hub", "services", USERS_SERVICE), {"display": False}, (_OPTION,))
    role = {"services": [USERS_SERVICE], "scopes": list(SCOPES)}
    yield Setting(("hub", "loadRoles", USERS_SERVICE), role, (_OPTION,))
    yield from code_files(package, _OPTION)
    yield setting(f"hub.extraConfig.{USERS_CONFIG}", config, _OPTION)
