# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each option that applies to Kubernetes goes in the chart's values: option, value, expected values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.extension import (
    CORE_NODES,
    WIDE_PARTS,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.pages import (
    LOGO,
    PAGES,
    TEMPLATES,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CODE,
)

IMAGE = "quay.io/jupyter/scipy-notebook:2025-11-10"
CATALOGUES: dict[str, Any] = {
    "hub_environment_catalogue": {"python": {"title": "Python", "image": IMAGE}, "r": {"image": "quay.io/uni/r:4.5"}},
    "hub_size_catalogue": {"small": {"memory": "1G"}, "large": {"memory": "4G", "cpu": 2}},
}
INGRESS = {"cluster_exposure": "ingress", "cluster_certificate_issuer": "letsencrypt", "hub_domain": "hub.example.org"}
GATEWAY = {"cluster_exposure": "gateway", "hub_domain": "hub.example.org"}
BALANCER = {"cluster_exposure": "load-balancer", "hub_domain": "hub.example.org"}
CILOGON = {"hub_authenticator": "cilogon", "hub_authenticator_settings": {"username_claim": "eppn"}}
PROVIDER = "https://idp.example.org/shibboleth"


@dataclass(frozen=True)
class Place:
    """What an option makes of the chart's values.

    value: of the option. beside: other variables that it needs. expected: place, written with slashes -> value.
    source: the variable that these places are told to come from, where it is not the option itself.
    by_collection: what is expected in addition with the collection's defaults; imported hubs keep what they have.
    """

    option: str
    value: Any
    expected: dict[str, Any]
    beside: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    by_collection: dict[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, Any]:
        return {**self.beside, self.option: self.value}


def _volume(name: str, volume: dict[str, Any], mount: dict[str, Any]) -> dict[str, Any]:
    return {
        f"singleuser/storage/extraVolumes/{name}": {"name": name, **volume},
        f"singleuser/storage/extraVolumeMounts/{name}": mount,
    }


