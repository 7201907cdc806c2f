# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of modules that run the program of backups says alike."""

from __future__ import annotations


class ModuleDocFragment:
    """The program and its settings; PROGRAM_ARGUMENTS in module_utils/platform/server/backup/program.py."""

    DOCUMENTATION = r"""
options:
  state_directory:
    description: State directory of the cluster, or of the drill. Filled in by the action.
    type: path
  python:
    description: Interpreter of the program that makes backups and restores them. Filled in by the action.
    type: path
  runtime:
    description: The package that the program is part of. Filled in by the action.
    type: dict
    default: {}
  runtime_digest:
    description: Name of the package's directory. Filled in by the action.
    type: str
  settings:
    description: Where backups are and how they are encrypted, as one word. Filled in by the action.
    type: str
"""
