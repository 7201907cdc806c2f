# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about more than one value.

A rule reports nothing if one of its values is already broken, so that each defect has one message.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from . import access_checks
from .admin_sudo import check_admin_sudo
from .authenticators import ALLOW_RULES, COMMON_RULES, Authenticator
from .authenticators import BY_NAME as AUTHENTICATORS
from .login_checks import check_login_settings
from .model import LOCALHOST, Fleet, FleetInput, HostInput, Hub, ValuePath
from .option import KUBERNETES, SERVER
from .problems import Problems
from .role_checks import check_roles
from .server_settings import check_server_settings
from .service_checks import check_services
from .shared_checks import check_shared
from .units import format_duration
from .user_names import check_blocked_admins, check_created_users
from .values import check_keys

#: Names of services that the collection adds to every hub.
OUR_SERVICES = ("check", "culler", "routes", "users")

#: The service that hub_metrics adds.
METRICS_SERVICE = "metrics"

#: In seconds. With a shorter one, servers would have to report activity all the time (platform/traits.py).
SHORTEST_IDLE_TIMEOUT = 120

#: Of users' servers: seconds between two reports that they are in use.
ACTIVITY_INTERVAL_VARIABLE = "JUPYTERHUB_ACTIVITY_INTERVAL"

SHORTEST_USER_EXPIRY = 86400
#: Authenticators that keep accounts of their own, which users make themselves.
ACCOUNTS_OF_USERS = ("native", "firstuse")

Report = Callable[[ValuePath, str], None]


def check_authenticator(options: dict[str, Any], report: Report, broken: set[str]) -> dict[str, Any]:
    """Check the settings and allow rules of a hub; return the settings with defaults."""
    authenticator = AUTHENTICATORS.get(options["hub_authenticator"])
    if authenticator is None:
        return {}
    variable = "hub_authenticator_settings"
    settings = {}
    if variable not in broken:
        settings = check_keys(authenticator.settings, options[variable] or {}, report, (variable,))
    check_demonstration(authenticator, options, report, broken)
    check_created_users(authenticator.name, options, report, broken)
    _check_rules(authenticator, options, settings, report, broken)
    return settings


def check_demonstration(
    authenticator: Authenticator, options: dict[str, Any], report: Report, broken: set[str]
) -> None:
    """Report an authenticator for demonstrations on a hub that is not marked as one."""
    if authenticator.demonstration and not options["hub_demonstration"] and "hub_demonstration" not in broken:
        report(
            ("hub_authenticator",),
            f"{authenticator.name!r} does not authenticate users; "
            "it requires hub_demonstration: true, and must not have real users",
        )


def check_supported_rules(authenticator: Authenticator, options: dict[str, Any], report: Report) -> tuple[str, ...]:
    """Report allow rules that the authenticator would ignore; return those that it supports."""
    supported = (*COMMON_RULES, *authenticator.rules)
    for rule in ALLOW_RULES:
        if options[rule.name] and rule.name not in supported:
            report(
                (rule.name,),
                f"is not supported by the authenticator {authenticator.name!r}; it supports: {', '.join(supported)}",
            )
    return supported


def _check_rules(
    authenticator: Authenticator, options: dict[str, Any], settings: dict[str, Any], report: Report, broken: set[str]
) -> None:
    supported = check_supported_rules(authenticator, options, report)
    rules = [rule.name for rule in ALLOW_RULES]
    said = any(options[rule] for rule in rules) or any(rule in broken for rule in rules)
    if options["hub_allow_everyone"] and said:
        report(
            ("hub_allow_everyone",),
            "is true, but an allow rule is set as well; everyone would be allowed. Remove one of them",
        )
    if not said and not options["hub_allow_everyone"] and "hub_allow_everyone" not in broken:
        report(
            ("hub_authenticator",),
            f"nobody may log in; set one of {', '.join(supported)}, or hub_allow_everyone: true",
        )
    if {"hub_authenticator_settings", "hub_allow_everyone", *rules} & broken:
        return
    check_login_settings(authenticator.name, options, settings, report)


