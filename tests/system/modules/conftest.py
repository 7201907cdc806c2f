# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the helpers of the tests of backups importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backup"))
