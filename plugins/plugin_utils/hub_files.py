# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a hub on a machine, as they go there."""

from __future__ import annotations

import base64
import json

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.copied_files import (
    copied_files,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub


def texts_of(hub: Hub, desired: DesiredHub, directory: str) -> dict[str, bytes]:
    """Return path below config/ -> content; ``directory`` is the inventory's."""
    texts = {name: text.encode() for name, text in desired.config_files().items()}
    for name, path in copied_files(hub, directory).items():
        with open(path, "rb") as file:
            texts[name] = file.read()
    return texts


def pack(texts: dict[str, bytes]) -> str:
    """Return files as one word, so that hiding it hides all of it and nothing else."""
    encoded = {name: base64.b64encode(content).decode() for name, content in texts.items()}
    return base64.b64encode(json.dumps(encoded).encode()).decode()
