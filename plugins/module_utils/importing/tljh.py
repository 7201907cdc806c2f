# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the ``config.yaml`` of The Littlest JupyterHub (TLJH) as a hub on a machine.

Source of its keys: TLJH's documentation of tljh-config, its ``configurer.py``, and its ``yaml.py``: YAML 1.2.
"""

from __future__ import annotations

import os
from typing import Any

from ..platform.kubernetes.values.layers import Values
from .errors import FleetImportError
from .helm_yaml import resolve_yaml_1_2
from .machine import DEFAULT_CLUSTER, FIRST_USE, MachineConversion
from .sources import Source, SourceFleet, ValuesReader
from .z2jh import name_of, tier_of

#: Defaults of TLJH.
_IDLE_TIMEOUT = 600
_PORT, _TLS_PORT = 80, 443
#: Port of a hub whose reverse proxy has TLJH's ports.
_BEHIND_REVERSE_PROXY = 8000

_INTERFACES = {"jupyterlab": "lab", "classic": "notebook"}


def read_tljh(paths: list[str], hub: str, cluster: str, tier: str) -> SourceFleet:
    """Return the hub of a ``config.yaml``; raises FleetImportError. See read_z2jh for the other parameters."""
    if len(paths) != 1:
        raise FleetImportError("source: The Littlest JupyterHub has a single config.yaml; name one file")
    path = os.path.abspath(paths[0])
    files = ValuesReader(os.path.dirname(path), resolve_yaml_1_2).files([path])
    if not files.read:
        raise FleetImportError(f"{paths[0]}: is encrypted")
    name = hub or name_of(path)
    source = Source(cluster or DEFAULT_CLUSTER, name, tier or tier_of(name), {}, files)
    conversion = _Conversion(files.values, source.notes)
    source.variables = conversion.variables
    source.not_imported = conversion.unused()
    source.option_count = conversion.option_count
    return SourceFleet([source])


class _Conversion(MachineConversion):
    """Converts a config.yaml."""

    def __init__(self, config: Values, notes: list[str]) -> None:
        super().__init__(config, notes)
        self._people()
        self._login()
        self._software()
        self._culling()
        self._address()

    def _people(self) -> None:
        for key, option in (
            ("allowed", "hub_allowed_users"),
            ("banned", "hub_blocked_users"),
            ("admin", "hub_admins"),
        ):
            people = self.get(f"users.{key}")
            if isinstance(people, list) and people:
                self.set(option, self._names(people, f"users.{key}"), f"users.{key}")
        admins, allowed = self.variables.get("hub_admins"), self.variables.get("hub_allowed_users")
        if admins and not allowed:
            # TLJH always allows admins; here an allow rule must.
            self.set("hub_allowed_users", admins)

    def _names(self, people: list[Any], path: str) -> list[str]:
        """Return user names, each once; a number is the name of nobody."""
        numbers = [str(name) for name in people if isinstance(name, (int, float))]
        if numbers:
            self.notes.append(
                f"{path}: {', '.join(numbers)} without quotes are numbers in YAML, which are nobody's name; left out"
            )
        return list(dict.fromkeys(name for name in people if str(name) not in numbers))

    def _login(self) -> None:
        self.choose_authenticator(str(self.get("auth.type", FIRST_USE)), "auth.", "auth.type")

    def _software(self) -> None:
        app = self.get("user_environment.default_app")
        if app in _INTERFACES:
            self.set("hub_interface", _INTERFACES[app], "user_environment.default_app")
        self.variables["hub_sizes"] = [self.size("limits.memory", "limits.cpu")]
        self.variables["hub_environments"] = [{"name": "python", "title": "Python"}]
        self.notes.append(
            "hub_environments: TLJH's configuration does not contain the packages of its user environment; list them"
            " with 'sudo -E /opt/tljh/user/bin/pip list' and add the required ones to packages"
        )

    def _culling(self) -> None:
        timeout = self.get("services.cull.timeout", _IDLE_TIMEOUT)
        if self.get("services.cull.enabled", True) is False:
            self.set_duration("hub_idle_timeout", 0, "services.cull.enabled", "services.cull.timeout")
        else:
            self.set_duration("hub_idle_timeout", timeout, "services.cull.enabled", "services.cull.timeout")
        age = self.get("services.cull.max_age")
        if age is not None:
            self.set_duration("hub_maximum_age", age, "services.cull.max_age")

    def _address(self) -> None:
        encrypted = self.get("https.enabled") is True
        certificate, key = self.get("https.tls.cert"), self.get("https.tls.key")
        domains = self.get("https.letsencrypt.domains")
        domain = domains[0] if isinstance(domains, list) and domains and isinstance(domains[0], str) else None
        if encrypted and certificate and key:
            self.set("hub_tls_certificate", certificate, "https.tls.cert", "https.enabled")
            self.set("hub_tls_key", key, "https.tls.key")
            self.set("hub_port", self.get("https.port", _TLS_PORT), "https.port")
            self.set("hub_bind", self.get("https.address", "0.0.0.0"), "https.address")
        elif encrypted and domain:
            self._lets_encrypt(domain, domains)
        else:
            self.set("hub_port", self.get("http.port", _PORT), "http.port")
            self.note_local_address("TLJH listens on every address")
        path = self.get("base_url", "/")
        if domain and isinstance(path, str) and path.strip("/"):
            self.set("hub_url", f"https://{domain}/{path.strip('/')}/", "base_url", "https.letsencrypt.domains")
        elif domain:
            self.set("hub_domain", domain, "https.letsencrypt.domains")

    def _lets_encrypt(self, domain: str, domains: list[Any]) -> None:
        """Let the machine's reverse proxy request the certificate, as TLJH's does."""
        self.variables["cluster_reverse_proxy"] = "caddy"
        self._used.add(("https", "enabled"))
        for path, option in (("http.port", "cluster_http_port"), ("https.port", "cluster_https_port")):
            if self.get(path) is not None:
                self.set(option, self.get(path), path)
        if self.get("https.address") is not None:
            self.set("cluster_bind", self.get("https.address"), "https.address")
        self.variables["hub_port"] = _BEHIND_REVERSE_PROXY
        self.notes.append(
            "cluster_reverse_proxy: Caddy requests certificates of Let's Encrypt, as TLJH's own proxy did; no address"
            f" for Let's Encrypt's mails is passed on, and the hub itself listens on port {_BEHIND_REVERSE_PROXY}"
        )
        if len(domains) > 1:
            self.notes.append(f"hub_domain: a hub has one domain; only {domain} was imported")