def check_hub(hub: Hub, report: Report, broken: set[str]) -> None:
    """Check the rules about one hub."""
    _check_address(hub, report, broken)
    check_blocked_admins(hub.options, report)
    check_backups(hub, report, broken)
    if not {"hub_services", "hub_roles"} & broken:
        _check_services(hub, report)
        check_roles(hub, report)
        check_metrics(hub, report)
    check_lifetime(hub, report)
    if "hub_server_settings" not in broken:
        check_server_settings(hub, report)
    check_user_expiry(hub, report)
    if not {"hub_groups", "hub_roles", "hub_authenticator_settings"} & broken:
        access_checks.check_groups_of_roles(hub, report)
    if not {"hub_groups", "hub_roles", "hub_admins", *(rule.name for rule in ALLOW_RULES)} & broken:
        access_checks.check_users_may_log_in(hub, report)
    check_shared(hub, report, broken)
    if not {"hub_admin_sudo", "hub_admins", "hub_authenticator", "cluster_isolation"} & broken:
        check_admin_sudo(hub, report)


#: Repositories of restic that need a directory of the machine, or another program than restic.
_ON_MACHINES = ("/", "sftp:", "rclone:")


def check_backups(hub: Hub, report: Report, broken: set[str]) -> None:
    """Report a repository without a password or out of reach, and other options of backups without a repository."""
    repository, password = "cluster_backup_repository", "cluster_backup_password"
    options = hub.cluster.options
    if broken & {repository, password}:
        return
    if options[repository]:
        if hub.platform == KUBERNETES and options[repository].startswith(_ON_MACHINES):
            report(
                (repository,),
                "cannot be reached from the pods that make backups on Kubernetes; use s3:, rest:, b2:, azure:, gs: or"
                " swift:",
            )
        if not options[password]:
            report((repository,), f"requires {password}, which restic encrypts backups with")
        return
    useless = [name for name in (password, "cluster_backup_environment") if options[name]]
    if hub.platform != KUBERNETES and options["cluster_backup_schedule"] != "never":
        useless.append("cluster_backup_schedule")
    for name in useless[:1]:
        report((name,), f"has no effect without {repository}, which is not set")


def check_lifetime(hub: Hub, report: Report) -> None:
    """Report an idle timeout that activity cannot be reported within, and a maximum age that is reached before it."""
    age, idle = hub["hub_maximum_age"], hub["hub_idle_timeout"]
    if 0 < idle < SHORTEST_IDLE_TIMEOUT:
        shortest = format_duration(SHORTEST_IDLE_TIMEOUT)
        report(
            ("hub_idle_timeout",),
            f"is shorter than {shortest}; servers report only from time to time that they are in use, and would be"
            f" stopped. Set {shortest} or more, or 'never'",
        )
    if idle:
        _check_activity_interval(hub["hub_environment_variables"], ("hub_environment_variables",), idle, report)
        for environment in hub.environments:
            path = ("hub_environment_catalogue", environment.name, "variables")
            _check_activity_interval(dict(environment.variables), path, idle, report)
    # the default idle timeout is nobody's wish: a shorter maximum age contradicts nothing
    if age and idle and age < idle and "hub_idle_timeout" in hub.explicit_options:
        report(("hub_maximum_age",), "is shorter than hub_idle_timeout, which then never takes effect")


def _check_activity_interval(
    variables: Mapping[str, str] | None, path: ValuePath, idle_timeout: int, report: Report
) -> None:
    """Report an interval with which servers in use would be stopped, or that servers cannot start with."""
    interval = (variables or {}).get(ACTIVITY_INTERVAL_VARIABLE)
    # JupyterHub adds up to a fifth of the interval
    longest = idle_timeout // 2
    if interval is not None and not (interval.isdecimal() and 0 < int(interval) <= longest):
        report(
            (*path, ACTIVITY_INTERVAL_VARIABLE),
            f"must be a number of seconds from 1 to {longest}, half of hub_idle_timeout; servers report at this"
            " interval that they are in use, and would be stopped",
        )


