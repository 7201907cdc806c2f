# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a hub that the check acts as; the chart generates its token."""

from __future__ import annotations

from .settings import Setting

CHECK_SERVICE = "hubfleet-check"
#: What the check does, and no more. JupyterHub can limit a scope to users by name or group only, and the names of the
#: check's users are not known before. admin:users: create them (``users`` cannot), list and delete them. servers: start
#: and stop theirs, follow the start, and read their addresses. tokens: issue a token that reaches one user's servers.
#: The service itself reaches no server (access:servers), and reads no state of servers (admin:servers).
#: Source: the decorators needs_scope in jupyterhub.apihandlers.users.
SCOPES = ("admin:users", "servers", "tokens")


def check_service_settings() -> list[Setting]:
    """Return the service and its role."""
    source = ("cluster_platform",)
    return [
        Setting(("hub", "services", CHECK_SERVICE), {"display": False}, source),
        Setting(("hub", "loadRoles", CHECK_SERVICE), {"services": [CHECK_SERVICE], "scopes": list(SCOPES)}, source),
    ]
