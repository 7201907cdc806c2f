# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of hub_* variables."""

from __future__ import annotations

from .admin_settings import ADMIN_OPTIONS
from .admin_sudo import OPTION as ADMIN_SUDO
from .authenticators import ALLOW_RULES, BY_NAME, REFUSED
from .catalogue_options import (
    ENVIRONMENT,
    INTERFACE,
    NAME_PATTERN,
    NAME_TEXT,
    SIZE,
    VARIABLE_PATTERN,
    VARIABLE_TEXT,
    named,
)
from .extension_options import EXTENSION
from .kubernetes_options import KUBERNETES_CHAPTERS
from .option import SERVER, Option, element, users
from .server_settings import SERVER_SETTINGS
from .shared_options import SHARED

ADDRESS = (
    Option(
        "hub_title",
        "str",
        (
            "Display name of the hub, which every page shows.",
            "Defaults to the hub's name in the inventory.",
            "On Kubernetes, with O(hub_defaults_source) C(chart), pages do not show it.",
        ),
        prose=True,
    ),
    Option(
        "hub_url",
        "url",
        (
            "Public URL of the hub, including its path if it has one.",
            "Defaults to the URL of O(hub_domain), or to one made of O(hub_bind), O(hub_port) and the hub's name.",
            "Two hubs must not share host name and path and differ only in the port: browsers send cookies to all ports"
            " of a host, so logging in to one hub would log users out of the other.",
        ),
        example="https://hub.example.org/",
    ),
    Option(
        "hub_domain",
        "domain",
        ("Domain name of the hub; a short form of O(hub_url) C(https://DOMAIN/).",),
        example="hub.example.org",
    ),
    Option(
        "hub_bind",
        "address",
        (
            "IP address that the hub's proxy listens on.",
            "Any address other than a loopback address requires O(hub_tls_certificate) and O(hub_tls_key).",
        ),
        default="127.0.0.1",
        platforms=(SERVER,),
    ),
    Option(
        "hub_port",
        "port",
        ("Port that the hub's proxy listens on.",),
        required=True,
        example="8000",
        platforms=(SERVER,),
    ),
    Option(
        "hub_internal_port",
        "port",
        (
            "First of three consecutive ports on 127.0.0.1 for the hub's internal services.",
            "Defaults to the three ports after O(hub_port).",
        ),
        platforms=(SERVER,),
    ),
    Option(
        "hub_tls_certificate",
        "machine_path",
        ("TLS certificate of the hub with its chain, in PEM format.",),
        platforms=(SERVER,),
    ),
    Option(
        "hub_tls_key", "machine_path", ("Private key of O(hub_tls_certificate), in PEM format.",), platforms=(SERVER,)
    ),
)

LOGIN = (
    Option(
        "hub_demonstration",
        "bool",
        ("Whether the hub is a demonstration; only demonstrations may use the authenticators C(tmp) and C(dummy).",),
        default=False,
    ),
    Option(
        "hub_authenticator",
        "str",
        ("Authenticator that users log in with.", *(f"C({a.name}) - {a.text}" for a in BY_NAME.values())),
        required_on=(SERVER,),
        choices=tuple(BY_NAME),
        refused=REFUSED,
        example="github",
    ),
    Option(
        "hub_authenticator_settings",
        "dict",
        ("Settings of the authenticator; the keys depend on O(hub_authenticator).",),
        default={},
        example="{client_id: abc, client_secret: !vault ...}",
    ),
    *ALLOW_RULES,
    Option(
        "hub_allow_everyone",
        "bool",
        (
            "Whether every user that the authenticator accepts may use the hub.",
            "A hub needs this or another allow rule.",
        ),
        default=False,
    ),
    Option(
        "hub_blocked_users",
        "list",
        ("Names of users who may not log in, even if another rule allows them.",),
        elements=users(),
    ),
    Option(
        "hub_admins",
        "list",
        ("Names of users who are admins of the hub.",),
        default=(),
        elements=users(),
        example="[ada]",
    ),
    ADMIN_SUDO,
    Option(
        "hub_groups",
        "dict",
        (
            "Groups of JupyterHub, by name, for O(hub_roles), services, C(allowed_groups) and C(writable_by_groups).",
            "Cannot be set if the authenticator decides about groups, such as C(generic-oauth) with C(groups_claim).",
        ),
        default={},
        elements=element(
            "dict",
            options=(
                Option("users", "list", ("Names of the members.",), default=(), elements=users()),
                Option("properties", "dict", ("Properties of the group, for code that reads them.",), default={}),
            ),
        ),
        pattern=r"\S(.*\S)?",
        pattern_text="text that is not empty",
        example="{teachers: {users: [ada]}, course-1: {users: [ben, eve]}}",
    ),
    Option(
        "hub_keep_panel_grants",
        "bool",
        (
            "Whether users who were added in JupyterHub's admin panel may log in, and whether admins and members of"
            " O(hub_groups) that were made there stay.",
            "Otherwise, every start of the hub takes back what the inventory does not grant.",
        ),
        default=False,
    ),
)

