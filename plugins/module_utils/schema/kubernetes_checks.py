# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about more than one variable of a hub on Kubernetes.

The resulting values of the chart are checked in platform/kubernetes; these rules report the same
defects in terms of the inventory.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from . import access_checks, cross_checks
from .authenticators import BY_NAME as AUTHENTICATORS
from .kubernetes_options import LONGEST_RELEASE
from .model import Fleet, FleetInput, Hub, ValuePath
from .option import KUBERNETES
from .problems import Problems
from .role_checks import check_roles
from .server_settings import check_server_settings
from .service_checks import check_services
from .shared_checks import check_shared_on_kubernetes
from .user_names import check_blocked_admins, check_created_users
from .values import check_value

Report = Callable[[ValuePath, str], None]

#: Names of services and roles that a deploy adds begin with this.
RESERVED = "hubfleet-"

#: Options that create objects outside the hub's namespace.
CLUSTER_WIDE = ("hub_user_scheduler", "hub_pod_priority")

#: Options that apply only to some values of hub_home_storage.
_HOME_OPTIONS = {
    "hub_home_capacity": ("dynamic",),
    "hub_home_storage_class": ("dynamic",),
    "hub_home_claim": ("claim",),
    "hub_home_nfs": ("nfs",),
    "hub_home_subpath": ("claim", "nfs"),
    "hub_shared_directories": ("claim", "nfs"),
}

#: Options of routes and their certificates.
_EXPOSURE_OPTIONS = ("hub_tls_secret", "cluster_certificate_issuer", "cluster_gateway", "cluster_acme_contact")


def check_settings(options: dict[str, Any], report: Report, broken: set[str]) -> dict[str, Any]:
    """Check the settings of the authenticator that have a type here; return all settings.

    Any other trait of the authenticator's class is let through: the class is asked about it
    together with the rest of ``hub.config``. Nothing is required here, since Helm values may have it.
    """
    variable = "hub_authenticator_settings"
    given = options[variable] or {}
    authenticator = AUTHENTICATORS.get(options["hub_authenticator"])
    if variable in broken:
        return {}
    if authenticator is None:
        if given and "hub_authenticator" not in broken:
            report((variable,), "is set without hub_authenticator, which these settings depend on")
        return {}
    if not authenticator.works_on(KUBERNETES):
        report(
            ("hub_authenticator",), f"{authenticator.name!r} is only for hubs on machines (cluster_platform: server)"
        )
    cross_checks.check_demonstration(authenticator, options, report, broken)
    check_created_users(authenticator.name, options, report, broken)
    cross_checks.check_supported_rules(authenticator, options, report)
    known = {setting.name: setting for setting in authenticator.settings}
    settings = {}
    for key, value in given.items():
        if key not in known:
            settings[key] = value
        elif value is not None:
            settings[key] = check_value(known[key], value, report, (variable, key))
    return settings


def check_hub(hub: Hub, report: Report, broken: set[str]) -> None:
    """Check the rules about one hub whose values are not broken."""

    def sound(*variables: str) -> bool:
        return not broken.intersection(variables)

    if sound("hub_url", "hub_domain"):
        cross_checks.check_public_address(hub, report)
    check_blocked_admins(hub.options, report)
    cross_checks.check_backups(hub, report, broken)
    cross_checks.check_lifetime(hub, report)
    cross_checks.check_user_expiry(hub, report)
    if sound("hub_services"):
        _check_services(hub, report)
    if sound("hub_roles"):
        check_roles(hub, report)
    if sound("hub_services", "hub_roles"):
        cross_checks.check_metrics(hub, report)
        _check_reserved_names(hub, report)
    if sound("hub_server_settings"):
        check_server_settings(hub, report)
    if hub["hub_groups"] and sound("hub_groups", "hub_roles", "hub_authenticator_settings"):
        access_checks.check_groups_of_roles(hub, report)
    if sound("hub_profiles", "hub_environments", "hub_sizes"):
        _check_profiles(hub, report)
    if sound("hub_home_storage", *_HOME_OPTIONS):
        _check_homes(hub, report)
        check_shared_on_kubernetes(hub, home_storage(hub) in ("claim", "nfs"), report)
        if sound("hub_volumes", "hub_files", "hub_server_settings"):
            _check_volumes(hub, report)
    if sound("cluster_exposure", "hub_url", "hub_domain", *_EXPOSURE_OPTIONS):
        _check_exposure(hub, report)
    if sound("hub_addons", "hub_release"):
        _check_addons(hub, report)
    _check_permissions(hub, report)
    by_collection = hub["hub_defaults_source"] == "collection"
    if by_collection and sound("hub_user_egress", "hub_block_metadata_with_iptables"):
        _check_metadata(hub, report)
    if by_collection and sound("hub_user_placeholders", "hub_pod_priority"):
        _check_placeholders(hub, report)


