# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub on a machine should be: its files, its services and what they need."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ....common.digests import digest
from ....environments.build.model import Build
from ....redaction.redactor import Redactor
from ....schema.model import Hub
from ...traits import hub_traits, load_groups, profile_list, secret_traits
from ..facts.machine import Setup
from ..redacted import PRIVATE_LINES, PUBLIC_NAMES, HubContent, mask_content
from ..reverse_proxy.desired import ReverseProxy, Site, site_of
from ..shared_changes import shared_directories, shared_files
from .environments import Assets, hub_builds, versions
from .services import Service, culler_settings, reverse_proxy_service, services, slice_name

#: What a hub runs from, as fields of history.Record -> words.
VERSIONS = {"jupyterhub": "JupyterHub", "proxy": "proxy", "python": "Python"}

#: Keys of services that go to secrets.json.
_SECRET_OF_SERVICES = ("api_token", "environment")

#: Key of hub.json with hub_server_settings; absent without any.
SETTINGS_KEY = "server_settings"

#: Version of hub.json that the package hubfleet_runtime understands.
FORMAT = 1


@dataclass(frozen=True)
class DesiredReverseProxy:
    """What the reverse proxy should be, and what it should serve of a hub; site is None where it should not."""

    door: ReverseProxy
    service: Service
    site: Site | None

    @property
    def digest(self) -> str:
        """Digest of all that is the hub's business."""
        return digest([self.door.settings, self.service.digest, self.site.digest]) if self.site else ""

    def recorded(self) -> dict[str, Any]:
        """Return what a rollback has to know of it, {} where it does not serve the hub; RecordedProxy reads it."""
        return {"settings": asdict(self.door), "service": self.service.as_dict()} if self.site else {}


@dataclass
class DesiredHub:
    """A hub as it should be on its machine.

    config: content of hub.json; holds no secret.
    secrets: content of secrets.json; never to be shown.
    extra: content of extra.py; shown without the lines that may hold a secret.
    copied: file below config/ -> path on the controller (templates and logo).
    generated: names of the secrets that are made on the machine if they are not there.
    versions: fields of history.Record that say what the hub runs from.
    builds: everything that must be built before the services can start.
    reverse_proxy: the reverse proxy of its cluster, None where the machine is not known.
    redactor: masks the hub's secrets in what is shown.
    """

    name: str
    config: dict[str, Any]
    secrets: dict[str, Any]
    extra: str
    copied: dict[str, str] = field(default_factory=dict)
    generated: tuple[str, ...] = ()
    builds: list[Build] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    reverse_proxy: DesiredReverseProxy | None = None
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """Digest of everything that the hub itself is started from."""
        return next(service.digest for service in self.services if service.role == "hub")

    @functools.cached_property
    def fingerprint(self) -> str:
        """Digest of everything that the hub is: its files, what its services are started from, what is built for it."""
        return digest(
            [
                self.config,
                self.secrets,
                self.extra,
                self.copied,
                {service.role: service.digest for service in self.services},
                [build.directory for build in self.builds],
                self.reverse_proxy.digest if self.reverse_proxy else "",
            ]
        )

    def named_versions(self) -> dict[str, str]:
        """Return what the hub runs from by the names that people know."""
        return {words: self.versions[name] for name, words in VERSIONS.items() if name in self.versions}

    def config_text(self) -> str:
        """Return hub.json as text; the order of keys is kept, since menus show choices in it."""
        return json.dumps(self.config, indent=2) + "\n"

    def content(self) -> HubContent:
        """Return its content for people, to be masked."""
        return HubContent.read(self.config, self.extra, culler_settings(self.services))

    def config_files(self) -> dict[str, str]:
        """Return the files below config/ that are written from text, by name."""
        return {
            "hub.json": self.config_text(),
            "secrets.json": json.dumps(self.secrets, indent=2, sort_keys=True) + "\n",
            "extra.py": self.extra,
        }

    def shown(self) -> str:
        """Return its content as text, with secrets masked."""
        return mask_content(self.redactor, self.content())