PLACES = [
    Place(
        "hub_metrics",
        True,
        {
            "hub/services/metrics": {"display": False},
            "hub/loadRoles/metrics": {"services": ["metrics"], "scopes": ["read:metrics"]},
        },
    ),
    Place(
        "hub_server_settings",
        {"LabApp": {"news_url": None, "app_name": "{}"}},
        {
            "singleuser/extraFiles/hubfleet-server-settings": {
                "mountPath": "/etc/jupyter/jupyter_server_config.json",
                "stringData": '{\n  "LabApp": {\n    "app_name": "{}",\n    "news_url": null\n  }\n}',
            }
        },
    ),
    # Address
    Place(
        "hub_title",
        "Maps",
        {},
        by_collection={
            "hub/templateVars/hub_title": "Maps",
            "hub/templatePaths": [PAGES],
            "hub/extraFiles/hubfleet-page": {"mountPath": f"{PAGES}/page.html", "stringData": CODE.titled_page},
        },
    ),
    Place("hub_url", "https://example.org/team", {"hub/baseUrl": "/team/"}),
    Place(
        "hub_url", "https://hub.example.org/", {"ingress/hosts": ["hub.example.org"]}, {**INGRESS, "hub_domain": None}
    ),
    Place("hub_domain", "hub.example.org", {"ingress/hosts": ["hub.example.org"]}, INGRESS),
    Place(
        "hub_domain",
        "hub.example.org",
        {"hub/config/GitHubOAuthenticator/oauth_callback_url": "https://hub.example.org/hub/oauth_callback"},
        {"hub_authenticator": "github"},
    ),
    # Logging in; every setting and rule of each authenticator is in test_values_login.py
    Place("hub_authenticator", "native", {"hub/config/JupyterHub/authenticator_class": "native"}),
    Place(
        "hub_authenticator_settings",
        {"client_id": "abc"},
        {"hub/config/GitHubOAuthenticator/client_id": "abc"},
        {"hub_authenticator": "github"},
    ),
    Place("hub_allowed_users", ["ada"], {"hub/config/Authenticator/allowed_users": ["ada"]}),
    Place(
        "hub_allowed_organizations",
        ["uni:team"],
        {"hub/config/GitHubOAuthenticator/allowed_organizations": ["uni:team"]},
        {"hub_authenticator": "github"},
    ),
    Place(
        "hub_allowed_domains",
        ["example.org"],
        {"hub/config/GoogleOAuthenticator/hosted_domain": ["example.org"]},
        {"hub_authenticator": "google"},
    ),
    Place(
        "hub_allowed_identity_providers",
        [PROVIDER],
        {
            "hub/config/CILogonOAuthenticator/idps": {
                PROVIDER: {"username_derivation": {"username_claim": "eppn"}, "allow_all": True}
            }
        },
        CILOGON,
    ),
    Place(
        "hub_allowed_groups",
        ["users"],
        {"hub/config/GenericOAuthenticator/allowed_groups": ["users"]},
        {"hub_authenticator": "generic-oauth", "hub_authenticator_settings": {"groups_claim": "groups"}},
    ),
    Place("hub_allow_everyone", True, {"hub/config/Authenticator/allow_all": True}),
    Place("hub_blocked_users", ["eve"], {"hub/config/Authenticator/blocked_users": ["eve"]}),
    Place("hub_admins", ["root"], {"hub/config/Authenticator/admin_users": ["root"]}),
    # Environments and sizes; profiles are in test_values_profiles.py
    Place(
        "hub_environments",
        ["python"],
        {"singleuser/image/name": "quay.io/jupyter/scipy-notebook", "singleuser/image/tag": "2025-11-10"},
        CATALOGUES,
    ),
    Place(
        "hub_environment_catalogue",
        {"python": {"image": IMAGE, "variables": {"A": "1"}, "interface": "notebook", "image_pull_policy": "Always"}},
        {
            "singleuser/image/pullPolicy": "Always",
            "singleuser/extraEnv/A": "1",
            "singleuser/defaultUrl": "/tree",
        },
        {"hub_environments": ["python"]},
        source="hub_environments",
    ),
    Place("hub_sizes", ["large"], {"singleuser/memory/limit": "4G", "singleuser/cpu/limit": 2}, CATALOGUES),
    Place(
        "hub_size_catalogue",
        {"gpu": {"memory_guarantee": "2G", "cpu_guarantee": 0.5, "gpu": 1, "node_selector": {"gpu": "yes"}}},
        {
            "singleuser/memory/guarantee": "2G",
            "singleuser/cpu/guarantee": 0.5,
            "singleuser/extraResource/limits/nvidia.com~1gpu": "1",
            "singleuser/extraResource/guarantees/nvidia.com~1gpu": "1",
            "singleuser/nodeSelector": {"gpu": "yes"},
        },
        {"hub_sizes": ["gpu"]},
        source="hub_sizes",
    ),
    Place("hub_interface", "notebook", {"singleuser/defaultUrl": "/tree"}),
    Place("hub_environment_variables", {"A": "1"}, {"singleuser/extraEnv/A": "1"}),
    Place("hub_environment_variables", {"A": '{"$x": "$(B)"}'}, {"singleuser/extraEnv/A": '{{"$$x": "$$(B)"}}'}),
    # Limits and idle servers
    Place("hub_idle_timeout", "30m", {"cull/timeout": 1800}),
    Place(
        "hub_idle_timeout",
        "2m",
        {"singleuser/extraEnv/JUPYTERHUB_ACTIVITY_INTERVAL": "40"},
        by_collection={"cull/every": 60},
    ),
    Place("hub_idle_timeout", "never", {"cull/enabled": False}),
    Place("hub_idle_timeout", "never", {"cull/timeout": 100 * 365 * 86400}, {"hub_maximum_age": "12h"}),
    Place("hub_maximum_age", "12h", {"cull/maxAge": 43200}),
    Place(
        "hub_start_timeout",
        "10m",
        {"singleuser/startTimeout": 600},
        by_collection={"hub/config/Spawner/http_timeout": 600},
    ),
    Place("hub_active_server_limit", 40, {"hub/activeServerLimit": 40}),
    Place("hub_active_server_limit", 0, {"hub/activeServerLimit": None}),
    Place("hub_concurrent_spawn_limit", 10, {"hub/concurrentSpawnLimit": 10}),
    Place("hub_named_servers", True, {"hub/allowNamedServers": True}),
    Place("hub_named_server_limit", 3, {"hub/namedServerLimitPerUser": 3}),
    # Look
    Place("hub_redirect_to_server", False, {"hub/redirectToServer": False}),
    Place("hub_announcement", "<b>Soon</b>", {"hub/templateVars/announcement": "<b>Soon</b>"}),
    Place(
        "hub_templates",
        "templates",
        {"hub/extraFiles/template-page.html": {"mountPath": f"{TEMPLATES}/page.html", "stringData": "<p>\n"}},
        by_collection={"hub/templatePaths": [TEMPLATES, PAGES]},
    ),
    Place(
        "hub_logo",
        "logo.png",
        {
            "hub/config/JupyterHub/logo_file": f"{LOGO}.png",
            "hub/extraFiles/logo": {"mountPath": f"{LOGO}.png", "binaryData": "iVBORw=="},
        },
    ),
    # Groups, services, roles and Python
    Place(
        "hub_groups",
        {"staff": {"users": ["ada"]}},
        {"hub/config/JupyterHub/load_groups/staff": {"users": ["ada"], "properties": {}}},
    ),
    Place(
        "hub_user_expiry",
        "180d",
        {"hub/extraConfig/zzzy-hubfleet-user-expiry": f"{CODE.user_expiry}\n\nconfigure(c, seconds=15552000)\n"},
    ),
    Place(
        "hub_keep_panel_grants",
        True,
        {"hub/extraConfig/zzzz-hubfleet-access": f"{CODE.access}\n\nconfigure(c, keep=True)\n"},
    ),
    Place(
        "hub_services",
        [{"name": "grader", "url": "http://grader:9000", "api_token": "x" * 32, "display": False}],
        {"hub/services/grader": {"url": "http://grader:9000", "apiToken": "x" * 32, "display": False}},
    ),
    Place(
        "hub_services",
        [{"name": "grader", "oauth_redirect_uri": "https://grader.example.org/callback"}],
        {"hub/services/grader": {"oauth_redirect_uri": "https://grader.example.org/callback"}},
    ),
    Place(
        "hub_services",
        [
            {
                "name": "grader",
                "url": "http://grader:9000",
                "command": ["grader", "--port=9000"],
                "environment": {"LOG_LEVEL": "debug"},
                "oauth_client_id": "service-graders",
                "oauth_client_allowed_scopes": ["read:users"],
                "oauth_no_confirm": True,
            }
        ],
        {
            "hub/services/grader": {
                "url": "http://grader:9000",
                "command": ["grader", "--port=9000"],
                "environment": {"LOG_LEVEL": "debug"},
                "oauth_client_id": "service-graders",
                "oauth_client_allowed_scopes": ["read:users"],
                "oauth_no_confirm": True,
            }
        },
    ),
    Place(
        "hub_roles",
        [{"name": "instructors", "scopes": ["list:users"], "users": ["ada"], "groups": ["staff"]}],
        {"hub/loadRoles/instructors": {"scopes": ["list:users"], "users": ["ada"], "groups": ["staff"]}},
    ),
    Place("hub_jupyterhub_config", "x = 1\n", {"hub/extraConfig/zz-hub_jupyterhub_config": "x = 1\n"}),
    # Choices
    Place(
        "hub_profiles",
        [{"title": "CPU", "environments": ["python"]}],
        {"singleuser/profileList": [{"display_name": "CPU", "kubespawner_override": {"image": IMAGE}}]},
        CATALOGUES,
    ),
    Place(
        "hub_unlisted_image",
        True,
        {"singleuser/profileList/1/profile_options/image/unlisted_choice/enabled": True},
        {**CATALOGUES, "hub_environments": ["python"]},
        source="hub_environments",
    ),
    # Storage
    Place("hub_home_storage", "none", {"singleuser/storage/type": "none"}),
    Place(
        "hub_home_storage",
        "dynamic",
        {"singleuser/storage/type": "dynamic"},
        {"hub_home_storage_class": "standard"},
    ),
    Place("hub_home_storage", "claim", {"singleuser/storage/type": "static"}, {"hub_home_claim": "homes"}),
    Place(
        "hub_home_capacity",
        "20Gi",
        {"singleuser/storage/capacity": "20Gi"},
        {"hub_home_storage": "dynamic", "hub_home_storage_class": "standard"},
    ),
    Place(
        "hub_home_storage_class",
        "fast",
        {"singleuser/storage/dynamic/storageClass": "fast"},
        {"hub_home_storage": "dynamic", "cluster_storage_class": "standard"},
    ),
    Place(
        "hub_home_claim",
        "homes",
        {"singleuser/storage/static/pvcName": "homes"},
        {"hub_home_storage": "claim"},
    ),
    Place(
        "hub_home_nfs",
        {"server": "10.0.0.4", "path": "/export"},
        _volume(
            "home",
            {"nfs": {"server": "10.0.0.4", "path": "/export"}},
            {"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"},
        ),
        {"hub_home_storage": "nfs"},
    ),
    Place(
        "hub_home_subpath",
        "homes/{username}",
        {"singleuser/storage/static/subPath": "homes/{username}"},
        {"hub_home_storage": "claim", "hub_home_claim": "homes"},
    ),
    Place(
        "hub_home_mount_path",
        "/home/user",
        {"singleuser/storage/homeMountPath": "/home/user"},
        by_collection={"hub/config/KubeSpawner/working_dir": "/home/user", "singleuser/extraEnv/HOME": "/home/user"},
    ),
    Place(
        "hub_home_mount_path",
        "/home/{user}",
        {"singleuser/storage/homeMountPath": "/home/{{user}}"},
        by_collection={"hub/config/KubeSpawner/working_dir": "/home/{{user}}"},
    ),
    Place(
        "hub_shared_directories",
        {"shared": {"path": "/home/jovyan/shared", "subpath": "_shared", "read_only": True}},
        {
            "singleuser/storage/extraVolumeMounts/shared": {
                "name": "home",
                "mountPath": "/home/jovyan/shared",
                "subPath": "_shared",
                "readOnly": True,
            }
        },
        {"hub_home_storage": "claim", "hub_home_claim": "homes"},
    ),
    Place(
        "hub_shared_directories",
        {"shared": {"path": "~/shared", "subpath": "_shared"}},
        {
            "singleuser/storage/extraVolumeMounts/shared": {
                "name": "home",
                "mountPath": "/home/user/shared",
                "subPath": "_shared",
            }
        },
        {"hub_home_storage": "claim", "hub_home_claim": "homes", "hub_home_mount_path": "/home/user"},
    ),
    Place(
        "hub_files",
        {"welcome": {"path": "~/welcome.txt", "content": "Hello\n"}},
        {"singleuser/extraFiles/welcome": {"mountPath": "/home/user/welcome.txt", "stringData": "Hello\n"}},
        {"hub_home_mount_path": "/home/user"},
    ),
    Place(
        "hub_volumes",
        {"scratch": {"path": "/scratch", "volume": {"emptyDir": {"sizeLimit": "10Gi"}}}},
        _volume("scratch", {"emptyDir": {"sizeLimit": "10Gi"}}, {"name": "scratch", "mountPath": "/scratch"}),
    ),
    Place(
        "hub_files",
        {"welcome": {"path": "/home/jovyan/welcome.txt", "content": "Hello\n", "mode": 0o644}},
        {
            "singleuser/extraFiles/welcome": {
                "mountPath": "/home/jovyan/welcome.txt",
                "stringData": "Hello\n",
                "mode": 0o644,
            }
        },
    ),
    Place(
        "hub_buckets",
        {"SCRATCH": "s3://bucket/path"},
        {"singleuser/extraEnv/SCRATCH": "s3://bucket/path/$(JUPYTERHUB_USER)"},
    ),
    Place("hub_buckets", {"B": "s3://a/{b}"}, {"singleuser/extraEnv/B": "s3://a/{{b}}/$(JUPYTERHUB_USER)"}),
    Place("hub_user_service_account", "user", {"singleuser/serviceAccountName": "user"}),
    Place("hub_database_storage", "5Gi", {"hub/db/pvc/storage": "5Gi"}),
    Place("hub_database_storage_class", "fast", {"hub/db/pvc/storageClassName": "fast"}),
    # Network
    Place(
        "hub_user_egress",
        {"internet": False, "private": True, "metadata": False},
        {
            "singleuser/networkPolicy/egressAllowRules/nonPrivateIPs": False,
            "singleuser/networkPolicy/egressAllowRules/privateIPs": True,
            "singleuser/networkPolicy/egressAllowRules/cloudMetadataServer": False,
        },
    ),
    Place("hub_block_metadata_with_iptables", False, {"singleuser/cloudMetadata/blockWithIptables": False}),
    Place(
        "hub_tls_secret",
        "wildcard",
        {"ingress/tls": [{"hosts": ["hub.example.org"], "secretName": "wildcard"}]},
        {**INGRESS, "cluster_certificate_issuer": None},
    ),
    Place(
        "hub_tls_secret",
        "wildcard",
        {"proxy/https/type": "secret", "proxy/https/secret/name": "wildcard"},
        BALANCER,
    ),
    # Nodes and images
    Place("hub_node_selector", {"pool": "users"}, {"singleuser/nodeSelector": {"pool": "users"}}),
    Place("hub_tolerations", [{"key": "a"}], {"singleuser/extraTolerations": [{"key": "a"}]}),
    Place("hub_user_scheduler", False, {"scheduling/userScheduler/enabled": False}),
    Place("hub_user_placeholders", 3, {"scheduling/userPlaceholder/replicas": 3}, {"hub_pod_priority": True}),
    Place("hub_pod_priority", True, {"scheduling/podPriority/enabled": True}),
    Place("hub_prepull_on_deploy", True, {"prePuller/hook/enabled": True}),
    Place("hub_prepull_on_new_nodes", False, {"prePuller/continuous/enabled": False}),
    # Namespace, add-ons and Helm values
    Place(
        "hub_service_account",
        "jupyterhub",
        {"rbac/create": False, "hub/serviceAccount/create": False, "hub/serviceAccount/name": "jupyterhub"},
    ),
    Place("hub_helm_values", {"debug": {"enabled": True}}, {"debug/enabled": True}),
    Place("cluster_helm_values", {"debug": {"enabled": True}}, {"debug/enabled": True}),
    Place("fleet_helm_values", {"debug": {"enabled": True}}, {"debug/enabled": True}),
    # Clusters
    Place("cluster_permissions", "namespace", {path.replace(".", "/"): False for path in WIDE_PARTS}),
    Place(
        "cluster_storage_class",
        "standard",
        {"singleuser/storage/dynamic/storageClass": "standard", "hub/db/pvc/storageClassName": "standard"},
        {"hub_home_storage": "dynamic"},
    ),
    Place("cluster_exposure", "ingress", {"ingress/enabled": True}, INGRESS),
    Place(
        "cluster_exposure", "gateway", {"httpRoute/enabled": True}, {**GATEWAY, "cluster_gateway": {"name": "shared"}}
    ),
    Place(
        "cluster_exposure",
        "load-balancer",
        {"proxy/service/type": "LoadBalancer", "proxy/https/enabled": True, "proxy/https/type": "letsencrypt"},
        {**BALANCER, "cluster_acme_contact": "it@example.org"},
    ),
    Place("cluster_ingress_class", "nginx", {"ingress/ingressClassName": "nginx"}, INGRESS),
    Place("cluster_ingress_annotations", {"a/b": "c"}, {"ingress/annotations/a~1b": "c"}, INGRESS),
    Place(
        "cluster_certificate_issuer",
        "letsencrypt",
        {"ingress/annotations/cert-manager.io~1cluster-issuer": "letsencrypt", "ingress/tls/0/secretName": "alpha-tls"},
        INGRESS,
    ),
    Place(
        "cluster_gateway",
        {"name": "shared", "namespace": "gateways", "section": "https"},
        {"httpRoute/gateway": {"name": "shared", "namespace": "gateways", "sectionName": "https"}},
        GATEWAY,
    ),
    Place(
        "cluster_acme_contact",
        "it@example.org",
        {"proxy/https/letsencrypt/contactEmail": "it@example.org"},
        BALANCER,
    ),
    Place(
        "cluster_core_node_selector",
        {"pool": "core"},
        {path.replace(".", "/"): {"pool": "core"} for path in CORE_NODES},
    ),
]

