# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of hub_* variables."""

from __future__ import annotations

from .authenticators import ALLOW_RULES, BY_NAME
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
from .kubernetes_options import KUBERNETES_CHAPTERS
from .option import SERVER, Option, element, names

ADDRESS = (
    Option(
        "hub_title",
        "str",
        ("Name of the hub that people see.", "The hub's inventory name when unset."),
    ),
    Option(
        "hub_url",
        "url",
        (
            "Public address of the hub, with its path if it has one.",
            "Unset, it is made from O(hub_domain), or from O(hub_bind), O(hub_port) and the hub's name.",
            "Hubs that differ in nothing but the port are refused: browsers send the cookies of one port to the others,"
            " and logging in to one hub would log people out of the next.",
        ),
        example="https://hub.example.org/",
    ),
    Option(
        "hub_domain",
        "domain",
        ("Domain of the hub, short for O(hub_url) C(https://DOMAIN/).",),
        example="hub.example.org",
    ),
    Option(
        "hub_bind",
        "address",
        (
            "Address that the hub's proxy listens on.",
            "Anything but this machine itself needs O(hub_tls_certificate) and O(hub_tls_key).",
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
            "First of three neighbouring ports on 127.0.0.1 for the hub's inner services.",
            "Unset, the three after O(hub_port).",
        ),
        platforms=(SERVER,),
    ),
    Option(
        "hub_tls_certificate", "machine_path", ("Certificate of the hub, with its chain (PEM).",), platforms=(SERVER,)
    ),
    Option("hub_tls_key", "machine_path", ("Private key of O(hub_tls_certificate) (PEM).",), platforms=(SERVER,)),
)

LOGIN = (
    Option(
        "hub_demonstration",
        "bool",
        ("Marks a hub as a demonstration, which may use the authenticators C(tmp) and C(dummy).",),
        default=False,
    ),
    Option(
        "hub_authenticator",
        "str",
        ("How people log in.", *(f"C({a.name}) - {a.text}" for a in BY_NAME.values())),
        required_on=(SERVER,),
        choices=tuple(BY_NAME),
        example="github",
    ),
    Option(
        "hub_authenticator_settings",
        "dict",
        ("Settings of the authenticator; its keys depend on O(hub_authenticator).",),
        default={},
        example="{client_id: abc, client_secret: !vault ...}",
    ),
    *ALLOW_RULES,
    Option(
        "hub_allow_everyone",
        "bool",
        (
            "Everyone who can log in at the authenticator may use the hub.",
            "A hub without any allow rule is refused.",
        ),
        default=False,
    ),
    Option(
        "hub_blocked_users",
        "list",
        ("User names that may not log in whatever else allows them.",),
        elements=names(),
    ),
    Option(
        "hub_admins",
        "list",
        ("User names of the hub's admins.",),
        default=(),
        elements=names(),
        example="[ada]",
    ),
)

#: Minor versions of JupyterHub that roles/cluster/files/locks holds locks of.
JUPYTERHUB_VERSIONS = ("5.5", "6.1")

SOFTWARE = (
    Option(
        "hub_jupyterhub_version",
        "str",
        (
            "Version of JupyterHub that the hub runs, and that its users' new servers start with.",
            "When it is raised, the database is copied and brought to the new schema; users' servers go on.",
            "To lower it again, use the playbook rollback, which puts the copy back: JupyterHub cannot read the"
            " database of a newer version.",
        ),
        default="5.5",
        choices=JUPYTERHUB_VERSIONS,
        platforms=(SERVER,),
    ),
    Option(
        "hub_environment_catalogue",
        "dict",
        ("Environments that hubs can offer, by name; best kept in group_vars/all.yml.",),
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
            "Environments that the hub offers: names from O(hub_environment_catalogue),"
            " or entries of the hub's own with a name.",
            "The first is preselected.",
        ),
        required_on=(SERVER,),
        elements=named(ENVIRONMENT, "environment"),
        by_name="hub_environment_catalogue",
        example='[python, {name: geo, title: Maps, packages: ["geopandas==1.1.1"]}]',
    ),
    Option(
        "hub_size_catalogue",
        "dict",
        ("Sizes that hubs can offer, by name; best kept in group_vars/all.yml.",),
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
            "Sizes that the hub offers: names from O(hub_size_catalogue), or entries of the hub's own with a name.",
            "The first is preselected.",
        ),
        required_on=(SERVER,),
        elements=named(SIZE, "size"),
        by_name="hub_size_catalogue",
        example="[small, large]",
    ),
    Option(
        "hub_interface",
        "str",
        ("What opens first: C(lab), C(notebook) or a path.",),
        default="lab",
        pattern=INTERFACE.pattern,
        pattern_text=INTERFACE.pattern_text,
    ),
    Option(
        "hub_home_directory",
        "machine_path",
        (
            "Directory that holds the users' homes.",
            "Unset, C(homes/HUB) in the cluster's state directory.",
        ),
        platforms=(SERVER,),
    ),
    Option(
        "hub_environment_variables",
        "dict",
        ("Environment variables of every user's server; no place for secrets, since users can read them.",),
        default={},
        elements=element("str"),
        pattern=VARIABLE_PATTERN,
        pattern_text=VARIABLE_TEXT,
        example='{OMP_NUM_THREADS: "1"}',
    ),
)

