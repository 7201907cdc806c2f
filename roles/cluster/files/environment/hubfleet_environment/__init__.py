# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our code in environments of users: it runs in users' servers, kernels and terminals.

The builder puts it into every environment (platform/server/desired/environments.py). Supports Python 3.10.
"""