#: Minor versions of JupyterHub that roles/cluster/files/locks holds locks of.
JUPYTERHUB_VERSIONS = ("5.5", "6.1")

SOFTWARE = (
    Option(
        "hub_jupyterhub_version",
        "str",
        (
            "Minor version of JupyterHub that the hub runs and that users' servers are started with.",
            "An upgrade copies the database and migrates it to the new schema; users' servers keep running.",
            "To downgrade, use the playbook rollback, which restores the copy: JupyterHub cannot read the database of a"
            " newer version.",
        ),
        default="5.5",
        choices=JUPYTERHUB_VERSIONS,
        platforms=(SERVER,),
    ),
    Option(
        "hub_environment_catalogue",
        "dict",
        ("Environments that hubs can offer, by name; usually set in group_vars/all.yml.",),
        default={},
        elements=element("dict", options=ENVIRONMENT),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example='{python: {title: Python, packages: ["numpy==2.3.5"]}}',
    ),
    Option(
        "hub_environments",
        "list",
        (
            "Environments that the hub offers: names of entries of O(hub_environment_catalogue),"
            " or entries with a name that only this hub has.",
            "The first one is preselected.",
        ),
        required_on=(SERVER,),
        elements=named(ENVIRONMENT, "environment"),
        by_name="hub_environment_catalogue",
        example='[python, {name: geo, title: Maps, packages: ["geopandas==1.1.1"]}]',
    ),
    Option(
        "hub_size_catalogue",
        "dict",
        ("Sizes that hubs can offer, by name; usually set in group_vars/all.yml.",),
        default={},
        elements=element("dict", options=SIZE),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example="{small: {title: Small, memory: 1G, cpu: 1}}",
    ),
    Option(
        "hub_sizes",
        "list",
        (
            "Sizes that the hub offers: names of entries of O(hub_size_catalogue), or entries with a name that only"
            " this hub has.",
            "The first one is preselected.",
        ),
        required_on=(SERVER,),
        elements=named(SIZE, "size"),
        by_name="hub_size_catalogue",
        example="[small, large]",
    ),
    Option(
        "hub_interface",
        "str",
        (
            "Interface that a server opens with: C(lab), C(notebook) or a path.",
            "C({username}) in a path is replaced by the user name.",
            "On Kubernetes, the image must have what the path belongs to: C(notebook) needs Notebook 7.",
        ),
        default="lab",
        placeholders=INTERFACE.placeholders,
        pattern=INTERFACE.pattern,
        pattern_text=INTERFACE.pattern_text,
    ),
    Option(
        "hub_home_directory",
        "machine_path",
        (
            "Directory of the users' home directories.",
            "Defaults to C(homes/HUB) in the state directory of the cluster.",
        ),
        platforms=(SERVER,),
    ),
    Option(
        "hub_user_packages",
        "bool",
        (
            "Whether users may add packages to environments, with C(pip install) in a notebook or a terminal"
            ", each for themselves.",
            "The packages are in the user's home, apart for each build of an environment, and cannot break a server.",
        ),
        default=True,
        platforms=(SERVER,),
    ),
    Option(
        "hub_environment_variables",
        "dict",
        (
            "Environment variables of every user's server; users can read them, so they must not hold secrets.",
            "The values are literal: braces and C($(NAME)) are not replaced.",
        ),
        default={},
        elements=element("str", prose=True),
        pattern=VARIABLE_PATTERN,
        pattern_text=VARIABLE_TEXT,
        example='{OMP_NUM_THREADS: "1"}',
    ),
    SERVER_SETTINGS,
)