def check_user_expiry(hub: Hub, report: Report) -> None:
    """Report an expiry that would remove people who are away for a night, or free names that others could take."""
    expiry = hub["hub_user_expiry"]
    if 0 < expiry < SHORTEST_USER_EXPIRY:
        report(("hub_user_expiry",), f"is shorter than {format_duration(SHORTEST_USER_EXPIRY)}")
    elif expiry and hub["hub_authenticator"] in ACCOUNTS_OF_USERS:
        report(
            ("hub_user_expiry",),
            f"is not supported by the authenticator {hub['hub_authenticator']!r}: the account ends with the user, so"
            " that somebody else could take the name, and with it the home",
        )


def check_public_address(hub: Hub, report: Report) -> None:
    """Report more than one public URL, and a URL with a query or fragment."""
    if hub["hub_url"] and hub["hub_domain"]:
        report(("hub_domain",), "is set together with hub_url; remove one of them")
    if hub["hub_url"] and urlsplit(hub["hub_url"]).query + urlsplit(hub["hub_url"]).fragment:
        report(("hub_url",), "has a query or fragment; only a path is allowed")


def _check_address(hub: Hub, report: Report, broken: set[str]) -> None:
    check_public_address(hub, report)
    has_certificate, has_key = bool(hub["hub_tls_certificate"]), bool(hub["hub_tls_key"])
    tls_sound = not {"hub_tls_certificate", "hub_tls_key"} & broken
    if has_certificate != has_key and tls_sound:
        present, absent = ("certificate", "key") if has_certificate else ("key", "certificate")
        report((f"hub_tls_{present}",), f"requires hub_tls_{absent}")
    bind = hub["hub_bind"]
    if bind and not ipaddress.ip_address(bind).is_loopback and not (has_certificate or has_key) and tls_sound:
        report(
            ("hub_bind",),
            f"{bind!r} is reachable from other machines; it requires hub_tls_certificate and hub_tls_key",
        )
    authenticator = AUTHENTICATORS.get(hub["hub_authenticator"])
    if (
        authenticator
        and authenticator.callback
        and not (hub["hub_url"] or hub["hub_domain"])
        and not {"hub_url", "hub_domain"} & broken
    ):
        report(
            ("hub_authenticator",),
            f"{authenticator.name!r} redirects users to the public URL of the hub; set hub_url or hub_domain",
        )


def _check_services(hub: Hub, report: Report) -> None:
    check_services(hub, report)
    names = [service["name"] for service in hub["hub_services"] or ()]
    for index, name in enumerate(names):
        _check_taken("hub_services", index, name, report)
    for index, role in enumerate(hub["hub_roles"] or []):
        _check_taken("hub_roles", index, role["name"], report)
        for service in role["services"] or ():
            if service not in names:
                report(("hub_roles", index, "services"), f"{service!r} is not in hub_services")


def _check_taken(variable: str, index: int, name: str, report: Report) -> None:
    if name in OUR_SERVICES:
        report(
            (variable, index, "name"), f"{name!r} is reserved for the hub's own services ({', '.join(OUR_SERVICES)})"
        )


def check_metrics(hub: Hub, report: Report) -> None:
    """Report a service or role of the operator's that hub_metrics would replace."""
    for variable in ("hub_services", "hub_roles") if hub["hub_metrics"] else ():
        for index, entry in enumerate(hub[variable] or ()):
            if entry["name"] == METRICS_SERVICE:
                message = f"{METRICS_SERVICE!r} is the name of the service of hub_metrics; use another name"
                report((variable, index, "name"), message)


