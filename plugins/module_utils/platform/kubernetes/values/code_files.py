# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of ours in the hub's pod, for Python in ``hub.extraConfig`` that imports them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .settings import Setting

#: Directory that this Python adds to sys.path; as in roles/hub/files/extra_config.
CODE_DIRECTORY = "/usr/local/share/jupyterhub/hubfleet/code"


def code_files(package: Mapping[str, str], option: str) -> Iterator[Setting]:
    """Yield the modules as files. package: text by path. option: the variable that needs them."""
    for path, text in package.items():
        # Keys of a Kubernetes secret hold letters, digits, '-', '_' and '.'.
        key = "code-" + re.sub(r"[^A-Za-z0-9_.]", "-", path)
        content = {"mountPath": f"{CODE_DIRECTORY}/{path}", "stringData": text}
        yield Setting(("hub", "extraFiles", key), content, (option,))
