# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reach the users of a running hub on the machine this runs on, as the hub's own service ``users``."""

from __future__ import annotations

import json

from ...common.errors import reason
from ..base import PlatformError
from ..jupyterhub_users import HubUsers
from .check import not_deployed
from .layout import HubLayout


def users_of(hub: str, layout: HubLayout) -> HubUsers:
    """Return the users of a hub, by the address and the token in its directory. Raises PlatformError."""
    try:
        with open(layout.config("hub.json"), encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        raise PlatformError(not_deployed(hub)) from None
    except OSError as error:
        raise PlatformError(_unreadable(hub, layout.config("hub.json"), error)) from None
    try:
        with open(layout.secret("users_token"), encoding="ascii") as file:
            token = file.read().strip()
    except FileNotFoundError:
        raise PlatformError(
            f"hub {hub} was deployed by a release of the collection without the playbook users; deploy it again"
        ) from None
    except OSError as error:
        raise PlatformError(_unreadable(hub, layout.secret("users_token"), error)) from None
    # not through the proxy: the address may be a domain that only others can resolve
    return HubUsers(hub, f"http://127.0.0.1:{config['ports']['hub']}{config['base_url']}hub/api", token)


def _unreadable(hub: str, path: str, error: OSError) -> str:
    return f"hub {hub}: {path} cannot be read: {reason(error)}; run this as the account that deployed it"