RUNNING = (
    Option(
        "hub_idle_timeout",
        "duration",
        (
            "Time without activity after which a server is stopped, at least two minutes; C(never) disables it.",
            "Activity is traffic between a browser and the server, which an open tab of JupyterLab causes by itself,"
            " and, also without a browser, output of a kernel. On a machine, output of a terminal is activity, too."
            " A computation without output is not: print its progress.",
        ),
        default=3600,
        minimum=0,
        maximum=90 * 86400,
        example="30m",
    ),
    Option(
        "hub_maximum_age",
        "duration",
        (
            "Age at which a server is stopped even if it is in use; C(never) disables it.",
            "Servers are looked at every five minutes, or more often where this or O(hub_idle_timeout) is below ten"
            " minutes.",
        ),
        default=0,
        minimum=0,
        maximum=365 * 86400,
        example="12h",
    ),
    Option(
        "hub_user_expiry",
        "duration",
        (
            "Time without activity after which a user is removed from the hub, at least a day; C(never) disables it.",
            "The home stays, and who may log in can come back. Tokens, and what was granted in the admin panel, end.",
            "Admins, and everybody whom the inventory names, are never removed.",
        ),
        default=0,
        minimum=0,
        maximum=3650 * 86400,
        example="180d",
    ),
    Option(
        "hub_start_timeout",
        "duration",
        (
            "Time that a server may take to start, and then to answer.",
            "Defaults to five minutes on Kubernetes, where a node may have to be added first.",
        ),
        default=120,
        minimum=10,
        maximum=3600,
    ),
    Option(
        "hub_active_server_limit",
        "int",
        ("Maximum number of servers that run at the same time; 0 means no limit.",),
        default=0,
        minimum=0,
        maximum=100000,
    ),
    Option(
        "hub_concurrent_spawn_limit",
        "int",
        (
            "Maximum number of servers that start at the same time; further users are asked to try again later. 0 means"
            " no limit.",
        ),
        default=64,
        minimum=0,
        maximum=10000,
    ),
    Option(
        "hub_named_servers",
        "bool",
        ("Whether users may have named servers in addition to the default server.",),
        default=False,
    ),
    Option(
        "hub_named_server_limit",
        "int",
        ("Maximum number of named servers per user; 0 means none, or no limit with O(hub_named_servers).",),
        default=0,
        minimum=0,
        maximum=100,
    ),
)

LOOK = (
    Option(
        "hub_redirect_to_server",
        "bool",
        (
            "Whether users go directly to their server after logging in, if there is nothing to choose, instead of to"
            " the home page of the hub.",
        ),
        default=True,
    ),
    Option(
        "hub_announcement", "str", ("HTML that is shown at the top of every page of the hub.",), prose=True, default=""
    ),
    Option(
        "hub_templates",
        "inventory_path",
        ("Directory of templates that override those of JupyterHub.",),
    ),
    Option("hub_logo", "inventory_path", ("Image file that is shown as the logo of the hub.",)),
)

#: All hub_* options, in the order of the reference, by chapter.
CHAPTERS = (
    ("Address", ADDRESS),
    ("Login", LOGIN),
    ("Environments and sizes", SOFTWARE),
    ("Shared directories and files", SHARED),
    ("Limits and idle servers", RUNNING),
    ("Appearance", LOOK),
    ("What admins of a hub may change", ADMIN_OPTIONS),
    ("Services, roles and extra configuration", EXTENSION),
    *KUBERNETES_CHAPTERS,
)
HUB_OPTIONS = tuple(option for _title, chapter in CHAPTERS for option in chapter)
