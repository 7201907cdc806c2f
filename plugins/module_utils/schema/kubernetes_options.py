# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of hub_* variables that are for Kubernetes only."""

from __future__ import annotations

from typing import Any

from .catalogue_options import NAME_PATTERN, NAME_TEXT
from .formatted_text import KUBESPAWNER
from .option import Option, element, names
from .option import kubernetes_option as _option
from .profile_options import PROFILE
from .shared_options import PATH, READ_ONLY, SUBPATH

#: A Kubernetes name (RFC 1123 label).
LABEL_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
LABEL_TEXT = "a Kubernetes name: at most 63 lower-case letters, digits and '-'"
#: Names of objects that need not be labels (RFC 1123 subdomain), such as claims, secrets and service accounts.
SUBDOMAIN_PATTERN = r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
SUBDOMAIN_TEXT = "a Kubernetes name: at most 253 lower-case letters, digits, '-' and '.'"
#: Of names of Helm's releases.
LONGEST_RELEASE = 53
VERSION_PATTERN = r"v?[0-9]+[.][0-9]+[.][0-9]+([-+][-+.0-9A-Za-z]+)?"


def _label(name: str, *text: str, **more: Any) -> Option:
    return _option(name, "str", *text, pattern=LABEL_PATTERN, pattern_text=LABEL_TEXT, **more)


def _subdomain(name: str, *text: str, **more: Any) -> Option:
    return _option(name, "str", *text, pattern=SUBDOMAIN_PATTERN, pattern_text=SUBDOMAIN_TEXT, **more)


CHOICES = (
    _option(
        "hub_profiles",
        "list",
        "Profile list of the hub, if users should not select from every environment in every size.",
        "Profiles without environments have the single entry of O(hub_environments) unless C(unlisted_image) is set,"
        " and profiles without sizes that of O(hub_sizes). Longer lists, such as those of a group,"
        " are not used.",
        "Profiles, environments, sizes and options are shown in the order of the inventory, and the first of them is"
        " the default. With O(hub_defaults_source=chart), Helm sorts all but profiles by their identifiers.",
        elements=element("dict", options=PROFILE),
        example="[{title: CPU, environments: [python, r], sizes: [small, large]},"
        " {title: GPU, environments: [pytorch], sizes: [gpu], allowed_groups: [gpu-users]}]",
    ),
    _option(
        "hub_unlisted_image",
        "bool",
        "Whether users may enter an image of their own, in addition to O(hub_environments).",
        default=False,
    ),
)

