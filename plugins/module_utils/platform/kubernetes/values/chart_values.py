# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the zero-to-jupyterhub chart that a hub's options make, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ....common.nested import depth_of, value_at
from ....schema.model import Hub, ValuePath
from .addons import addon_settings
from .exposure import exposure_settings
from .extension import extension_settings, permission_settings
from .layers import ChartPath, Values, assign, merge_all
from .login import login_settings
from .native_login import is_native, native_login_settings
from .pages import page_settings, start_page_settings
from .pod_security import pod_security_settings
from .profile_list import has_groups, has_positions, profile_list_settings
from .settings import Setting, setting, single_value_settings
from .shared_password import has_generated_passwords, shared_password_setting
from .storage import start_settings, storage_settings

#: Variables with Helm values of the operator's, the uppermost last.
LAYERS = ("fleet_helm_values", "cluster_helm_values", "hub_helm_values")

#: The chart runs extraConfig in the order of its keys; what is the operator's finds profiles in order.
ORDER_CONFIG = "00-hubfleet-profile-order"
GROUPS_CONFIG = "hubfleet-allowed-groups"
#: After everything that may set an authenticator; access is the last of all.
EXPIRY_CONFIG = "zzzy-hubfleet-user-expiry"
IDLE_CONFIG = "zzzx-hubfleet-idle-time"
ACCESS_CONFIG = "zzzz-hubfleet-access"


@dataclass(frozen=True)
class ChartCode:
    """Python of ours that runs inside of the hub.

    allowed_groups: lets only members see profiles and choices with ``allowed_groups``; the same as on a machine
        (hubfleet_runtime/allowed_groups.py).
    access: makes the database agree with the configuration; the same as on a machine (hubfleet_runtime/access.py).
    native_login: lets nobody get the rights of a name by signing up for it.
    package: modules and templates that these import, by path.
    user_expiry: removes users who were not active for long.
    profile_order: puts options and choices of profiles in the order of the inventory.
    titled_page: the template that shows the hub's title; the same as on a machine.
    shared_password: generates the passwords of SharedPasswordAuthenticator.
    start_page, start_page_template: the form on which users choose; the same as on a machine.
    users: lets a service of ours do what JupyterHub's API cannot do to users. users_package: modules that it imports.
    idle_time: does not count time in which the hub did not run as idle time of servers.
    """

    allowed_groups: str
    access: str
    native_login: str = ""
    package: Mapping[str, str] = field(default_factory=dict)
    user_expiry: str = ""
    profile_order: str = ""
    titled_page: str = ""
    shared_password: str = ""
    idle_time: str = ""
    start_page: str = ""
    start_page_template: str = ""
    users: str = ""
    users_package: Mapping[str, str] = field(default_factory=dict)

    @property
    def groups_config(self) -> str:
        """The configuration that filters the profile list."""
        return f"{self.allowed_groups}\n\nAllowedGroups.configure(c)\n"


@dataclass
class ChartValues:
    """A hub's values for the chart.

    settings: what its options make, the later ones on top.
    layers: (variable, Helm values) on top of that, the uppermost last.
    """

    settings: list[Setting]
    layers: list[tuple[str, Values]] = field(default_factory=list)

    @cached_property
    def own(self) -> Values:
        """What the options make, without the operator's Helm values."""
        values: Values = {}
        for item in self.settings:
            assign(values, item.path, item.value)
        return values

    @cached_property
    def merged(self) -> Values:
        """What Helm is given."""
        return merge_all([self.own, *(values for _variable, values in self.layers)])

    def sources(self, path: ChartPath) -> list[ValuePath]:
        """Return the places in the inventory that set the value at ``path`` or a part of it; what wins comes last.

        Where nothing sets exactly it, the nearest value around it counts, such as the list that holds it.
        """
        return [source for source, _key in self.setters(path)]

    def setters(self, path: ChartPath) -> list[tuple[ValuePath, ChartPath]]:
        """Return what sources() does, each with what it sets: a place below ``path``, or ``path`` itself."""
        found: list[tuple[int, ValuePath, ChartPath]] = []
        for item in self.settings:
            inside = min(len(path), len(item.path))
            if item.path[:inside] == path[:inside]:
                depth = inside + depth_of(item.value, path[inside:])
                found.append((depth, item.source, max(path, item.path, key=len)))
        for variable, values in self.layers:
            depth = depth_of(values, path)
            if depth:
                found.append((depth, (variable, *path[:depth]), path))
        most = max((depth for depth, _source, _key in found), default=0)
        return [(source, key) for depth, source, key in found if depth == most]


