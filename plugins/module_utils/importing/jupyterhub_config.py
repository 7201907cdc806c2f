# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a ``jupyterhub_config.py`` as a hub on a machine, as far as it can be read without running it.

Source of its traits: JupyterHub's reference of its configuration, and jupyterhub-idle-culler's of its command line.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from ..platform.kubernetes.values.layers import Values
from ..schema.option import Option
from ..schema.options import OPTIONS
from .config_rest import import_rest
from .errors import FleetImportError
from .machine import DEFAULT_CLUSTER, MachineConversion
from .option_values import is_valid
from .python_config import ConfigFile, HubPython, read_config
from .sources import Source, SourceFleet, ValuesFiles
from .z2jh import name_of, tier_of

#: Defaults of JupyterHub.
_AUTHENTICATOR, _PORT = "pam", 8000
_CALLBACK = "hub/oauth_callback"
_CULLERS = ("jupyterhub_idle_culler", "jupyterhub-idle-culler", "cull_idle_servers")
#: Options that are a trait, in the same type.
_SAME = {
    "Authenticator.allowed_users": "hub_allowed_users",
    "Authenticator.blocked_users": "hub_blocked_users",
    "Authenticator.admin_users": "hub_admins",
    "JupyterHub.active_server_limit": "hub_active_server_limit",
    "JupyterHub.concurrent_spawn_limit": "hub_concurrent_spawn_limit",
    "JupyterHub.allow_named_servers": "hub_named_servers",
    "JupyterHub.named_server_limit_per_user": "hub_named_server_limit",
    "JupyterHub.redirect_to_server": "hub_redirect_to_server",
    "JupyterHub.template_vars.announcement": "hub_announcement",
    "Spawner.environment": "hub_environment_variables",
}
#: Old names of traits, which JupyterHub still takes.
_RENAMED = {
    ("Authenticator", "whitelist"): ("Authenticator", "allowed_users"),
    ("Authenticator", "blacklist"): ("Authenticator", "blocked_users"),
    ("JupyterHub", "admin_users"): ("Authenticator", "admin_users"),
}
#: Traits of all spawners that have an option, also where the section of one spawner sets them.
_OF_SPAWNERS = ("environment", "default_url", "start_timeout", "mem_limit", "cpu_limit")


def read_jupyterhub_config(paths: list[str], hub: str, cluster: str, tier: str, records: str) -> SourceFleet:
    """Return the hub of a ``jupyterhub_config.py``; raises FleetImportError. See read_z2jh for the other parameters.

    records: the directory with what is recorded of versions of JupyterHub.
    """
    if len(paths) != 1:
        raise FleetImportError("source: a hub has a single jupyterhub_config.py; name one file")
    name = os.path.basename(paths[0])
    try:
        with open(paths[0], encoding="utf-8-sig") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise FleetImportError(f"{name}: is not UTF-8 text") from error
    config = read_config(text, name)
    title = hub or name_of(os.path.dirname(os.path.abspath(paths[0])) if name == "jupyterhub_config.py" else paths[0])
    source = Source(cluster or DEFAULT_CLUSTER, title, tier or tier_of(title), {}, ValuesFiles(read=[name]))
    conversion = _Conversion(config, source.notes)
    conversion.convert()
    import_rest(conversion, config, records)
    source.variables = conversion.variables
    source.option_count = conversion.option_count
    source.not_imported = {f"line {line}: {sentence}": {} for line, sentence in sorted(config.unread)}
    return SourceFleet([source])


