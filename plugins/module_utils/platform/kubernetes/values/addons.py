# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases beside a hub: the add-ons that are known by name, and any other chart.

Source of the places in their values: ``values.yaml`` and ``values.schema.yaml`` of each chart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ....schema.addon_options import ADDON_SETTINGS
from ....schema.model import Hub, ValuePath
from ....schema.problems import nearest
from ....schema.units import Memory
from ....schema.values import check_keys
from .layers import Values, assign, merge
from .settings import Setting, setting

Report = Callable[[ValuePath, str], None]


@dataclass(frozen=True)
class Addon:
    """An add-on that is known by name.

    places: setting -> where it goes in the chart's values, each written with dots; texts, numbers and
        true or false go there as they are, memory in Kubernetes' words.
    base: values that make it work beside a hub, where the hub has the collection's defaults.
    service: name and address of the service of the hub that it is, under the same condition.
    """

    chart: str
    version: str
    repository: str = ""
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    base: Values = field(default_factory=dict)
    service: tuple[str, str] | None = None


_SCHEDULER, _WORKER = "gateway.backend.scheduler", "gateway.backend.worker"

ADDONS = {
    "dask-gateway": Addon(
        "dask-gateway",
        "2026.3.0",
        "https://helm.dask.org/",
        {
            "scheduler_cpu": (f"{_SCHEDULER}.cores.limit",),
            "scheduler_cpu_guarantee": (f"{_SCHEDULER}.cores.request",),
            "scheduler_memory": (f"{_SCHEDULER}.memory.limit",),
            "scheduler_memory_guarantee": (f"{_SCHEDULER}.memory.request",),
            "worker_cpu": (f"{_WORKER}.cores.limit",),
            "worker_cpu_guarantee": (f"{_WORKER}.cores.request",),
            "worker_memory": (f"{_WORKER}.memory.limit",),
            "worker_memory_guarantee": (f"{_WORKER}.memory.request",),
            "service": ("gateway.auth.jupyterhub.jupyterhubServiceName",),
        },
        # Reached through the hub's proxy, as its service; the hub's chart makes the token that both share.
        base={
            "gateway": {
                "prefix": "/services/dask-gateway",
                "auth": {"type": "jupyterhub", "jupyterhub": {"jupyterhubServiceName": "dask-gateway"}},
            },
            "traefik": {"service": {"type": "ClusterIP"}},
        },
        service=("dask-gateway", "http://traefik-{release}.{namespace}"),
    ),
    "jupyterhub-home-nfs": Addon(
        "oci://ghcr.io/2i2c-org/jupyterhub-home-nfs/jupyterhub-home-nfs",
        "1.2.0",
        "",
        {
            "aws_volume": ("eks.volumeId",),
            "google_volume": ("gke.volumeId",),
            "openstack_volume": ("openstack.volumeId",),
            "quota_gigabytes": ("quotaEnforcer.config.QuotaManager.hard_quota",),
        },
    ),
    "binderhub-service": Addon(
        "binderhub-service",
        "0.1.0-0.dev.git.336.hca79dc0",
        "https://2i2c.org/binderhub-service/",
        {
            "image_prefix": ("config.BinderHub.image_prefix",),
            "registry": ("config.DockerRegistry.url", "buildPodsRegistryCredentials.server"),
            "registry_user": ("config.DockerRegistry.username", "buildPodsRegistryCredentials.username"),
            "registry_password": ("config.DockerRegistry.password", "buildPodsRegistryCredentials.password"),
        },
        base={"config": {"BinderHub": {"base_url": "/services/binder"}}, "networkPolicy": {"enabled": True}},
        service=("binder", "http://{release}.{namespace}:80"),
    ),
    "jupyterhub-groups-exporter": Addon(
        "jupyterhub-groups-exporter",
        "1.1.1-0.dev.git.133.hd9f9ccc",
        "https://2i2c.org/jupyterhub-groups-exporter",
        {
            "groups": ("config.groupsExporter.allowed_groups",),
            "interval": ("config.groupsExporter.update_exporter_interval",),
        },
    ),
}
#: Settings that switch something on beside their value.
_ENABLES = {"aws_volume": "eks.enabled", "google_volume": "gke.enabled", "openstack_volume": "openstack.enabled"}