def _check_services(hub: Hub, report: Report) -> None:
    check_services(hub, report)
    for index, service in enumerate(hub["hub_services"] or ()):
        if service["user"]:
            report(("hub_services", index, "user"), "is only valid on the platform server: a hub's pod has one account")


def _check_reserved_names(hub: Hub, report: Report) -> None:
    """Report services and roles whose names those of this collection may have, such as that of the check."""
    for variable in ("hub_services", "hub_roles"):
        for index, entry in enumerate(hub[variable] or ()):
            if entry["name"].startswith(RESERVED):
                message = f"{entry['name']!r} begins with {RESERVED!r}, as services of this collection do"
                report((variable, index, "name"), f"{message}; use another name")


def _check_addons(hub: Hub, report: Report) -> None:
    for name in hub["hub_addons"] or ():
        release = f"{hub.release}-{name}"
        if len(release) > LONGEST_RELEASE:
            message = f"its release {release!r} has more than {LONGEST_RELEASE} characters; set a shorter hub_release"
            report(("hub_addons", name), message)


def _check_profiles(hub: Hub, report: Report) -> None:
    if not hub["hub_profiles"]:
        return
    if hub["hub_unlisted_image"]:
        report(("hub_unlisted_image",), "is set together with hub_profiles; use unlisted_image of a profile")
    seen: set[str] = set()
    defaults = [index for index, profile in enumerate(hub["hub_profiles"]) if profile["default"]]
    if len(defaults) > 1:
        report(("hub_profiles", defaults[1], "default"), "is true for a second profile; only one can be preselected")
    for index, profile in enumerate(hub["hub_profiles"]):
        path = ("hub_profiles", index)
        slug = profile["slug"] or slug_of(profile["title"])
        if profile["slug"] and slug in seen:
            report((*path, "slug"), f"{slug!r} is used twice")
        elif profile["slug"] or not profile["allowed_groups"]:  # those for groups may never be shown to the same user
            if slug in seen:
                message = f"{profile['title']!r} has the slug {slug!r} of another profile; set a slug for one of them"
                report((*path, "title"), message)
            seen.add(slug)


def slug_of(title: str) -> str:
    """Return the slug of a profile's title: that of KubeSpawner where its letters and digits are ASCII; never empty.

    Of others KubeSpawner makes what a package in the hub transliterates, and nothing of a title in symbols.
    """
    decomposed = unicodedata.normalize("NFKD", title.lower().replace("ß", "ss"))  # accents go, as with KubeSpawner
    text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    text = "".join(f"-{ord(letter):x}-" if letter.isalnum() and not letter.isascii() else letter for letter in text)
    slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    return slug or "-".join(f"{ord(letter):x}" for letter in title)


def has_own_slug(title: str) -> bool:
    """Tell whether the slug of a title has to be written, since KubeSpawner may make another, or none."""
    return not title.isascii() or not any(letter.isalnum() for letter in title)


def home_storage(hub: Hub) -> str | None:
    """Return the storage of home directories; None if the chart decides."""
    if hub["hub_home_storage"] or hub["hub_defaults_source"] == "chart":
        storage: str | None = hub["hub_home_storage"]
        return storage
    return "dynamic"


def _check_homes(hub: Hub, report: Report) -> None:
    if hub["hub_home_mount_path"] and not hub["hub_home_mount_path"].strip("/"):
        report(("hub_home_mount_path",), "must not be the root directory: it would hide the files of the image")
    storage = home_storage(hub)
    if storage is None:
        return
    for variable, fitting in _HOME_OPTIONS.items():
        if variable in hub.explicit_options and storage not in fitting:
            report(
                (variable,), f"has no effect with hub_home_storage: {storage}; it applies to {' and '.join(fitting)}"
            )
    needed = {"claim": "hub_home_claim", "nfs": "hub_home_nfs"}.get(storage)
    if needed and not hub[needed]:
        report(("hub_home_storage",), f"{storage!r} requires {needed}")
    by_chart = hub["hub_defaults_source"] == "chart"
    if (
        storage == "dynamic"
        and not by_chart
        and not (hub["hub_home_storage_class"] or hub.cluster["cluster_storage_class"])
    ):
        report(
            ("hub_home_storage",),
            "home directories need a storage class; set hub_home_storage_class or cluster_storage_class,"
            " or another hub_home_storage (claim, nfs, none)",
        )


def _check_volumes(hub: Hub, report: Report) -> None:
    """Report volumes with the same name, since one would replace the other."""
    taken = {"home": "the home directories"} if home_storage(hub) in ("claim", "nfs") else {}
    for name in hub["hub_shared_directories"] or {}:
        if name in taken:
            report(("hub_shared_directories", name), f"the name {name!r} is already used by {taken[name]}; use another")
        taken.setdefault(name, "hub_shared_directories")
    for option in ("hub_files", "hub_server_settings"):
        if hub[option]:
            taken["files"] = option
    for name in hub["hub_volumes"] or {}:
        if name in taken:
            report(("hub_volumes", name), f"the name {name!r} is already used by {taken[name]}; use another")