_NFS = Option(
    "nfs",
    "dict",
    ("The NFS export.",),
    options=(
        Option("server", "str", ("Name or address of the NFS server.",), required=True),
        Option("path", "machine_path", ("Path of the export.",), required=True),
    ),
)
STORAGE = (
    _option(
        "hub_home_storage",
        "str",
        "Storage of the users' home directories.",
        "C(dynamic) - a volume per user, provisioned by a storage class; all servers of a user have the same, and it"
        " stays when the user is removed from the hub.",
        "C(claim) - an existing PersistentVolumeClaim, with a directory per user.",
        "C(nfs) - an NFS export, with a directory per user.",
        "C(none) - no storage; home directories are lost when the session ends.",
        "Defaults to C(dynamic), which requires O(hub_home_storage_class) or O(cluster_storage_class).",
        choices=("dynamic", "claim", "nfs", "none"),
    ),
    _option(
        "hub_home_capacity",
        "quantity",
        "Capacity of a user's volume, with C(dynamic); volumes that exist keep theirs.",
        default="10Gi",
    ),
    _option("hub_home_storage_class", "str", "Storage class of the users' volumes, with C(dynamic)."),
    _subdomain("hub_home_claim", "Name of the PersistentVolumeClaim, with C(claim)."),
    _option(
        "hub_home_nfs",
        "dict",
        "The NFS export, with C(nfs).",
        options=_NFS.options,
        example="{server: 10.0.0.4, path: /export/homes}",
    ),
    _option(
        "hub_home_subpath",
        "str",
        "Directory of a user in the claim or export.",
        "C({username}) is replaced by the user name, escaped for file names, and so are the other placeholders of"
        " KubeSpawner.",
        default="{username}",
        placeholders=KUBESPAWNER,
    ),
    _option(
        "hub_home_mount_path",
        "machine_path",
        "Mount path of the home directory in sessions, which is also their working directory and C(HOME), whatever the"
        " image says.",
        "Those of the image are kept with O(hub_defaults_source) C(chart), and with O(hub_home_storage) C(none) unless"
        " this is set.",
        default="/home/jovyan",
    ),
    _option(
        "hub_volumes",
        "dict",
        "Additional volumes of sessions, by name.",
        elements=element(
            "dict",
            options=(
                PATH,
                SUBPATH,
                READ_ONLY,
                Option(
                    "volume",
                    "dict",
                    (
                        "The volume as in a pod specification, without its name.",
                        "Placeholders of KubeSpawner, such as C({username}), are replaced.",
                    ),
                    required=True,
                    placeholders=KUBESPAWNER,
                ),
            ),
        ),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example="{scratch: {path: /scratch, volume: {emptyDir: {sizeLimit: 10Gi}}}}",
    ),
    _option(
        "hub_buckets",
        "dict",
        "Buckets of object storage, by the environment variable that names them in sessions; each user has a prefix of"
        " their own.",
        "The permissions of a session are those of O(hub_user_service_account).",
        elements=element(
            "str",
            pattern=r"(s3|gs|az|abfs)://\S+[^/\s]",
            pattern_text="a bucket such as s3://bucket or gs://bucket/path",
        ),
        pattern=r"[A-Za-z_][A-Za-z0-9_]*",
        pattern_text="the name of an environment variable",
        example="{SCRATCH_BUCKET: s3://research-scratch}",
    ),
    _subdomain(
        "hub_user_service_account",
        "Service account of sessions, for example for workload identity; it must exist.",
        "Unset, sessions have no permissions in the cluster or the cloud.",
        "Sessions reach the API server of the cluster only with C(private) in O(hub_user_egress), and the metadata"
        " server, which the workload identity of Google Cloud needs, only with C(metadata).",
    ),
    _option(
        "hub_database_storage",
        "quantity",
        "Capacity of the volume of the hub's database; later it can only grow, where the storage class can expand"
        " volumes.",
        default="1Gi",
    ),
    _option("hub_database_storage_class", "str", "Storage class of the volume of the hub's database."),
)

NETWORK = (
    _option(
        "hub_user_egress",
        "dict",
        "Destinations that sessions may connect to, in addition to the hub (network policy).",
        "A key that is not set has the default of the chart: of these, only public addresses.",
        options=(
            Option("internet", "bool", ("Public IP addresses.",)),
            Option("private", "bool", ("Private IP addresses, including other pods and services.",)),
            Option(
                "metadata", "bool", ("The cloud's metadata server, which gives access to the credentials of the node.",)
            ),
        ),
        example="{internet: true, private: false, metadata: false}",
    ),
    _option(
        "hub_block_metadata_with_iptables",
        "bool",
        "Whether a privileged init container of each session also blocks the cloud's metadata server with iptables.",
        "The restricted Pod Security Standard allows everything else that sessions do, but not this; the network policy"
        " has the same effect if the cluster enforces network policies.",
        default=True,
    ),
    _subdomain(
        "hub_tls_secret",
        "Secret with the TLS certificate, in the namespace of the hub.",
        "Defaults to C(HUB-tls), which cert-manager creates with O(cluster_certificate_issuer).",
    ),
)

SCHEDULING = (
    _option(
        "hub_node_selector",
        "dict",
        "Node selector of sessions.",
        elements=element("str"),
        example="{hub.jupyter.org/node-purpose: user}",
    ),
    _option(
        "hub_tolerations",
        "list",
        "Additional tolerations of sessions, as in a pod specification.",
        elements=element("dict"),
    ),
    _option(
        "hub_user_scheduler",
        "bool",
        "Whether the user scheduler packs sessions onto few nodes, so that the autoscaler can remove the others.",
        "It requires cluster-wide permissions.",
        default=True,
    ),
    _option(
        "hub_user_placeholders",
        "int",
        "Number of user placeholder pods, which reserve capacity so that users need not wait for a new node; they"
        " require O(hub_pod_priority).",
        "Each reserves the guaranteed memory and CPUs of the preselected size; without guaranteed memory its memory"
        " limit, or 1G.",
        default=0,
        minimum=0,
        maximum=10000,
    ),
    _option(
        "hub_pod_priority",
        "bool",
        "Whether pod priorities let sessions evict user placeholders; requires cluster-wide permissions.",
        default=False,
    ),
    _option(
        "hub_prepull_on_deploy",
        "bool",
        "Whether a deploy first pulls the images on all nodes (the chart's hook image puller).",
        default=False,
    ),
    _option(
        "hub_prepull_on_new_nodes",
        "bool",
        "Whether the images are pulled on new nodes (the chart's continuous image puller).",
        default=True,
    ),
)