#: Options without a place in the chart's values, and where they go instead.
ELSEWHERE = {
    "hub_addons": "releases of their own: test_addons.py; what the hub needs for them is tested there",
    "hub_chart_version": "which chart is used",
    "hub_defaults_source": "whether what is not set is written",
    "hub_demonstration": "whether the authenticator is let through",
    "hub_namespace": "the command line of helm",
    "hub_pending_secrets": "whether the hub can be deployed",
    "hub_release": "the command line of helm; the name of the secret with the certificate",
    "hub_admin_limits": "what admins may set, which is in the lock file: test_admin_settings.py",
    "hub_admin_may": "what admins may set, which is in the lock file: test_admin_settings.py",
    "hub_admin_ref": "what admins may set, which is in the lock file: test_admin_settings.py",
    "hub_admin_repository": "what admins may set, which is in the lock file: test_admin_settings.py",
    "hub_ignored_problems": "whether problems stop the hub",
    "hub_ignored_drift": "what a plan does not report",
    "hub_deploy_timeout": "how long a deploy waits",
    "hub_check_through": "how a check reaches the hub",
    "cluster_kubeconfig": "how the cluster is reached",
    "cluster_context": "how the cluster is reached",
    "cluster_history_limit": "how many revisions Helm keeps",
    "cluster_backup_repository": "where backups are",
    "cluster_backup_password": "where backups are",
    "cluster_backup_environment": "where backups are",
    "cluster_backup_keep": "which backups are kept",
    "cluster_backup_homes": "what is in a backup",
    "cluster_backup_image": "what makes backups",
    "cluster_base_image": "what environments are built on",
    "cluster_conda_channel_alias": "where environments are built from",
    "cluster_image_registry": "where images of environments are",
    "cluster_package_index": "where environments are built from",
    "cluster_platform": "whether there is a chart at all",
    "cluster_chart": "which chart is used",
    "cluster_chart_repository": "which chart is used",
    "cluster_chart_version": "which chart is used",
    "cluster_kubernetes_version": "what manifests are checked against",
    "cluster_maintenance_windows": "when deploys may restart what runs",
}