def _check_exposure(hub: Hub, report: Report) -> None:
    route = hub.cluster["cluster_exposure"]
    has_domain = bool(hub["hub_domain"] or hub["hub_url"])
    if route == "none" or not has_domain:
        return
    if hub["hub_url"] and urlsplit(hub["hub_url"]).scheme != "https":
        report(("hub_url",), f"must start with https:// with cluster_exposure: {route}")
    secret = hub["hub_tls_secret"]
    if route == "ingress" and not (secret or hub.cluster["cluster_certificate_issuer"]):
        report(
            ("cluster_exposure",), "'ingress' requires a certificate; set cluster_certificate_issuer or hub_tls_secret"
        )
    if route == "gateway" and not hub.cluster["cluster_gateway"]:
        report(("cluster_exposure",), "'gateway' requires cluster_gateway")
    if route == "load-balancer" and not (secret or hub.cluster["cluster_acme_contact"]):
        report(
            ("cluster_exposure",), "'load-balancer' requires a certificate; set cluster_acme_contact or hub_tls_secret"
        )


def _check_permissions(hub: Hub, report: Report) -> None:
    if hub.cluster["cluster_permissions"] != "namespace":
        return
    for variable in (*CLUSTER_WIDE, "hub_user_placeholders", "hub_prepull_on_deploy", "hub_prepull_on_new_nodes"):
        if variable in hub.explicit_options and hub[variable]:
            report((variable,), "requires cluster-wide permissions, but cluster_permissions is 'namespace'")


def _check_metadata(hub: Hub, report: Report) -> None:
    if (hub["hub_user_egress"] or {}).get("metadata") and hub["hub_block_metadata_with_iptables"]:
        report(
            ("hub_user_egress", "metadata"),
            "is true, but hub_block_metadata_with_iptables still blocks the metadata server; set it to false",
        )


def _check_placeholders(hub: Hub, report: Report) -> None:
    if hub["hub_user_placeholders"] and not hub["hub_pod_priority"]:
        report(
            ("hub_user_placeholders",),
            "requires hub_pod_priority: true; otherwise placeholders block sessions",
        )


def check_fleet(fleet: Fleet, inventory: FleetInput, problems: Problems) -> None:
    """Report hubs whose objects in a cluster would have one name."""
    _check_namespaces(fleet, inventory, problems)
    _check_cluster_wide_names(fleet, inventory, problems)


def _check_cluster_wide_names(fleet: Fleet, inventory: FleetInput, problems: Problems) -> None:
    """Report releases that would have the same user scheduler or priority classes, which belong to no namespace."""
    variable = "hub_release"
    first: dict[tuple[str, str], Hub] = {}
    for hub in fleet.hubs.values():
        if hub.platform != KUBERNETES or not _has_cluster_wide_objects(hub):
            continue
        other = first.setdefault((hub.cluster.name, hub.release), hub)
        if other is hub or other.namespace == hub.namespace:
            continue
        here, there = (inventory.hosts[each.name].locate((variable,)) for each in (hub, other))
        problems.add(
            (variable,),
            f"release {hub.release} is also that of hub {other.name}{f' ({there})' if there and here else ''}, and"
            " names objects of the cluster; use another, or set hub_user_scheduler and hub_pod_priority to false",
            here or there,
            hub.name,
            ignorable_as=variable,
            ignored=variable in (hub["hub_ignored_problems"] or ()),
        )


def _has_cluster_wide_objects(hub: Hub) -> bool:
    """Return whether options alone make objects that are named after the release and belong to no namespace."""
    layers = [hub["hub_helm_values"], *(hub.cluster[f"{layer}_helm_values"] for layer in ("cluster", "fleet"))]
    if any(key in (values or {}) for values in layers for key in ("scheduling", "fullnameOverride")):
        return False
    allowed = hub.cluster["cluster_permissions"] != "namespace"
    return allowed and any(hub[option] for option in CLUSTER_WIDE)


def _check_namespaces(fleet: Fleet, inventory: FleetInput, problems: Problems) -> None:
    """Report hubs in the same namespace: objects of the chart, and users' pods and volumes, would have one name."""
    variable = "hub_namespace"
    first: dict[tuple[str, str], Hub] = {}
    for hub in fleet.hubs.values():
        if hub.platform != KUBERNETES:
            continue
        other = first.setdefault((hub.cluster.name, hub.namespace), hub)
        if other is hub:
            continue
        same = hub.release == other.release
        here, there = (inventory.hosts[each.name].locate((variable,)) for each in (hub, other))
        problems.add(
            (variable,),
            f"namespace {hub.namespace} is also that of hub {other.name}{f' ({there})' if there and here else ''};"
            " hubs need a namespace each",
            here or there,
            hub.name,
            ignorable_as="" if same else variable,
            ignored=not same and variable in (hub["hub_ignored_problems"] or ()),
        )