def desired_hub(
    hub: Hub,
    setup: Setup,
    assets: Assets,
    copied: dict[str, str],
    certificate: str = "",
    door: ReverseProxy | None = None,
) -> DesiredHub:
    """Return what ``hub`` should be under ``setup``.

    copied: file below config/ -> text of a digest of it, from the controller.
    certificate: digest of the TLS certificate on the machine; a renewed one restarts the proxy, or reloads the front
    door. door: the reverse proxy of the cluster, None where the machine is not known.
    """
    jupyterhub = hub["hub_jupyterhub_version"]
    builds = hub_builds(hub, setup, assets)
    environments = {build.name: build for build in builds if build.folder == "environments"}
    config = _config(hub, setup, environments, copied)
    secrets = {
        "traits": secret_traits(hub),
        "services": _of_services(hub, "api_token"),
        "service_environments": _of_services(hub, "environment"),
    }
    extra = hub["hub_jupyterhub_config"] or ""
    content = digest([json.dumps(config), secrets, extra, copied])
    own = "" if hub.behind_reverse_proxy else certificate
    site = site_of(config, certificate)
    return DesiredHub(
        name=hub.name,
        config=config,
        secrets=secrets,
        extra=extra,
        copied=dict(copied),
        generated=_generated(hub),
        builds=builds,
        versions=versions(jupyterhub, setup, assets),
        services=services(hub, config, content, own, setup, assets),
        reverse_proxy=DesiredReverseProxy(door, reverse_proxy_service(hub.cluster.name, door, setup, assets), site)
        if door
        else None,
        redactor=hub.redactor,
    )


def _config(hub: Hub, setup: Setup, environments: dict[str, Build], copied: dict[str, str]) -> dict[str, Any]:
    first, second, third = hub.inner_ports
    certificate = hub["hub_tls_certificate"]
    tls = {"certificate": certificate, "key": hub["hub_tls_key"]} if certificate else None
    path = urlsplit(hub.url).path or "/"
    files = setup.layout.hub(hub.name)
    return {
        "format": FORMAT,
        "cluster": hub.cluster.name,
        "hub": hub.name,
        "title": hub.title,
        "url": hub.url,
        "base_url": path,
        "bind": hub["hub_bind"],
        "ports": {
            "public": hub["hub_port"],
            "hub": first,
            "proxy_api": second,
            "proxy_metrics": third,
        },
        "tls": None if hub.behind_reverse_proxy else tls,
        "reverse_proxy": _reverse_proxy(hub, tls) if hub.behind_reverse_proxy else None,
        "isolation": setup.isolation,
        "homes": hub["hub_home_directory"] or setup.layout.homes(hub.name),
        "runtime_directory": setup.runtime_directory,
        "slice": slice_name(hub, setup) if setup.units else None,
        "environments": {
            name: {"directory": setup.layout.environment(build.directory)} for name, build in environments.items()
        },
        "profile_list": profile_list(hub),
        "user_packages": hub["hub_user_packages"],
        **({SETTINGS_KEY: hub["hub_server_settings"]} if hub["hub_server_settings"] else {}),
        "shared_directories": shared_directories(hub),
        "files": shared_files(hub),
        "traits": hub_traits(hub),
        "shared_password": hub["hub_authenticator"] == "shared-password",
        "templates": files.config("templates") if hub["hub_templates"] else None,
        "logo": next((files.config(name) for name in copied if name.startswith("logo")), None),
        "template_vars": {"announcement": hub["hub_announcement"], "hub_title": hub.title},
        "services": [_service(service) for service in hub["hub_services"] or ()],
        "roles": [{key: value for key, value in role.items() if value} for role in hub["hub_roles"] or ()],
        "groups": load_groups(hub),
        **({"metrics": True} if hub["hub_metrics"] else {}),
        "admin_sudo": hub["hub_admin_sudo"],
        "keep_panel_grants": hub["hub_keep_panel_grants"],
        "user_expiry": hub["hub_user_expiry"],
        **(_private_lines(hub) if hub["hub_jupyterhub_config"] else {}),
    }


def _private_lines(hub: Hub) -> dict[str, Any]:
    """Return what of hub_jupyterhub_config must not be shown."""
    private = hub.private_lines
    return {PRIVATE_LINES: list(private.numbers), PUBLIC_NAMES: list(private.public_names)}


def _reverse_proxy(hub: Hub, tls: dict[str, str] | None) -> dict[str, Any]:
    """Return what the reverse proxy has to know of a hub; its proxy listens without TLS then."""
    address = urlsplit(hub.url.lower())
    return {"domain": address.hostname, "address": address.netloc, "tls": tls}


def _service(service: dict[str, Any]) -> dict[str, Any]:
    """Return a service of the operator's without what may be secret."""
    return {key: value for key, value in service.items() if value is not None and key not in _SECRET_OF_SERVICES}


def _of_services(hub: Hub, key: str) -> dict[str, Any]:
    """Return name -> value of a key of services that have it."""
    return {service["name"]: service[key] for service in hub["hub_services"] or () if service[key]}


def _generated(hub: Hub) -> tuple[str, ...]:
    names: tuple[str, ...] = (
        "proxy_token",
        "cookie_secret",
        "crypt_key",
        "check_token",
        "culler_token",
        "routes_token",
        "users_token",
    )
    if hub["hub_metrics"]:
        names = (*names, "metrics_token")
    return (*names, "user_password", "admin_password") if hub["hub_authenticator"] == "shared-password" else names
