# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by the modules that run the backup program."""

from __future__ import annotations


class ModuleDocFragment:
    """The program and its settings; PROGRAM_ARGUMENTS in module_utils/platform/server/backup/program.py."""

    DOCUMENTATION = r"""
options:
  state_directory:
    description: State directory of the cluster, or of the drill. Filled in by the action.
    type: path
  python:
    description: Python interpreter of the backup program. Filled in by the action.
    type: path
  runtime:
    description: The package that contains the program. Filled in by the action.
    type: dict
    default: {}
  runtime_digest:
    description: Name of the package's directory. Filled in by the action.
    type: str
  settings:
    description: Repository and encryption of backups, encoded. Filled in by the action.
    type: str
"""
