# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts of a host must not be shown: what its variables keep encrypted, and what templates make of that.

A template is not rendered to find out: what it makes is secret as a whole where it names a variable that is encrypted,
or one whose template does, and where it looks something up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import leaves
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.mask import secret_forms
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.private_lines import PrivateLines, lines_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.templates import Path, parse

#: The variable that is shown line by line.
CONFIG = "hub_jupyterhub_config"
_EXPRESSIONS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")
#: Variables that hold all others, those of other hosts too.
_ALL_VARIABLES = frozenset({"vars", "hostvars"})


@dataclass(frozen=True)
class _Seen:
    """What was found in a raw value: its encrypted texts, and the scalars that stand in plain text."""

    value: Any  # kept, so that its id stays its own
    encrypted: frozenset[str]
    plain: frozenset[str]


class SecretTexts:
    """Finds the secret texts of hosts; values that hosts share are examined once."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def of(self, raw: Mapping[str, Any], templated: Mapping[str, Any]) -> frozenset[str]:
        """Return the secret texts of a host.

        raw: its variables before templating. templated: those that may be shown, after it.
        """
        seen = [self._examine(value) for value in raw.values()]
        found = set().union(*(each.encrypted for each in seen))
        host = _Host(raw)
        derived = [text for key, value in templated.items() for text in host.derived(raw[key], value)]
        if derived:
            plain = frozenset().union(*(each.plain for each in seen))
            found |= {text for text, is_part in derived if not (is_part and text in plain)}
        return frozenset(found)

    def _examine(self, value: Any) -> _Seen:
        if id(value) not in self._seen:
            encrypted, plain = set(), set()
            for leaf, is_encrypted in _scalars(value):
                if is_encrypted:
                    encrypted |= _decrypted(leaf)
                elif not origin.is_template(leaf):
                    plain.add(str(leaf))
            self._seen[id(value)] = _Seen(value, frozenset(encrypted), frozenset(plain))
        return self._seen[id(value)]


def encrypted_texts(value: Any) -> set[str]:
    """Return every text that stands encrypted inside a raw value, decrypted, in the forms it is used in."""
    return set().union(*(_decrypted(leaf) for leaf, is_encrypted in _scalars(value) if is_encrypted))


def private_lines(raw: Mapping[str, Any], text: str) -> PrivateLines:
    """Return which lines of hub_jupyterhub_config do not stand in the inventory in plain text, and may be secrets.

    raw: the host's variables before templating. text: what the variable came to.
    """
    config = raw.get(CONFIG)
    if not text or (_is_plain(config) and not origin.is_template(config)):
        return PrivateLines()
    plain = [value for value in raw.values() if _is_plain(value)]
    public = {""}.union(*(map(str.strip, value.splitlines()) for value in plain))
    private = {number: line for number, line in enumerate(lines_of(text), 1) if line.strip() not in public}
    words = {*_NAME.findall("\n".join(private.values()))}
    # Outside of templates: what stands inside may come to one of its own words.
    words &= {*_NAME.findall(" ".join(_EXPRESSIONS.sub(" ", value) for value in plain))}
    return PrivateLines(tuple(private), tuple(sorted(words)))


class _Host:
    """Judges the raw values of one host."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._judged: dict[int, bool] = {}

    def derived(self, raw: Any, value: Any) -> Iterator[tuple[str, bool]]:
        """Yield the texts in ``value``, which ``raw`` came to, that are made of secrets.

        Each with whether it is only a part of what one template made.
        """
        if isinstance(raw, Mapping) and isinstance(value, dict):
            inside = {str(key): item for key, item in raw.items()}
            for key, item in value.items():
                yield from self.derived(inside.get(key), item)
        elif isinstance(raw, (list, tuple)) and isinstance(value, list):
            for item, made in zip(raw, value):
                yield from self.derived(item, made)
        elif self._is_secret(raw):
            written = {line.strip() for line in str(raw).splitlines()} if origin.is_template(raw) else set()
            for path, leaf in leaves(value):
                if isinstance(leaf, (str, int, float)) and not isinstance(leaf, bool):
                    yield from ((form, bool(path)) for form in secret_forms(str(leaf)) - written)

    def _is_secret(self, value: Any) -> bool:
        """Return whether a raw value holds anything encrypted, or a template that is made of such."""
        if id(value) not in self._judged:
            self._judged[id(value)] = False  # what names itself is no secret by that
            self._judged[id(value)] = any(
                is_encrypted or origin.is_template(leaf) and self._names_secret(leaf)
                for leaf, is_encrypted in _scalars(value)
            )
        return self._judged[id(value)]

    def _names_secret(self, template: str) -> bool:
        parsed = parse(str(template))
        return parsed is None or parsed.fetches or any(map(self._is_secret_at, (*parsed.sources, *parsed.choices)))

    def _is_secret_at(self, path: Path) -> bool:
        if path[0] in _ALL_VARIABLES:
            return True
        value: Any = self._raw
        for part in path:
            if isinstance(value, str):
                break  # what is inside is known only once it is templated
            _key, value = origin.step(value, part)
        return self._is_secret(value)


def _scalars(value: Any, key: Any = None) -> Iterator[tuple[Any, bool]]:
    """Yield every scalar inside a raw value, and whether it stands encrypted; key: what it is set by."""
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _scalars(item, inner)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _scalars(item, key)
    elif value is not None and not isinstance(value, bool):
        yield value, origin.stands_encrypted(value, key)


def _decrypted(value: Any) -> set[str]:
    try:
        return secret_forms(str(value))
    except Exception:  # nobody gave its password, so that nobody can show it either
        return set()


def _is_plain(value: Any) -> bool:
    """Return whether a raw value is a text that stands in a file of the inventory as it is."""
    return isinstance(value, str) and origin.place_of(value) is not None and not origin.stands_encrypted(value)