def check_fleet(fleet: Fleet, inventory: FleetInput, problems: Problems) -> None:
    """Check the rules between hubs: unique ports, URLs and home directories; files that must exist."""
    ports: dict[tuple[str, Any], tuple[str, str]] = {}
    addresses: dict[tuple[Any, str], Hub] = {}
    homes: dict[tuple[str, Any], str] = {}
    states: dict[tuple[str, str], str] = {}
    for hub in fleet.hubs.values():
        host = inventory.hosts[hub.name]

        def report(variable: str, message: str, host: HostInput = host) -> None:
            problems.add((variable,), message, host.locate((variable,)), host.name)

        if hub.platform == SERVER:
            _check_ports(hub, ports, report)
        if hub.platform == SERVER or hub["hub_url"] or hub["hub_domain"]:
            _check_cookies(hub, addresses, report)
        if hub["hub_home_directory"]:
            other = homes.setdefault((hub.cluster["cluster_host"], hub["hub_home_directory"].rstrip("/")), hub.name)
            if other != hub.name:
                report(
                    "hub_home_directory",
                    f"is also set for hub {other}; users of both would share their files",
                )
        _check_files(hub, inventory.directory, report)
        here = hub.cluster["cluster_host"] == LOCALHOST
        state = hub.cluster["cluster_state_directory"] or ""
        state = os.path.expanduser(state) if here else state
        owner = states.setdefault((hub.cluster["cluster_host"], state), hub.cluster.name) if state else ""
        if owner and owner != hub.cluster.name:
            report("cluster_state_directory", f"is also set for cluster {owner} on the same machine")
        if state and here and inventory.whole and _lies_in(state, inventory.directory):
            message = "is inside the inventory directory, where Ansible reads every file; use another directory"
            report("cluster_state_directory", message)
        if state and hub["hub_home_directory"] and _lies_in(hub["hub_home_directory"], state):
            message = (
                "is inside cluster_state_directory, which the collection manages; unset it, or use another directory"
            )
            report("hub_home_directory", message)


def _lies_in(path: str, directory: str) -> bool:
    """Return whether ``path`` is ``directory`` or inside it."""
    directory = os.path.abspath(directory)
    return os.path.commonpath([os.path.abspath(path), directory]) == directory


def _check_cookies(hub: Hub, addresses: dict[tuple[Any, str], Hub], report: Callable[[str, str], None]) -> None:
    """Report hubs with the same URL, or with URLs that differ only in the port: cookies do not depend on it."""
    parts = urlsplit(hub.url.lower())
    other = addresses.setdefault((parts.hostname, parts.path), hub)
    if other is hub:
        return
    variable = "hub_domain" if hub["hub_domain"] else "hub_url"
    if _port_of(hub.url) == _port_of(other.url):
        report(variable, f"{hub.url} is also the URL of hub {other.name}")
    else:
        report(
            variable,
            f"shares its cookies with hub {other.name}, because the URLs differ only in the port; "
            "use different paths in hub_url, or different domains",
        )


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _check_ports(hub: Hub, taken: dict[tuple[str, Any], tuple[str, str]], report: Callable[[str, str], None]) -> None:
    used = [("hub_port", hub["hub_port"])]
    inner = "hub_internal_port" if hub["hub_internal_port"] else "hub_port"
    used += [(inner, port) for port in hub.inner_ports]
    for variable, port in used:
        if port > 65535:
            report(
                variable,
                "leaves no room for the three internal ports up to 65535; set hub_internal_port",
            )
            return
        other, other_variable = taken.setdefault((hub.cluster["cluster_host"], port), (hub.name, variable))
        if other != hub.name:
            report(
                variable,
                f"port {port} is used by hub {other}; this hub uses {hub['hub_port']} and "
                f"{hub.inner_ports[0]}-{hub.inner_ports[2]}",
            )
            return
        if (other, other_variable) != (hub.name, variable):
            report(
                variable,
                f"port {port} is used twice by this hub; hub_internal_port takes three ports in addition to hub_port",
            )
            return


def _check_files(hub: Hub, directory: str, report: Callable[[str, str], None]) -> None:
    for variable, exists, what in (
        ("hub_templates", os.path.isdir, "directory"),
        ("hub_logo", os.path.isfile, "file"),
    ):
        value = hub[variable]
        if value and not exists(os.path.join(directory, os.path.expanduser(value))):
            report(variable, f"there is no {what} {value!r} (relative paths start at the inventory directory)")
