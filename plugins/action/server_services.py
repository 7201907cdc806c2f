# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_services."""

from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction

ActionModule = ServerAction
