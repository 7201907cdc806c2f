# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option hub_server_settings, and its rules.

Which classes and traits exist depends on the packages of an environment, so that only their form is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..common.nested import leaves
from ..redaction.places import holds_credentials, holds_private_key
from .model import Hub, ReadAs, ValuePath
from .option import SERVER, Option, element
from .written import Misreading

Report = Callable[[ValuePath, str], None]

NAME = "hub_server_settings"
_CLASS = r"[A-Z][A-Za-z0-9_]*"
_TRAIT = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
#: At the end, since names such as tokenizer and password_required are no secrets.
_SECRET = re.compile(r"(token|passwo?r?d|passphrase|secret|(access|api|private|secret)_?key)s?$", re.IGNORECASE)
#: Classes of jupyter_client that have the transport of kernels.
_TRANSPORT = ("transport", "ip")
_KERNEL_CLASS = re.compile(r".*KernelManager|ConnectionFileMixin")
#: What jupyterhub-singleuser sets itself, or by which it asks the hub who may use a server.
_OF_JUPYTERHUB = ("base_url", "identity_provider_class", "ip", "password", "port", "token")
_APPLICATION = re.compile("ServerApp|SingleUser.*App")
_LOGIN_CLASS = re.compile("Hub(O?Auth|Authenticated)|(JupyterHub)?IdentityProvider")
#: Largest size of the settings as text; on a machine, they are an environment variable (128 KiB on Linux).
_LARGEST = 65536

SERVER_SETTINGS = Option(
    NAME,
    "dict",
    (
        "Settings of Jupyter Server and its extensions, such as JupyterLab, in every user's server: traits by class.",
        "They are defaults, not limits, and users can read them, so they must not hold secrets. Servers that run keep"
        " what they started with. On a machine, the transport of kernels cannot be set.",
    ),
    default={},
    elements=element("dict"),
    pattern=_CLASS,
    pattern_text="the name of a class, such as ServerApp",
    example="{MappingKernelManager: {cull_idle_timeout: 1800}}",
)


def check_server_settings(hub: Hub, report: Report) -> None:
    """Report names that are no traits, values that are not JSON, secrets, and what others decide."""
    settings: dict[str, Any] = hub[NAME] or {}
    for section, traits in settings.items():
        for trait in traits:
            path = (NAME, section, trait)
            if not _TRAIT.fullmatch(str(trait)):
                report(path, f"{str(trait)!r} is not the name of a trait, such as cull_idle_timeout")
            elif _is_jupyterhubs(section, trait):
                report(path, "cannot be set: JupyterHub decides where servers listen, and who may use them")
            elif hub.platform == SERVER and trait in _TRANSPORT and _KERNEL_CLASS.fullmatch(section):
                report(path, "has no effect on a machine: kernels always use sockets in a private directory")
    for path, value in leaves(settings, (NAME,)):
        if isinstance(value, ReadAs):
            report(path, Misreading(value))
        elif type(value) in (int, float):
            report(path, Misreading(value, "number"))
        elif _holds_secret(value, path):
            report(path, "may be a secret, and every user can read it; the hub gives each server its token itself")
    if len(str(settings)) > _LARGEST:
        report((NAME,), f"is too large: {len(str(settings))} characters, at most {_LARGEST}")


def _is_jupyterhubs(section: str, trait: str) -> bool:
    return bool(_LOGIN_CLASS.fullmatch(section) or (_APPLICATION.fullmatch(section) and trait in _OF_JUPYTERHUB))


def _holds_secret(value: Any, path: ValuePath) -> bool:
    if not isinstance(value, str) or not value or _is_jupyterhubs(str(path[1]), str(path[2])):
        return False
    named = any(isinstance(key, str) and _SECRET.search(key) for key in path[2:])
    return named or holds_credentials(value) or holds_private_key(value)