PLACE = (
    _label(
        "hub_namespace",
        "Namespace of the hub, which no other hub of the cluster may use; defaults to its name in the inventory.",
    ),
    _option(
        "hub_release",
        "str",
        "Name of the Helm release; defaults to the hub's name in the inventory.",
        pattern=rf"(?=.{{1,{LONGEST_RELEASE}}}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        pattern_text=f"a name of a Helm release: at most {LONGEST_RELEASE} lower-case letters, digits and '-'",
    ),
    _option(
        "hub_deploy_timeout",
        "duration",
        "Time that the hub, the proxy and add-ons have to start in a deploy. It ends earlier where they cannot start.",
        default=600,
        minimum=30,
    ),
    _option(
        "hub_check_through",
        "str",
        "How a check reaches the hub.",
        "C(address) - by its public address; through the API server of the cluster while its name does not resolve.",
        "C(cluster) - through the API server of the cluster.",
        default="address",
        choices=("address", "cluster"),
    ),
    _option(
        "hub_ignored_drift",
        "list",
        "Changes by others that a plan does not report, as C(KIND/NAME) or C(KIND/NAME:PATH), with C(*) for any text.",
        elements=element("str"),
        default=(),
        example='["Deployment/hub:metadata.annotations[*]", "*/user-scheduler"]',
    ),
    _option(
        "hub_chart_version",
        "str",
        "Version of the chart, if it differs from O(cluster_chart_version).",
        pattern=VERSION_PATTERN,
        pattern_text="a version such as 4.4.0",
    ),
    _subdomain(
        "hub_service_account",
        "Existing service account of the hub, if O(cluster_permissions) does not allow to create one.",
        "It needs the permissions of the chart's role for the hub.",
    ),
    _option(
        "hub_defaults_source",
        "str",
        "Source of the defaults of options that are not set.",
        "C(collection) - the defaults in this reference.",
        "C(chart) - the defaults of the chart; only options that are set become Helm values. Imported hubs use this.",
        choices=("collection", "chart"),
        default="collection",
    ),
    _option(
        "hub_pending_secrets",
        "list",
        "Secrets that still have to be added to the inventory, such as the names of encrypted files that were not"
        " imported.",
        "While the list is not empty, the hub can be validated and rendered, but not deployed.",
        default=(),
        elements=names(),
    ),
)

#: Keys of every add-on; known add-ons are defined in platform/kubernetes/values/addons.py.
ADDON = (
    Option("chart", "str", ("Chart: its name in the repository, an OCI reference, or a path.",)),
    Option("version", "str", ("Version of the chart.",)),
    Option("repository", "url", ("Helm repository of the chart.",)),
    Option("settings", "dict", ("Settings of a known add-on; see the settings of add-ons.",), default={}),
    Option("values", "values", ("Helm values of the add-on; they override everything else.",), default={}),
)

ESCAPES = (
    _option(
        "hub_addons",
        "dict",
        "Additional Helm releases in the namespace of the hub, by name.",
        "Known add-ons have a chart and a version (see the list of add-ons); others need a chart.",
        elements=element("dict", options=ADDON),
        pattern=LABEL_PATTERN,
        pattern_text=LABEL_TEXT,
        default={},
        example="{dask-gateway: {settings: {scheduler_memory: 2G}}}",
    ),
    _option(
        "hub_helm_values",
        "values",
        "Values of the zero-to-jupyterhub chart, merged as Helm merges values: mappings merge, lists replace, and"
        " null deletes the default of the chart.",
        "They override O(cluster_helm_values), which override O(fleet_helm_values), which override the values made"
        " from other options.",
        example="{hub: {resources: {requests: {memory: 512Mi}}}}",
    ),
)

#: By chapter, in the order of the reference.
KUBERNETES_CHAPTERS = (
    ("Kubernetes: profiles", CHOICES),
    ("Kubernetes: storage", STORAGE),
    ("Kubernetes: network", NETWORK),
    ("Kubernetes: nodes and images", SCHEDULING),
    ("Kubernetes: namespace and defaults", PLACE),
    ("Kubernetes: add-ons and Helm values", ESCAPES),
)
