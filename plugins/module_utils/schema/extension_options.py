# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of services, roles and extra configuration."""

from __future__ import annotations

from .catalogue_options import NAME_PATTERN, NAME_TEXT, VARIABLE_PATTERN, VARIABLE_TEXT
from .option import SERVER, Option, element, names, users

#: Source: jupyterhub.roles._validate_role_name.
ROLE_NAME = r"[a-z][-a-z0-9_~.]{1,253}[a-z0-9]"
ROLE_NAME_TEXT = "a role name of JupyterHub (lower case, at least three characters)"

EXTENSION = (
    Option(
        "hub_services",
        "list",
        (
            "Services of JupyterHub: programs that use its API, or that users log in to with it.",
            "The hub starts those with a C(command); the others are started elsewhere.",
            "The menu of the hub lists them in the order of the inventory; on Kubernetes, by name.",
        ),
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
                    ("URL that the service listens on; it is served under C(/services/NAME).",),
                ),
                Option(
                    "api_token",
                    "str",
                    (
                        "API token of the service; encrypt it with ansible-vault or SOPS.",
                        "The hub generates one for a service with a command.",
                    ),
                    secret=True,
                ),
                Option(
                    "command",
                    "list",
                    (
                        "Command line that the hub starts, and starts again when it ends.",
                        "A deploy fails if it cannot be started, or ends with an error within two seconds.",
                    ),
                    elements=names(),
                    example="[/opt/grader/bin/grader, --port=9000]",
                ),
                Option(
                    "environment",
                    "dict",
                    ("Environment variables of a service with a command; values may be secret.",),
                    elements=element("str", prose=True),
                    pattern=VARIABLE_PATTERN,
                    pattern_text=VARIABLE_TEXT,
                ),
                Option(
                    "user",
                    "str",
                    (
                        "Account of the machine that a service with a command runs as.",
                        "Required where root deploys, since the hub runs as root; only there it can be set.",
                    ),
                    pattern=r"[a-z_][-a-z0-9_.]{0,31}",
                    pattern_text="the name of an account",
                    platforms=(SERVER,),
                ),
                Option(
                    "oauth_redirect_uri",
                    "url",
                    (
                        "URL that the hub redirects to after a user has logged in to the service.",
                        "Defaults to C(/services/NAME/oauth_callback).",
                    ),
                ),
                Option(
                    "oauth_client_id",
                    "str",
                    ("OAuth client of the service.", "Defaults to C(service-NAME)."),
                    pattern=r"service-\S+",
                    pattern_text="a name that begins with service-",
                ),
                Option(
                    "oauth_client_allowed_scopes",
                    "list",
                    ("Scopes that the service may request of the users that log in to it.",),
                    elements=names(),
                ),
                Option("oauth_no_confirm", "bool", ("Whether users need not agree to log in to the service.",)),
                Option("display", "bool", ("Whether the menu of the hub lists the service.",), default=True),
            ),
        ),
        example='[{name: grader, url: "http://127.0.0.1:9000", api_token: !vault ...}]',
    ),
    Option(
        "hub_metrics",
        "bool",
        (
            "Whether the hub has a service C(metrics) whose generated token reads its metrics for Prometheus, at"
            " C(hub/metrics). Nobody reads them without a token, unless a role has the scope C(read:metrics).",
        ),
        default=False,
    ),
    Option(
        "hub_roles",
        "list",
        ("Roles of JupyterHub: scopes, and the users, groups and services that have them.",),
        default=(),
        elements=element(
            "dict",
            options=(
                Option(
                    "name",
                    "str",
                    ("Name of the role.",),
                    required=True,
                    pattern=ROLE_NAME,
                    pattern_text=ROLE_NAME_TEXT,
                ),
                Option("description", "str", ("Purpose of the role.",), prose=True, default=""),
                Option(
                    "scopes",
                    "list",
                    ("Scopes that the role grants.",),
                    required=True,
                    elements=names(),
                ),
                Option("users", "list", ("Users that have the role.",), default=(), elements=users()),
                Option(
                    "groups",
                    "list",
                    ("Groups that have the role: of O(hub_groups), unless the authenticator decides about groups.",),
                    default=(),
                    elements=names(),
                ),
                Option("services", "list", ("Services that have the role.",), default=(), elements=names()),
            ),
        ),
        example='[{name: instructors, scopes: ["list:users"], users: [ada]}]',
    ),
    Option(
        "hub_jupyterhub_config",
        "python",
        (
            "Python code that is run at the end of the configuration of JupyterHub, with the configuration object C(c);"
            " for settings that have no option.",
        ),
        default="",
        example="c.JupyterHub.authenticate_prometheus = True",
    ),
    Option(
        "hub_ignored_problems",
        "list",
        (
            "Problems that are printed but do not stop anything.",
            "Traits in O(hub_jupyterhub_config) that no class has are C(hub_jupyterhub_config.CLASS.TRAIT).",
            "On Kubernetes, also paths in the values of the chart, or in options that are passed on to KubeSpawner, and"
            " C(hub_chart_version) or C(cluster_chart_version) for a version of the chart that the collection does not"
            " know. Imports add the problems that existed before.",
        ),
        default=(),
        elements=names(),
        example="[hub_jupyterhub_config.Spawner.volumes, hub.config.GoogleOAuthenticator.allowed_hosted_domains]",
    ),
)