RUNNING = (
    Option(
        "hub_idle_timeout",
        "duration",
        ("A server without activity for this long is stopped; C(never) to keep it.",),
        default=3600,
        minimum=0,
        maximum=90 * 86400,
        example="30m",
    ),
    Option(
        "hub_maximum_age",
        "duration",
        ("A server is stopped at this age, in use or not; C(never) for no limit.",),
        default=0,
        minimum=0,
        maximum=365 * 86400,
        example="12h",
    ),
    Option(
        "hub_start_timeout",
        "duration",
        (
            "How long a server may take to start.",
            "Unset, five minutes on Kubernetes, where a node may have to come first.",
        ),
        default=120,
        minimum=10,
        maximum=3600,
    ),
    Option(
        "hub_active_server_limit",
        "int",
        ("Most servers that run at once; 0 for no limit.",),
        default=0,
        minimum=0,
        maximum=100000,
    ),
    Option(
        "hub_concurrent_spawn_limit",
        "int",
        ("Most servers that start at once; others are asked to wait. 0 for no limit.",),
        default=64,
        minimum=0,
        maximum=10000,
    ),
    Option(
        "hub_named_servers",
        "bool",
        ("Users may have named servers beside the default one, as many as they like.",),
        default=False,
    ),
    Option(
        "hub_named_server_limit",
        "int",
        ("Named servers a user may have beside the default one; 0 for none, or no limit with O(hub_named_servers).",),
        default=0,
        minimum=0,
        maximum=100,
    ),
)

LOOK = (
    Option(
        "hub_redirect_to_server",
        "bool",
        ("People who log in, and have nothing to choose, come to their server at once; else to the hub's home page.",),
        default=True,
    ),
    Option("hub_announcement", "str", ("A line of HTML shown on top of every page of the hub.",), default=""),
    Option(
        "hub_templates",
        "inventory_path",
        ("Directory of templates that override JupyterHub's pages.",),
    ),
    Option("hub_logo", "inventory_path", ("Image shown as the hub's logo.",)),
)

EXTENSION = (
    Option(
        "hub_services",
        "list",
        ("Services of JupyterHub that run elsewhere and use its API.",),
        default=(),
        elements=element(
            "dict",
            options=(
                Option(
                    "name",
                    "str",
                    ("Name of the service.",),
                    required=True,
                    pattern=NAME_PATTERN,
                    pattern_text=NAME_TEXT,
                ),
                Option(
                    "url",
                    "url",
                    ("Where the service listens, to be served under C(/services/NAME).",),
                ),
                Option(
                    "api_token",
                    "str",
                    ("Its API token; encrypt it with ansible-vault or SOPS.",),
                    secret=True,
                ),
                Option(
                    "oauth_redirect_uri",
                    "url",
                    ("Where the hub sends people back after logging in to the service.",),
                ),
                Option("display", "bool", ("Whether the hub's menu lists it.",), default=True),
            ),
        ),
        example='[{name: grader, url: "http://127.0.0.1:9000", api_token: !vault ...}]',
    ),
    Option(
        "hub_roles",
        "list",
        ("Roles of JupyterHub: which users, groups and services hold which scopes.",),
        default=(),
        elements=element(
            "dict",
            options=(
                Option(
                    "name",
                    "str",
                    ("Name of the role.",),
                    required=True,
                    pattern=r"[a-z][-a-z0-9_~.]{1,253}[a-z0-9]",
                    pattern_text="a role name of JupyterHub (lower case, at least three characters)",
                ),
                Option("description", "str", ("What the role is for.",), default=""),
                Option(
                    "scopes",
                    "list",
                    ("Scopes it grants.",),
                    required=True,
                    elements=names(r"[a-z][-a-z:_]*(!.+)?|self|inherit", "a scope of JupyterHub"),
                ),
                Option("users", "list", ("Users who hold it.",), default=(), elements=names()),
                Option("groups", "list", ("Groups that hold it.",), default=(), elements=names()),
                Option("services", "list", ("Services that hold it.",), default=(), elements=names()),
            ),
        ),
        example='[{name: instructors, scopes: ["list:users"], users: [ada]}]',
    ),
    Option(
        "hub_jupyterhub_config",
        "python",
        ("Python run last in JupyterHub's configuration, with C(c) in reach; for what has no option.",),
        default="",
        example="c.JupyterHub.authenticate_prometheus = True",
    ),
)

#: All hub_* options, in the order of the reference, by chapter.
CHAPTERS = (
    ("Address", ADDRESS),
    ("Logging in", LOGIN),
    ("Environments and sizes", SOFTWARE),
    ("Limits and idle servers", RUNNING),
    ("Look", LOOK),
    ("Services, roles and the escape hatch", EXTENSION),
    *KUBERNETES_CHAPTERS,
)
HUB_OPTIONS = tuple(option for _title, chapter in CHAPTERS for option in chapter)
