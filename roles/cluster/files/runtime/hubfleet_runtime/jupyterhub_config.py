# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JupyterHub's configuration file, the same for all hubs: it reads the files in the hub's directory."""

import os
import sys
from pathlib import Path

# JupyterHub runs this file by its path: this package is not installed in its environment
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hubfleet_runtime import settings

settings.load(get_config(), Path(os.environ["HUBFLEET_DIRECTORY"]))  # noqa: F821  # pylint: disable=undefined-variable