@dataclass(frozen=True)
class AddonRelease:
    """A release beside a hub: its name there, where its chart comes from, and its values."""

    name: str
    addon: str
    chart: str
    version: str
    repository: str
    values: Values


def check_addons(hub: Hub, report: Report) -> None:
    """Report add-ons without a chart, and settings that an add-on does not have."""
    for name, entry in (hub["hub_addons"] or {}).items():
        known = ADDONS.get(name)
        path = ("hub_addons", name)
        if known is None and not entry["chart"]:
            hint = nearest(name, ADDONS, "known")
            report(path, f"is not a known add-on{hint}; other add-ons need chart and version")
        elif known is None and not entry["version"]:
            report(path, "version is missing (version of the chart)")
        elif entry["chart"] and not entry["repository"] and "/" not in entry["chart"]:
            report((*path, "chart"), "is a name in a repository; repository is missing (Helm repository of the chart)")
        elif known is None and entry["settings"]:
            report((*path, "settings"), "are only for known add-ons; use values")
        elif known is not None:
            check_keys(ADDON_SETTINGS[name], entry["settings"] or {}, report, (*path, "settings"))


def addon_releases(hub: Hub) -> list[AddonRelease]:
    """Return the releases beside a hub."""
    found = []
    for name, entry in (hub["hub_addons"] or {}).items():
        known = ADDONS.get(name, Addon("", ""))
        values: Values = dict(known.base) if hub["hub_defaults_source"] == "collection" else {}
        for key, value in _checked_settings(name, entry).items():
            for place in known.places[key]:
                values = _with(values, place, value)
            if key in _ENABLES:
                values = _with(values, _ENABLES[key], True)
        found.append(
            AddonRelease(
                name=release_name(hub, name),
                addon=name,
                chart=entry["chart"] or known.chart,
                version=entry["version"] or known.version,
                repository=entry["repository"] or ("" if entry["chart"] else known.repository),
                values=merge(values, entry["values"] or {}),
            )
        )
    return found


def release_name(hub: Hub, addon: str) -> str:
    """Return the name of an add-on's release; it holds the add-on's, so that charts name their objects after it."""
    return f"{hub.release}-{addon}"


def addon_settings(hub: Hub) -> Iterator[Setting]:
    """Yield what the hub's own chart needs for its add-ons: services, and the right of users to come to them."""
    services = {}
    for name in hub["hub_addons"] or {} if hub["hub_defaults_source"] == "collection" else ():
        known = ADDONS.get(name)
        if known and known.service:
            service, address = known.service
            url = address.format(release=release_name(hub, name), namespace=hub.namespace)
            services[service] = Setting(("hub", "services", service, "url"), url, ("hub_addons", name))
    yield from services.values()
    if services:
        # The hub's own role of that name stays what it is, and gets what is missing.
        own = next((role["scopes"] for role in hub["hub_roles"] or () if role["name"] == "user"), ["self"])
        needed = [f"access:services!service={service}" for service in services]
        scopes = [*own, *(scope for scope in needed if scope not in own)]
        yield setting("hub.loadRoles.user.scopes", scopes, "hub_addons")


def _checked_settings(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the settings in the engine's form; they were found sound by :func:`check_addons`."""
    options = ADDON_SETTINGS.get(name, ())
    checked = check_keys(options, entry["settings"] or {}, lambda _path, _message: None, ())
    return {key: value for key, value in checked.items() if value is not None}


def _with(values: Values, place: str, value: Any) -> Values:
    layer: Values = {}
    assign(layer, tuple(place.split(".")), value.specification if isinstance(value, Memory) else value)
    return merge(values, layer)