def chart_values(hub: Hub, directory: str, code: ChartCode, defaults: Values | None = None) -> ChartValues:
    """Return the values of a hub.

    directory: the inventory's, which relative paths start from. defaults: of the chart; without them, it is the one
        that this release is made for.
    """
    options: dict[str, Any] = {**hub.cluster.options, **hub.options}
    layers = [(name, options[name]) for name in LAYERS if options[name]]
    settings = [
        *single_value_settings(hub),
        *login_settings(hub),
        *profile_list_settings(hub, merge_all([values for _variable, values in layers])),
        *storage_settings(hub),
        *exposure_settings(hub, defaults or {}),
        *page_settings(hub, directory, code.titled_page),
        *extension_settings(hub),
        *addon_settings(hub),
        *permission_settings(hub),
        *_idle_settings(hub, code),
        *_expiry_settings(hub, code),
        *_access_settings(hub, code),
    ]
    values = ChartValues(settings, layers)
    added: list[Setting] = []
    if is_native(values.merged):
        added += native_login_settings(code.native_login, code.package)
    if has_generated_passwords(hub, values.merged):
        added.append(shared_password_setting(code.shared_password))
    by_collection = hub["hub_defaults_source"] == "collection"
    if by_collection:
        added += start_settings(hub, values.merged)
        added += pod_security_settings(values.merged)
    profile_list = value_at(values.merged, ("singleuser", "profileList"))
    if by_collection and profile_list:
        added += start_page_settings(code.start_page, code.start_page_template)
    if by_collection and has_positions(profile_list):
        added.append(setting(f"hub.extraConfig.{ORDER_CONFIG}", code.profile_order, "hub_profiles"))
    if has_groups(profile_list):
        # Without it everyone would see, and could start, what is for some.
        added += [setting(f"hub.extraConfig.{GROUPS_CONFIG}", code.groups_config, "hub_profiles")]
        if by_collection and hub["hub_authenticator"] == "github":
            # Teams are groups for this code, and only found in what the authenticator remembers of a user.
            added.append(setting("hub.config.GitHubOAuthenticator.enable_auth_state", True, "hub_profiles"))
            added.append(setting("hub.config.GitHubOAuthenticator.populate_teams_in_auth_state", True, "hub_profiles"))
    # Merging takes most of the time.
    return ChartValues([*settings, *added], values.layers) if added else values


def _idle_settings(hub: Hub, code: ChartCode) -> list[Setting]:
    """Return the code without which a restart of the hub stops servers in use."""
    option = "hub_idle_timeout"
    if hub["hub_defaults_source"] != "collection" or not hub[option]:
        return []
    return [setting(f"hub.extraConfig.{IDLE_CONFIG}", f"{code.idle_time}\n\nconfigure(c)\n", option)]


def _expiry_settings(hub: Hub, code: ChartCode) -> list[Setting]:
    """Return the code that removes users who were not active for long."""
    option = "hub_user_expiry"
    if not hub[option]:
        return []
    text = f"{code.user_expiry}\n\nconfigure(c, seconds={hub[option]})\n"
    return [setting(f"hub.extraConfig.{EXPIRY_CONFIG}", text, option)]


def _access_settings(hub: Hub, code: ChartCode) -> list[Setting]:
    """Return the code that takes back access; imported hubs keep JupyterHub's behaviour until the option is set."""
    option = "hub_keep_panel_grants"
    if hub["hub_defaults_source"] != "collection" and option not in hub.explicit_options:
        return []
    text = f"{code.access}\n\nconfigure(c, keep={hub[option]})\n"
    return [setting(f"hub.extraConfig.{ACCESS_CONFIG}", text, option)]
