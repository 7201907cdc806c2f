# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install packages of conda into a directory, with rattler; run by its Python on the machine, in a sandbox.

Its argument is a file with a request as JSON: prefix, cache, alias (the URL that channels are relative to), channels,
specs.
Prints the installed packages, one address and digest per line, as ``conda list --explicit --sha256`` does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from rattler import Channel, Gateway, VirtualPackage, install, solve
from rattler.channel.channel_config import ChannelConfig
from rattler.exceptions import SolverError


async def main(request: dict[str, Any]) -> None:
    """Solve and install; the message of an error is what rattler says."""
    config = ChannelConfig(request["alias"])
    cache = Path(request["cache"])
    records = await solve(
        [Channel(name, config) for name in request["channels"]],
        request["specs"],
        gateway=Gateway(cache_dir=cache / "repodata"),
        virtual_packages=VirtualPackage.detect(),
    )
    await install(
        records,
        target_prefix=request["prefix"],
        cache_dir=cache / "packages",
        execute_link_scripts=True,
        show_progress=False,
    )
    for record in sorted(records, key=lambda each: each.name.normalized):
        print(f"{record.url}#{record.sha256.hex() if record.sha256 else ''}")


if __name__ == "__main__":
    try:
        asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    except SolverError as error:
        sys.exit(f"the packages of environment.yml do not fit together, or do not exist: {error}")
    except Exception as error:  # rattler has one of its own for every step
        sys.exit(f"packages of conda: {type(error).__name__}: {error}")
    # Threads of rattler 0.28 may still call Python while it ends, which then crashes.
    sys.stdout.flush()
    os._exit(0)