class _Conversion(MachineConversion):
    """Converts the traits of a configuration."""

    def __init__(self, config: ConfigFile, notes: list[str]) -> None:
        _rename(config)
        self.file = config
        super().__init__(config.values(), notes)

    def convert(self) -> None:
        """Set all variables that traits are; the rest of the traits is not marked as used."""
        for path, option in _SAME.items():
            value = self.get(path)
            if value not in (None, [], {}):
                self.set(option, value, path)
        self._login()
        self._software()
        self._services()
        self._roles()
        self._groups()
        self._address()

    def _login(self) -> None:
        default = "" if self._is_lost("c.JupyterHub.authenticator_class") else _AUTHENTICATOR
        chosen = self.get("JupyterHub.authenticator_class", default)
        if self.get("Authenticator.allow_all") is True:
            self.set("hub_allow_everyone", True, "Authenticator.allow_all")
        if not chosen:
            self.notes.append("hub_authenticator: the authenticator cannot be read; choose one")
            return
        self.choose_authenticator(str(chosen), "", "JupyterHub.authenticator_class")
        if not any(name.startswith("hub_allow") for name in self.variables):
            self.notes.append(
                "hub_authenticator: no rule allows users; before JupyterHub 5, everybody who could authenticate was"
                " allowed. Set an allow rule, or hub_allow_everyone: true"
            )

    def _is_lost(self, trait: str) -> bool:
        """Tell whether a trait is set, but cannot be read."""
        return any(trait in sentence for _line, sentence in self.file.unread)

    def _software(self) -> None:
        page = self.get("Spawner.default_url")
        interface = {"/lab": "lab", "/tree": "notebook"}.get(str(page), page)
        if page is not None:
            self.set("hub_interface", interface, "Spawner.default_url")
        if self.get("Spawner.start_timeout") is not None:
            self._set_seconds("hub_start_timeout", self.get("Spawner.start_timeout"), "Spawner.start_timeout")
        self.variables["hub_sizes"] = [self.size("Spawner.mem_limit", "Spawner.cpu_limit")]
        self.variables["hub_environments"] = [{"name": "python", "title": "Python"}]
        self.notes.append(
            "hub_environments: the configuration does not contain the packages that users have; list them with"
            " 'pip list' in the environment of their servers, and add the required ones to packages"
        )

    def _set_seconds(self, option: str, seconds: Any, path: str) -> None:
        if isinstance(seconds, int) and is_valid(option, f"{seconds}s"):
            self.set_duration(option, seconds, path)

    def _services(self) -> None:
        """Import services; the idle culler becomes options."""
        path, kept, culled = "JupyterHub.services", [], False
        for service in _mappings(self.get(path)):
            command = service.get("command")
            words = [str(word) for word in command] if isinstance(command, list) else str(command or "").split()
            if any(culler in word for word in words for culler in _CULLERS):
                self._culling(words)
                culled = True
            elif self._fits("hub_services", service, "service"):
                kept.append(_known(OPTIONS["hub_services"], service))
        if kept:
            self.variables["hub_services"] = kept
        if self.get(path) is not None:
            self.use(path)
        if culled:
            return
        if self._is_lost("c.JupyterHub.services"):
            self.notes.append("hub_idle_timeout: the services cannot be read, and may have contained an idle culler")
        else:
            self.variables["hub_idle_timeout"] = "never"
            self.notes.append("hub_idle_timeout: no idle culler was found, so that servers are not stopped, as before")

    def _culling(self, words: list[str]) -> None:
        given = dict(word.lstrip("-").split("=", 1) for word in words if word.startswith("--") and "=" in word)
        for key, option in (("timeout", "hub_idle_timeout"), ("max-age", "hub_maximum_age")):
            if given.get(key, "").isdigit():
                self.set_duration(option, int(given[key]))
        if any(word.startswith("--cull-users") for word in words):
            self.notes.append("hub_user_expiry: the culler removed users, too; set it if that is still wanted")

    def _fits(self, option: str, entry: Values, what: str) -> bool:
        """Tell whether an entry of a list can be imported; note what of it cannot be."""
        described, name = OPTIONS[option], entry.get("name")
        if any(isinstance(word, HubPython) for word in entry.get("command") or ()):
            self.notes.append(f"{option}: the {what} {name} runs with the hub's own Python (sys.executable); left out")
            return False
        known = _known(described, entry)
        if not is_valid(described, [known]):
            self.notes.append(f"{option}: the {what} {name} is not valid here; left out")
            return False
        missing = sorted(map(str, entry.keys() - known.keys()))
        if missing:
            self.notes.append(f"{option}: {', '.join(missing)} of the {what} {name} cannot be set; left out")
        return True

    def _roles(self) -> None:
        services = {service["name"] for service in self.variables.get("hub_services", ())}
        kept = []
        for role in _mappings(self.get("JupyterHub.load_roles")):
            others = [name for name in role.get("services") or () if name in services]
            if role.get("services") and not (others or role.get("users") or role.get("groups")):
                continue  # of the culler, or of a service that was left out
            entry = {**role, **({"services": others} if role.get("services") else {})}
            if self._fits("hub_roles", entry, "role"):
                kept.append(_known(OPTIONS["hub_roles"], entry))
        if kept:
            self.variables["hub_roles"] = kept
        if self.get("JupyterHub.load_roles") is not None:
            self.use("JupyterHub.load_roles")

    def _groups(self) -> None:
        path, given = "JupyterHub.load_groups", self.get("JupyterHub.load_groups")
        if not isinstance(given, dict) or not given:
            return
        groups = {name: {"users": content} if isinstance(content, list) else content for name, content in given.items()}
        if is_valid("hub_groups", groups):
            self.variables["hub_groups"] = groups
            self.use(path)

    def _address(self) -> None:
        bound = urlsplit(str(self.get("JupyterHub.bind_url") or ""))
        address = bound.hostname or self.get("JupyterHub.ip")
        self.set("hub_port", bound.port or self.get("JupyterHub.port", _PORT), "JupyterHub.port")
        certificate, key = self.get("JupyterHub.ssl_cert"), self.get("JupyterHub.ssl_key")
        if certificate and key:
            self.set("hub_tls_certificate", certificate, "JupyterHub.ssl_cert")
            self.set("hub_tls_key", key, "JupyterHub.ssl_key")
            self.set("hub_bind", "0.0.0.0" if address in (None, "", "*") else address, "JupyterHub.ip")
        elif address not in ("127.0.0.1", "localhost", "::1"):
            self.note_local_address("JupyterHub listened on other addresses, too")
        self.use("JupyterHub.bind_url", "JupyterHub.ip", "JupyterHub.base_url")
        path = bound.path or str(self.get("JupyterHub.base_url") or "/")
        url = self._public_url()
        if url:
            self.set("hub_url", url)
        elif path.strip("/"):
            self.notes.append(f"hub_url: the hub was served under {path}, at an address that the file does not contain")

    def _public_url(self) -> str:
        """Return the address of the hub, as it is told to JupyterHub or to the OAuth provider; "" if unknown."""
        url = self.get("JupyterHub.public_url")
        if isinstance(url, str) and url:
            self.use("JupyterHub.public_url")
            return url
        for section, traits in self.config.items():
            callback = traits.get("oauth_callback_url")
            if isinstance(callback, str) and callback.endswith(_CALLBACK):
                self.use(f"{section}.oauth_callback_url")
                return callback[: -len(_CALLBACK)]
        return ""


