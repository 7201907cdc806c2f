# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip.py that ansible-test downloads: pip from the interpreter's own copy."""

from __future__ import annotations

import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
python = [sys.executable, "-m"]
subprocess.check_call([*python, "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
if packages:
    pip = [*python, "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.check_call([*pip, "install", *packages])
