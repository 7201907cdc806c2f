# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment.yml of a repository, as conda writes it; read on the controller, which has a parser for YAML.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from .recipe import RepositoryError

#: Where channels are, unless the operator says otherwise.
CHANNEL_ALIAS = "https://conda.anaconda.org/"
DEFAULT_CHANNEL = "conda-forge"
#: Names that say something about channels and are none: packages of ``defaults`` need a licence of Anaconda.
_NO_CHANNELS = ("defaults", "nodefaults")


def read_environment(text: str, path: str) -> dict[str, list[str]]:
    """Return channels, specs (packages of conda) and pip (requirements) of an environment.yml. Raises RepositoryError.

    path: what it is called in messages.
    """
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise RepositoryError(f"has {path}, which is not YAML{f' (line {mark.line + 1})' if mark else ''}") from None
    if not isinstance(content, dict):
        raise RepositoryError(f"has {path}, which is not a mapping with dependencies")
    channels = _texts(content.get("channels"), "channels", path)
    listed = content.get("dependencies") or []
    if not isinstance(listed, list):
        raise RepositoryError(f"has {path}, in which dependencies is not a list")
    pip = [each for each in listed if isinstance(each, dict)]
    specs = _texts([each for each in listed if not isinstance(each, dict)], "dependencies", path)
    if any(set(each) != {"pip"} for each in pip):
        raise RepositoryError(f"has {path}, in which dependencies has a mapping other than pip")
    requirements = [text for each in pip for text in _texts(each["pip"], "pip", path)]
    used = [channel for channel in channels if channel not in _NO_CHANNELS]
    return {"channels": used or [DEFAULT_CHANNEL], "specs": specs, "pip": requirements}


def has_python(specs: list[str]) -> bool:
    """Return whether packages of conda include Python itself."""
    return any(re.fullmatch(r"(\S+::)?python([\s=<>!~\[].*)?", spec) for spec in specs)


def _texts(value: Any, key: str, path: str) -> list[str]:
    texts = [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise RepositoryError(f"has {path}, in which {key} is not a list of texts")
    return [text.strip() for text in texts]
