# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of the inventory that hold secrets according to the schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ..redaction.places import CHART_SECRETS, is_secret_place
from ..redaction.redactor import Redactor
from .addon_options import ADDON_SETTINGS
from .authenticators import AUTHENTICATORS
from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS
from .model import ValuePath
from .option import Option


def _secret_keys(options: Iterable[Option]) -> set[str]:
    found = set()
    for option in options:
        if option.secret:
            found.add(option.name)
        found |= _secret_keys(option.options)
        if option.elements:
            found |= _secret_keys((option.elements,))
    return found


#: Names of options, of their keys, and of keys of the chart that hold secrets.
SECRET_KEYS = (
    CHART_SECRETS
    | _secret_keys(HUB_OPTIONS)
    | _secret_keys(CLUSTER_OPTIONS)
    | _secret_keys(setting for authenticator in AUTHENTICATORS for setting in authenticator.settings)
    | _secret_keys(setting for settings in ADDON_SETTINGS.values() for setting in settings)
)


def is_secret(path: ValuePath) -> bool:
    """Return whether the place (variable, *path inside it) is a secret, or in a list of secrets."""
    return is_secret_place(path, SECRET_KEYS)


def redactor(secret_texts: Callable[[], Collection[str]] = frozenset) -> Redactor:
    """Return the redactor that masks secrets of the schema, and the texts that the function returns."""
    return Redactor(SECRET_KEYS, secret_texts)
