# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for people that read secrets which exist on the cluster only.

options: of kubectl, where the cluster is not that of the current context.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ....schema.cross_checks import METRICS_SERVICE
from ....schema.model import Hub


def file_command(hub: Hub, path: str, options: Sequence[str] = ()) -> str:
    """Return the command that prints a file of the hub's pod."""
    words = ["exec", "--namespace", hub.namespace, "deploy/hub", "--", "cat", path]
    return shlex.join(["kubectl", *options, *words])


def metrics_token_command(hub: Hub, options: Sequence[str] = ()) -> str:
    """Return the command that prints the token of the service of hub_metrics."""
    key = rf"hub\.services\.{METRICS_SERVICE}\.apiToken"
    words = ["get", "secret", "hub", "--namespace", hub.namespace, "--output", f"jsonpath={{.data.{key}}}"]
    return f"{shlex.join(['kubectl', *options, *words])} | base64 -d"
