# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that KubeSpawner or JupyterHub formats with ``str.format`` for each session, and Kubernetes expands.

Sources: KubeSpawner 7.0, ``_expand_user_properties``; JupyterHub 5, ``Spawner.format_string``; Kubernetes'
``third_party/forked/golang/expansion``, for ``$(VARIABLE)`` in environment variables.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Any

from .problems import nearest

#: Placeholders of KubeSpawner; all are text but userid.
KUBESPAWNER = (
    "username",
    "servername",
    "user_server",
    "userid",
    "namespace",
    "pod_name",
    "pvc_name",
    "hubnamespace",
    *(f"{form}_{name}" for form in ("unescaped", "safe", "escaped") for name in ("username", "servername")),
    "safe_user_server",
    "escaped_user_server",
)
#: Placeholders of JupyterHub's own traits, default_url and notebook_dir.
JUPYTERHUB = ("username", "base_url")
#: Placeholders of KubeSpawner's dns_name_template.
DNS_NAME = ("name", "namespace")

#: What str.format raises.
_ERRORS = (KeyError, IndexError, AttributeError, ValueError, TypeError, OverflowError, MemoryError)

_BRACES = (
    "has braces that are no placeholder, so that no session can start; "
    "double braces that are text, and mark the value with !unsafe for Ansible"
)


def literal(text: str) -> str:
    """Return what is formatted as ``text``: braces are doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def literal_variable(text: str) -> str:
    """Return what an environment variable of a pod must be, so that its value is ``text``."""
    return literal(escaped_references(text))


def escaped_references(text: str) -> str:
    """Return what Kubernetes expands to ``text`` in an environment variable."""
    # Kubernetes replaces $(NAME), and $$ by $; any other $ stays.
    return text.replace("$", "$$") if "$(" in text or "$$" in text else text


def from_literal(text: Any) -> str:
    """Return the text that :func:`literal` makes into ``text``; raises ValueError if there is none."""
    if not isinstance(text, str):
        raise ValueError("no text")
    plain = text.replace("{{", "{").replace("}}", "}")
    if literal(plain) != text:
        raise ValueError(f"{text!r} has placeholders")
    return plain


def from_literal_variable(text: str) -> str:
    """Return the value that :func:`literal_variable` makes into ``text``; raises ValueError if there is none."""
    plain = from_literal(text).replace("$$", "$")
    if literal_variable(plain) != text:
        raise ValueError(f"{text!r} has references to variables")
    return plain


def placeholder_problem(text: str, known: Iterable[str] = tuple(KUBESPAWNER)) -> str:
    """Return why ``text`` cannot be formatted with the placeholders ``known``, or "".

    Of the text, which may be a secret, the message repeats names of placeholders only.
    """
    if "{" not in text and "}" not in text:
        return ""
    known = tuple(known)
    try:
        _formatted(text, known)
    except _ERRORS:
        return _reason(text, known)
    return ""


def sample(text: str) -> str:
    """Return what KubeSpawner may make of ``text``; the text itself where it cannot be formatted."""
    try:
        return _formatted(text, KUBESPAWNER)
    except _ERRORS:
        return text


def _formatted(text: str, known: tuple[str, ...]) -> str:
    return text.format(**{name: 1 if name == "userid" else "x" for name in known})


def _reason(text: str, known: tuple[str, ...]) -> str:
    try:
        names = [name for _text, name, _format, _conversion in string.Formatter().parse(text) if name]
    except ValueError:  # a single brace
        return _BRACES
    unknown = next((name for name in names if name not in known and re.fullmatch(r"[A-Za-z]\w{0,40}", name)), None)
    if unknown is None:
        return _BRACES
    return f"has the unknown placeholder {{{unknown}}}{nearest(unknown, known, 'known', most=len(known))}"
