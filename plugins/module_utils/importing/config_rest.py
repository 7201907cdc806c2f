# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a ``jupyterhub_config.py`` has no option: kept as Python where that is safe, and otherwise told by line."""

from __future__ import annotations

import os

from ..common.nested import leaves
from ..platform.config_classes import Traits, read_traits
from ..platform.config_code import code_problems
from ..redaction.places import may_hold_secret
from ..schema.authenticators import BY_NAME as AUTHENTICATORS
from ..schema.options import OPTIONS
from ..schema.secrets import SECRET_KEYS
from .machine import MachineConversion
from .python_config import ConfigFile, Given, Key

_ADDRESS = "the collection decides on which ports and addresses parts of a hub listen"
_GENERATED = "secrets like this are generated on the machine"
_SERVERS = "servers of users are started by the spawner of the collection (cluster_isolation)"
_FILES = "the collection decides where a hub has its files"
#: Traits that the collection sets itself -> what is said of them; "" stands for all traits of a class.
_MANAGED = {
    **{
        ("JupyterHub", name): _ADDRESS
        for name in (
            *(
                "hub_ip",
                "hub_port",
                "hub_bind_url",
                "hub_connect_ip",
                "hub_connect_port",
                "hub_connect_url",
                "proxy_cmd",
            ),
            *("proxy_api_ip", "proxy_api_port", "proxy_class", "subdomain_host", "internal_ssl", "confirm_no_ssl"),
            *("trusted_downstream_ips", "ssl_cert", "ssl_key", "port"),
        )
    },
    ("ConfigurableHTTPProxy", ""): _ADDRESS,
    **{
        ("JupyterHub", name): _FILES
        for name in ("pid_file", "data_files_path", "extra_log_file", "internal_certs_location", "config_file")
    },
    **{
        ("JupyterHub", name): _GENERATED
        for name in ("cookie_secret", "cookie_secret_file", "proxy_auth_token", "service_tokens", "api_tokens")
    },
    ("CryptKeeper", ""): _GENERATED,
    ("JupyterHub", "db_url"): "a hub has a database of its own; users, tokens and their state are not imported",
    ("JupyterHub", "db_kwargs"): "a hub has a database of its own; users, tokens and their state are not imported",
    **{("JupyterHub", name): "servers go on while the hub restarts" for name in ("cleanup_servers", "cleanup_proxy")},
    ("JupyterHub", "template_paths"): "copy the templates next to the inventory, and set hub_templates",
    ("JupyterHub", "template_vars"): "the collection sets its own; add others in hub_jupyterhub_config",
    ("JupyterHub", "load_groups"): "a name in it is not valid here; set hub_groups",
    ("JupyterHub", "logo_file"): "copy the logo next to the inventory, and set hub_logo",
    ("JupyterHub", "extra_handlers"): "the collection sets its own; add others in hub_jupyterhub_config",
    ("JupyterHub", "spawner_class"): _SERVERS,
    ("JupyterHub", "authenticator_class"): "set hub_authenticator",
    ("JupyterHub", "last_activity_interval"): "the collection decides how often activity is looked at",
    ("LocalAuthenticator", ""): "the collection makes the accounts of users (cluster_isolation)",
    **{
        ("Spawner", name): _SERVERS
        for name in (
            *("cmd", "args", "ip", "port", "notebook_dir", "env_keep", "mem_guarantee", "cpu_guarantee", "debug"),
            *("http_timeout", "poll_interval", "mem_limit", "cpu_limit", "start_timeout", "default_url", "environment"),
        )
    },
}
#: Mappings of which the collection sets some keys.
_MERGED = {("JupyterHub", "tornado_settings")}
#: Traits that decide who may log in or is an admin: only options are checked, so they must not get lost in Python.
_ACCESS = ("allow", "admin_", "blocked_", "hosted_domain", "manage_groups", "whitelist", "username_pattern")


def import_rest(conversion: MachineConversion, config: ConfigFile, records: str) -> None:
    """Add the traits that were not used to ``hub_jupyterhub_config`` of a conversion, or to the lines not read.

    records: the directory with what is recorded of versions of JupyterHub.
    """
    version = str(OPTIONS["hub_jupyterhub_version"].default)
    traits = read_traits(os.path.join(records, version, "traits.json"))
    used = conversion.unused()
    lines = []
    for section, settings in config.settings.items():
        for trait, given in settings.items():
            if trait not in (used.get(section) or {}):
                continue
            reason = _reason(conversion, (section, trait), given, traits)
            if reason:
                config.unread.append((given.line, f"c.{section}.{trait}: {reason}"))
            else:
                value = given.text or repr(given.value)
                merges = (section, trait) in _MERGED and isinstance(given.value, dict)
                assigned = f".update({value})" if merges else f" = {value}"
                lines.append((given.line, f"c.{section}.{trait}{assigned}"))
                conversion.use(f"{section}.{trait}")
    if lines:
        conversion.variables["hub_jupyterhub_config"] = "".join(f"{line}\n" for _number, line in sorted(lines))


def _reason(conversion: MachineConversion, key: Key, given: Given, traits: Traits) -> str:
    """Return why a trait cannot be kept as Python; "" if it can."""
    section, trait = key
    managed = _MANAGED.get(key) or _MANAGED.get((section, ""))
    if managed:
        return managed
    if section not in traits.classes:
        return _SERVERS if section.endswith("Spawner") else f"the class {section} does not exist here"
    if section.endswith("Spawner") and section != "Spawner":
        return _SERVERS
    # First, so that no message is about a trait that holds a secret in a wrong place.
    known = traits.of(section).get(trait)
    inside = leaves(given.value, (section, trait))
    if (known and known.secret) or any(may_hold_secret(value, path, SECRET_KEYS) for path, value in inside):
        return "may hold a secret; add it encrypted"
    authenticator = AUTHENTICATORS.get(str(conversion.variables.get("hub_authenticator")))
    config = {"JupyterHub": {"authenticator_class": authenticator.entry_point if authenticator else "?"}}
    config["JupyterHub"]["spawner_class"] = "hubfleet_runtime.spawner.ServerSpawner"
    problem = next(code_problems(f"c.{section}.{trait} = None", config, traits), None)
    if problem:
        return f"{problem[2].rpartition(' (line')[0]}; it had no effect"
    login = "Authenticator" in traits.sections(section)
    if login and trait.startswith(_ACCESS):
        return "decides who may log in; set an option instead"
    in_use = traits.sections(authenticator.config_class) if authenticator else ("Authenticator",)
    if login and section not in in_use:
        return f"{section} is not the authenticator of the imported hub"
    return ""