def _rename(config: ConfigFile) -> None:
    """Move traits to where this module looks for them: to their present names, and to the base class of spawners."""
    settings = config.settings
    for (section, trait), (new_section, new) in _RENAMED.items():
        given = settings.get(section, {}).pop(trait, None)
        if given:
            settings.setdefault(new_section, {}).setdefault(new, given)
    name = _chosen(config, "spawner_class").lower()
    for section in list(settings):
        if section != "Spawner" and section.lower() in (name, f"{name}spawner", "localprocessspawner"):
            _move(config, section, "Spawner", _OF_SPAWNERS)
    _rename_login(config)


def _rename_login(config: ConfigFile) -> None:
    """Move people to the base class of authenticators, and what all OAuth classes share to the chosen one."""
    name = _chosen(config, "authenticator_class")
    for section in list(config.settings):
        if section != "Authenticator" and section.lower() in (name.lower(), f"{name.lower()}authenticator"):
            _move(config, section, "Authenticator", ("admin_users", "allowed_users", "blocked_users", "allow_all"))
    shared = config.settings.get("OAuthenticator", {})
    for section in list(config.settings) if name else ():
        if section.endswith("OAuthenticator") and section != "OAuthenticator":
            for trait in list(shared):
                config.settings[section].setdefault(trait, shared.pop(trait))


def _chosen(config: ConfigFile, trait: str) -> str:
    """Return the last part of a class or entry point that a trait of JupyterHub chooses, or ""."""
    given = config.settings.get("JupyterHub", {}).get(trait)
    return str(given.value if given else "").rpartition(".")[2]


def _move(config: ConfigFile, section: str, base: str, traits: tuple[str, ...]) -> None:
    """Move traits to the section of a base class, whose own values they override."""
    for trait in traits:
        if trait in config.settings[section]:
            config.settings.setdefault(base, {})[trait] = config.settings[section].pop(trait)


def _mappings(value: Any) -> list[Values]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _known(option: Option, entry: Values) -> Values:
    """Return the keys of an entry that an option has, without those that are empty."""
    inner = option.elements.options if option.elements else ()
    names = {each.name for each in inner}
    return {key: value for key, value in entry.items() if key in names and value not in (None, [], {}, "")}
