#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_users
short_description: List and change the users of hubs
version_added: 0.1.0
description:
  - Prints a table with one line for each user of each hub, or changes users of all hubs of the play that have them.
  - The inventory decides who may log in. So users whom it lists are not removed or renamed, and users are added only
    where they may log in without being listed.
  - Nothing is changed if a change is refused on one of the hubs.
  - Hubs must run. Passwords are never printed.
  - Runs on the controller, once for all hosts of the play. Hubs on Kubernetes are reached through the API server.
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
options:
  action:
    description:
      - What to do.
      - V(list) - print all users.
      - V(add) - create users, where O(hubfleet.jupyterhub.hub#role:main:hub_keep_panel_grants) or
        O(hubfleet.jupyterhub.hub#role:main:hub_allow_everyone) is set.
      - V(remove) - remove users, with their tokens and sessions. Homes are kept.
      - V(rename) - rename a user; the home, the account of the machine and the account of V(native) follow. Not on
        Kubernetes, where homes cannot follow.
      - V(password) - with the authenticator V(native), replace the password by a new first password in the private
        file of first passwords, and sign out.
      - V(sign-out) - end all browser sessions, and revoke all tokens.
    type: str
    choices: [list, add, remove, rename, password, sign-out]
    default: list
  names:
    description: Names of the users, as a list, or text with commas between them; all but V(list) require it.
    type: raw
  new_name:
    description: The new name, with V(rename).
    type: str
  end_sessions:
    description:
      - Stop running servers of these users. Otherwise users with a running server are not removed or renamed, and
        servers keep running with V(password) and V(sign-out).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Users
  hosts: clusters
  gather_facts: false
  tasks:
    - name: List the users of every hub
      hubfleet.jupyterhub.fleet_users:

    - name: End all sessions of a user on every hub
      hubfleet.jupyterhub.fleet_users:
        action: sign-out
        names: [ada]
        end_sessions: true
"""

RETURN = r"""
hubs:
  description: By hub, its users with V(list), else the changes that were made, or would be made in check mode.
  returned: success
  type: dict
  sample:
    demo:
      users:
        - name: ada
          admin: true
          groups: [staff]
          last_activity: "2026-11-24T08:15:00Z"
          servers: {"": running}
          listed: true
"""
