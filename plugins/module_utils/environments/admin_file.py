# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read hub.yml, the file in a repository with which the admins of a hub change some of its options.

Anybody may have written it, so it is read as texts and lists of texts, and as nothing else that YAML can be.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..common.errors import HubfleetError

#: At the top of the repository.
ADMIN_FILE = "hub.yml"
#: Bytes of the file.
LARGEST = 16_384
#: Characters of a text in it.
_LONGEST_TEXT = 1000
#: Categories of characters of which nothing is seen, but for those that join letters of Persian, and parts of emoji.
_UNSEEN, _JOINERS = ("Cc", "Cf", "Cs", "Co", "Cn"), "\u200c\u200d"
#: Entries of a list.
_MOST_ENTRIES = 200
#: What the file may have -> whether it is a list.
SETTINGS = {"announcement": False, "environments": True, "sizes": True}

Settings = dict[str, Any]
#: Repository and ref as they stand in the inventory, "" for the default branch.
AdminKey = tuple[str, str]


class AdminFileError(HubfleetError):
    """The file cannot be used; the message is for those who wrote it."""


@dataclass(frozen=True)
class AdminPin:
    """What hub.yml of a repository says. repository, ref, commit, date: as in Pin.

    author: name of who made the commit. settings: keys of SETTINGS -> text, or list of texts.
    """

    repository: str
    ref: str
    commit: str
    date: str
    author: str
    settings: Settings

    @property
    def key(self) -> AdminKey:
        """What the inventory says of it."""
        return (self.repository, self.ref)

    @property
    def short_commit(self) -> str:
        """The commit as people read it."""
        return self.commit[:12]

    @property
    def shown(self) -> str:
        """The commit and its author, for people."""
        return f"{ADMIN_FILE} {self.short_commit} by {self.author}"


def read_admin_file(text: str) -> Settings:
    """Return what the file says: keys of SETTINGS -> text, or list of texts. Raises AdminFileError."""
    import yaml

    try:
        # Refused before anything is put together: an alias can stand for very much.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise AdminFileError(f"{_line(event)}: '&' and '*' cannot be used; write the value where it is needed")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:  # Arithmetic: of "\\UFFFFFFFF"
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1} of {ADMIN_FILE}" if mark else ADMIN_FILE
        raise AdminFileError(f"{where} is not YAML; look for a missing quote, bracket or space after a colon") from None
    return _settings(root) if root is not None else {}


def _settings(root: Any) -> Settings:
    import yaml

    if not isinstance(root, yaml.MappingNode):
        raise AdminFileError(f"{ADMIN_FILE} must have lines such as  announcement: The course begins on Monday")
    found: Settings = {}
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name not in SETTINGS:
            near = get_close_matches(str(name), SETTINGS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"possible: {', '.join(SETTINGS)}"
            raise AdminFileError(f"{_line(key)}: {_short(name)} cannot be set here; {hint}")
        if name in found:
            raise AdminFileError(f"{_line(key)}: {name} stands twice; remove one of them")
        found[name] = _names(name, value) if SETTINGS[name] else _text(name, value)
    return found


def _names(name: str, node: Any) -> list[str]:
    import yaml

    if not isinstance(node, yaml.SequenceNode):
        raise AdminFileError(f"{_line(node)}: {name} must be a list, such as  {name}: [one, two]")
    if not 0 < len(node.value) <= _MOST_ENTRIES:
        raise AdminFileError(f"{_line(node)}: {name} must have at least one entry, and at most {_MOST_ENTRIES}")
    listed = [_text(name, each) for each in node.value]
    for each in listed:
        if listed.count(each) > 1:
            raise AdminFileError(f"{_line(node)}: {name} lists {_short(each)} twice")
    return listed


def _text(name: str, node: Any) -> str:
    import yaml

    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        raise AdminFileError(f"{_line(node)}: {name} must have text; put it in quotes")
    # HTML shows line breaks as spaces, too.
    text = " ".join(str(node.value).split("\n")).strip()
    if len(text) > _LONGEST_TEXT:
        raise AdminFileError(f"{_line(node)}: {name} is longer than {_LONGEST_TEXT} characters")
    if "{{" in text or "{%" in text:
        raise AdminFileError(f"{_line(node)}: {name} has '{{{{' or '{{%', which are for templates; write it without")
    if any(unicodedata.category(each) in _UNSEEN and each not in _JOINERS for each in text):
        raise AdminFileError(f"{_line(node)}: {name} has characters that cannot be seen; write it anew")
    return text


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _line(item: Any) -> str:
    return f"line {item.start_mark.line + 1} of {ADMIN_FILE}"
