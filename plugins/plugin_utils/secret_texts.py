# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts of a host nobody may see: what its variables keep encrypted, and what templates make of that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.private_lines import PrivateLines, lines_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin

#: What stands for a secret while a template is worked out without it; filters that decode take it as well.
BLANK = "hidden00"
#: The variable that is shown line by line.
CONFIG = "hub_jupyterhub_config"
_TEMPLATES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")
#: Names in templates by which a variable can be had whose own name does not stand there.
_ANY_VARIABLE = frozenset({"vars", "hostvars"})


class SecretTexts:
    """Finds the texts of hosts; what several hosts share is looked at once."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[Any, set[str], frozenset[str], Any]] = {}

    def of(
        self, raw: Mapping[str, Any], worked_out: Mapping[str, Any], templating: Callable[[dict[str, Any]], Any]
    ) -> frozenset[str]:
        """Return the texts of one host.

        raw: its variables before templating. worked_out: those that may be shown, as they are afterwards.
        templating: variables -> what works out templates by them.
        """
        seen = {key: self._seen(value) for key, value in raw.items()}
        found: set[str] = set().union(*(texts for _value, texts, _names, _blank in seen.values()))
        tainted = _tainted({key: (bool(texts), names) for key, (_value, texts, names, _blank) in seen.items()})
        suspects = [key for key in worked_out if seen[key][2] & tainted]
        if suspects:
            # Without hostvars: what comes from other hosts may be theirs to keep.
            work_out = templating({key: blank for key, (_value, _texts, _names, blank) in seen.items()})
            for key in suspects:
                found |= _made_of(raw[key], worked_out[key], work_out)
        return frozenset(found)

    def _seen(self, value: Any) -> tuple[Any, set[str], frozenset[str], Any]:
        """Return a raw value, its encrypted texts, the names in its templates, and the value without those texts."""
        if id(value) not in self._values:
            # Keeps the value, so that its id stays its own.
            self._values[id(value)] = (value, origin.encrypted_texts(value), _names(value), _blanked(value))
        return self._values[id(value)]


def private_lines(raw: Mapping[str, Any], text: str) -> PrivateLines:
    """Return what of hub_jupyterhub_config does not stand in the inventory in plain text, so that it may be a secret.

    raw: the host's variables before templating. text: what the variable came to.
    """
    written = raw.get(CONFIG)
    if not text or (_is_plain(written) and not origin.is_template(written)):
        return PrivateLines()
    plain = [value for value in raw.values() if _is_plain(value)]
    public = {""}.union(*(map(str.strip, value.splitlines()) for value in plain))
    private = {number: line for number, line in enumerate(lines_of(text), 1) if line.strip() not in public}
    words = {*_NAME.findall("\n".join(private.values()))}
    # Outside of templates: what stands inside is worked out, and may come to one of its own words.
    words &= {*_NAME.findall(" ".join(_TEMPLATES.sub(" ", value) for value in plain))}
    return PrivateLines(tuple(private), tuple(sorted(words)))


def _is_plain(value: Any) -> bool:
    """Tell whether a raw value is a text that stands in a file of the inventory as it is."""
    return isinstance(value, str) and origin.place_of(value) is not None and not origin.stands_encrypted(value)


def _tainted(variables: Mapping[str, tuple[bool, frozenset[str]]]) -> set[str]:
    """Return the variables that hold a secret, or name such a variable, directly or through others."""
    tainted = {*_ANY_VARIABLE, *(key for key, (holds, _names) in variables.items() if holds)}
    left = {key: names for key, (_holds, names) in variables.items() if names and key not in tainted}
    while True:
        more = {key for key, names in left.items() if names & tainted}
        if not more:
            return tainted
        tainted |= more
        left = {key: names for key, names in left.items() if key not in more}


def _names(value: Any) -> frozenset[str]:
    """Return every word that may name a variable in the templates inside a raw value."""
    if isinstance(value, Mapping):
        return frozenset().union(*map(_names, value.values()))
    if isinstance(value, (list, tuple)):
        return frozenset().union(*map(_names, value))
    return frozenset(_NAME.findall(value)) if origin.is_template(value) else frozenset()


def _blanked(value: Any) -> Any:
    """Return a raw value with BLANK for everything encrypted in it."""
    if isinstance(value, Mapping):
        return {key: _blanked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blanked(item) for item in value]
    return BLANK if origin.stands_encrypted(value) else value


def _made_of(raw: Any, real: Any, work_out: Callable[[Any], Any]) -> set[str]:
    """Return the texts in ``real``, which ``raw`` came to, that come out otherwise without the secrets."""
    if isinstance(raw, Mapping) and isinstance(real, dict):
        inside = {str(key): item for key, item in raw.items()}
        return set().union(*(_made_of(inside.get(key), item, work_out) for key, item in real.items()))
    if isinstance(raw, (list, tuple)) and isinstance(real, list):
        return set().union(*(_made_of(part, item, work_out) for part, item in zip(raw, real)))
    if not origin.is_template(raw):
        return set()
    try:
        without = None if origin.stands_encrypted(raw) else work_out(raw)
    except Exception:  # whatever the template does, it cannot do it without the secret
        without = None
    return _unlike(real, without)


def _unlike(real: Any, without: Any) -> set[str]:
    """Return the texts in ``real``, and those of their lines, that are not in their place in ``without``."""
    if isinstance(real, dict):
        others = without if isinstance(without, Mapping) else {}
        return set().union(*(_unlike(item, others.get(key)) for key, item in real.items()))
    if isinstance(real, list):
        same = isinstance(without, (list, tuple)) and len(without) == len(real)
        return set().union(*(_unlike(item, without[i] if same else None) for i, item in enumerate(real)))
    if real is None or isinstance(real, bool) or real == "" or str(real) == str(without):
        return set()
    public = {line.strip() for line in str(without).splitlines()} if isinstance(without, str) else set()
    return {str(real), *(line.strip() for line in str(real).splitlines() if line.strip() not in public)} - {""}
