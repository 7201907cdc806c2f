# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment.yml of a repository, as conda writes it.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .configuration_files import ContentError

#: Where channels are, unless the operator says otherwise.
CHANNEL_ALIAS = "https://conda.anaconda.org/"
DEFAULT_CHANNEL = "conda-forge"
#: Options of pip that may stand among its requirements, each with a value -> how they are kept.
_OPTIONS = {"-r": "-r", "--requirement": "-r", "-e": "-e", "--editable": "-e"}
OPTIONS_OF_PIP = frozenset(_OPTIONS.values())
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Names that say something about channels and are none: packages of ``defaults`` need a licence of Anaconda.
_NO_CHANNELS = ("defaults", "nodefaults")


@dataclass(frozen=True)
class CondaEnvironment:
    """What an environment.yml asks for.

    specs: packages of conda. pip: requirements, and the options ``-r FILE`` and ``-e PATH``.
    variables: names and values of environment variables.
    """

    channels: tuple[str, ...]
    specs: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def has_python(self) -> bool:
        """Whether packages of conda include Python itself."""
        return any(re.fullmatch(r"(\S+::)?python([\s=<>!~\[].*)?", spec) for spec in self.specs)


def read_environment(text: str, path: str) -> CondaEnvironment:
    """Return what an environment.yml asks for; on the controller. path: what it is called in messages.

    Raises ContentError.
    """
    import yaml  # Ansible brings it along; machines need not have it

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ContentError(f"has {path}, which is not YAML{f' (line {mark.line + 1})' if mark else ''}") from None
    if not isinstance(content, dict):
        raise ContentError(f"has {path}, which is not a mapping with dependencies")
    channels = _texts(content.get("channels"), "channels", path)
    listed = content.get("dependencies") or []
    if not isinstance(listed, list):
        raise ContentError(f"has {path}, in which dependencies is not a list")
    mappings = [each for each in listed if isinstance(each, dict)]
    if any(set(each) != {"pip"} for each in mappings):
        raise ContentError(f"has {path}, in which dependencies has a mapping other than pip")
    return CondaEnvironment(
        tuple(channel for channel in channels if channel not in _NO_CHANNELS) or (DEFAULT_CHANNEL,),
        tuple(_texts([each for each in listed if not isinstance(each, dict)], "dependencies", path)),
        tuple(_pip(text, path) for each in mappings for text in _texts(each["pip"], "pip", path)),
        _variables(content.get("variables") or {}, path),
    )


def _pip(text: str, path: str) -> str:
    """Return a line of the part pip in the form of CondaEnvironment."""
    line = re.sub(r"\s+#.*", "", text)
    if not line.startswith("-"):
        return line
    option, _space, value = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
    if option not in _OPTIONS or not value.strip():
        raise ContentError(f"has {path}, in which pip has {line[:60]!r}; allowed options are -r FILE and -e PATH")
    return f"{_OPTIONS[option]} {value.strip()}"


def _variables(content: Any, path: str) -> tuple[tuple[str, str], ...]:
    """Return the environment variables of an environment.yml."""
    if not isinstance(content, dict):
        raise ContentError(f"has {path}, in which variables is not a mapping")
    for name, value in content.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or not isinstance(value, (str, int, float)):
            raise ContentError(f"has {path}, in which {str(name)[:60]!r} of variables is no variable with a text")
    return tuple((name, str(value)) for name, value in content.items())


def _texts(value: Any, key: str, path: str) -> list[str]:
    texts = [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ContentError(f"has {path}, in which {key} is not a list of texts")
    return [text.strip() for text in texts]
