# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check ``hub.services`` and ``hub.loadRoles`` of the chart: a hub does not start with what is wrong there.

The same rules as for hub_services and hub_roles, wherever the values come from. Source: the chart's
``files/hub/jupyterhub_config.py``; JupyterHub.init_services, init_role_assignment and jupyterhub.roles.create_role.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ....common.nested import value_at
from ....schema.extension_options import ROLE_NAME, ROLE_NAME_TEXT
from ....schema.model import EncryptedValue, Hub
from ....schema.problems import nearest
from ....schema.role_checks import check_scopes
from ....schema.service_checks import OAUTH_KEYS
from ..values.layers import ChartPath, Values
from .hub_config import type_name
from .pod_rules import items_of

Report = Callable[[ChartPath, str], None]

SERVICES, ROLES = ("hub", "services"), ("hub", "loadRoles")
#: The service that the chart adds.
_CULLER = "jupyterhub-idle-culler"
#: Traits of a service that JupyterHub takes (those with input=True); apiToken is the chart's.
_SERVICE_KEYS = (
    *("name", "url", "apiToken", "api_token", "command", "cwd", "environment", "user", "admin", "display", "info"),
    *("oauth_client_id", "oauth_client_allowed_scopes", "oauth_no_confirm", "oauth_redirect_uri", "oauth_roles"),
    "timeout",
)
_ROLE_KEYS = ("name", "description", "scopes", "users", "groups", "services")
#: Code that may add services.
_SERVICES_IN_CODE = re.compile(r"\bJupyterHub\b.{0,4}\bservices\b")
_LISTS = ("scopes", "users", "groups", "services")


def check_services_and_roles(hub: Hub, full: Values, report: Report) -> None:
    """Report services and roles with which the hub does not start, or that have less than was meant.

    full: the values with the chart's defaults. report: takes a place in them.
    """
    names = _check_services(hub, full, report)
    for key, role in items_of(value_at(full, ROLES)):
        path = (*ROLES, key)
        if not isinstance(role, dict):
            report(path, f"must be a mapping, a role, not {type_name(role)}")
        else:
            _check_role(hub, path, role, names, report)


def _check_services(hub: Hub, full: Values, report: Report) -> set[str] | None:
    """Check the services; return the names of all, None where code or pending secrets may add others."""
    names = {_CULLER} if value_at(full, ("cull", "enabled")) else set()
    for key, service in items_of(value_at(full, SERVICES)):
        path = (*SERVICES, key)
        if not isinstance(service, dict):
            report(path, f"must be a mapping, a service, not {type_name(service)}")
            continue
        name = str(service.get("name") or key)
        if name in names:
            report((*path, "name") if service.get("name") else path, f"{name!r} is used by two services")
        names.add(name)
        _check_service(hub, path, service, report)
    code = items_of(value_at(full, ("hub", "extraConfig")))
    others = any(_SERVICES_IN_CODE.search(str(text)) for _key, text in code)
    others = others or bool(hub["hub_pending_secrets"])
    return None if others or value_at(full, ("hub", "config", "JupyterHub", "services")) else names


def _check_service(hub: Hub, path: ChartPath, service: Values, report: Report) -> None:
    for key in service.keys() - set(_SERVICE_KEYS):
        report((*path, key), f"is not a key of a service{nearest(str(key), _SERVICE_KEYS, 'known', most=20)}")
    for key in OAUTH_KEYS if not (service.get("url") or service.get("oauth_redirect_uri")) else ():
        # JupyterHub does not start with a service that has the one, even if it is false, and not the other.
        if service.get(key) is not None:
            report((*path, key), "requires url or oauth_redirect_uri, where users log in")
    client = service.get("oauth_client_id")
    if isinstance(client, str) and not isinstance(client, EncryptedValue) and not client.startswith("service-"):
        report((*path, "oauth_client_id"), "is not a name that begins with service-")
    _check_scopes(hub, (*path, "oauth_client_allowed_scopes"), service.get("oauth_client_allowed_scopes"), report)


def _check_role(hub: Hub, path: ChartPath, role: Values, services: set[str] | None, report: Report) -> None:
    name = str(role.get("name") or path[-1])
    place = (*path, "name") if role.get("name") else path
    if not re.fullmatch(ROLE_NAME, name):
        report(place, f"{name!r} is not {ROLE_NAME_TEXT}")
    if name == "admin" and (role.get("scopes") or role.get("description")):
        report(place, "'admin' is a role of JupyterHub, whose scopes cannot be changed; use another name")
    for key in role.keys() - set(_ROLE_KEYS):
        report((*path, key), f"is not a key of a role{nearest(str(key), _ROLE_KEYS, 'known')}")
    for key in _LISTS:
        if role.get(key) is not None and not isinstance(role[key], (list, EncryptedValue)):
            report((*path, key), f"must be a list, not {type_name(role[key])}")
    _check_scopes(hub, (*path, "scopes"), role.get("scopes"), report)
    for index, service in items_of(role.get("services")):
        if services is not None and service not in services:
            report((*path, "services", index), f"{service!r} is not in hub.services{nearest(str(service), services)}")


def _check_scopes(hub: Hub, path: ChartPath, scopes: Any, report: Report) -> None:
    texts = [scope if isinstance(scope, str) else "" for scope in scopes] if isinstance(scopes, list) else []
    known = {index for index, scope in enumerate(texts) if scope and not isinstance(scope, EncryptedValue)}
    check_scopes(hub, path, texts, lambda place, message: report(place, message) if place[-1] in known else None)
    for index, scope in items_of(scopes) if isinstance(scopes, list) else ():
        if not isinstance(scope, str):
            report((*path, index), f"must be text, not {type_name(scope)}")
