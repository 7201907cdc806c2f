# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of hub_* variables that mean something on Kubernetes only."""

from __future__ import annotations

from typing import Any

from .catalogue_options import CHOICE_PATTERN, CHOICE_TEXT, NAME_PATTERN, NAME_TEXT
from .option import Option, element, names
from .option import kubernetes_option as _option
from .profile_options import PROFILE

#: A name of Kubernetes (RFC 1123 label).
LABEL_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
LABEL_TEXT = "a name of Kubernetes: at most 63 lower-case letters, digits and '-'"
VERSION_PATTERN = r"v?[0-9]+[.][0-9]+[.][0-9]+([-+][-+.0-9A-Za-z]+)?"


def _label(name: str, *text: str, **more: Any) -> Option:
    return _option(name, "str", *text, pattern=LABEL_PATTERN, pattern_text=LABEL_TEXT, **more)


CHOICES = (
    _option(
        "hub_profiles",
        "list",
        "What users choose from, where every environment in every size is not what is wanted.",
        "Then a list of one in O(hub_environments) or O(hub_sizes) is what a session is that no profile changes, and"
        " a longer one, such as a group's, is not used.",
        elements=element("dict", options=PROFILE),
        example="[{title: CPU, environments: [python, r], sizes: [small, large]},"
        " {title: GPU, environments: [pytorch], sizes: [gpu], allowed_groups: [gpu-users]}]",
    ),
    _option(
        "hub_unlisted_image",
        "bool",
        "Lets users name an image of their own, beside O(hub_environments).",
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
_MOUNT = (
    Option("path", "machine_path", ("Where sessions see it.",), required=True),
    Option("subpath", "str", ("The part of it that sessions see; C({username}) is the user's name.",)),
    Option("read_only", "bool", ("Whether sessions can only read it; they can write when unset.",)),
)

STORAGE = (
    _option(
        "hub_home_storage",
        "str",
        "Where the users' homes are.",
        "C(dynamic) - a volume of its own for each user, made by the cluster's storage class.",
        "C(claim) - one volume claim that is there already, a directory in it for each user.",
        "C(nfs) - an NFS export, a directory in it for each user.",
        "C(none) - nowhere; homes end with the session.",
        "Unset, C(dynamic); that needs O(hub_home_storage_class) or O(cluster_storage_class).",
        choices=("dynamic", "claim", "nfs", "none"),
    ),
    _option(
        "hub_home_capacity",
        "quantity",
        "Size of a user's volume, with C(dynamic); a full home cannot grow by itself.",
        default="10Gi",
    ),
    _option("hub_home_storage_class", "str", "Storage class of the users' volumes, with C(dynamic)."),
    _label("hub_home_claim", "The volume claim, with C(claim)."),
    _option(
        "hub_home_nfs",
        "dict",
        "The export, with C(nfs).",
        options=_NFS.options,
        example="{server: 10.0.0.4, path: /export/homes}",
    ),
    _option(
        "hub_home_subpath",
        "str",
        "A user's directory in the claim or export.",
        "C({username}) is the user's name, made safe for file names.",
        default="{username}",
    ),
    _option("hub_home_mount_path", "machine_path", "Where sessions see the home.", default="/home/jovyan"),
    _option(
        "hub_shared_directories",
        "dict",
        "Directories beside the homes, in the same claim or export, that all users see.",
        elements=element("dict", options=_MOUNT),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example="{shared: {path: /home/jovyan/shared, subpath: _shared, read_only: true}}",
    ),
    _option(
        "hub_volumes",
        "dict",
        "More volumes of sessions.",
        elements=element(
            "dict",
            options=(
                *_MOUNT,
                Option("volume", "dict", ("The volume, as in a pod, without its name.",), required=True),
            ),
        ),
        pattern=NAME_PATTERN,
        pattern_text=NAME_TEXT,
        example="{scratch: {path: /scratch, volume: {emptyDir: {sizeLimit: 10Gi}}}}",
    ),
    _option(
        "hub_files",
        "dict",
        "Files in every session.",
        "What only some may read must not be here: sessions can read all of it.",
        elements=element(
            "dict",
            options=(
                Option("path", "machine_path", ("Where sessions see it.",), required=True),
                Option("content", "str", ("Its text.",), required=True),
                Option(
                    "mode",
                    "int",
                    ("Its mode, such as 0644.",),
                    minimum=0,
                    maximum=0o777,
                    pattern_text="a file's mode such as 0644",
                ),
            ),
        ),
        pattern=CHOICE_PATTERN,
        pattern_text=CHOICE_TEXT,
        example="{welcome: {path: /home/jovyan/welcome.txt, content: Hello}}",
    ),
    _option(
        "hub_buckets",
        "dict",
        "Object storage of users, told to sessions by environment variables; each user has a prefix of their own.",
        "What a session may do with it is decided by O(hub_user_service_account).",
        elements=element(
            "str",
            pattern=r"(s3|gs|az|abfs)://\S+[^/\s]",
            pattern_text="a bucket such as s3://bucket or gs://bucket/path",
        ),
        pattern=r"[A-Za-z_][A-Za-z0-9_]*",
        pattern_text="the name of an environment variable",
        example="{SCRATCH_BUCKET: s3://research-scratch}",
    ),
    _label(
        "hub_user_service_account",
        "Service account of sessions, for workload identity; it must be there already.",
        "Unset, sessions have no rights in the cluster and none in the cloud.",
    ),
    _option(
        "hub_database_storage",
        "quantity",
        "Size of the volume that holds the hub's database.",
        default="1Gi",
    ),
    _option("hub_database_storage_class", "str", "Storage class of that volume."),
)

NETWORK = (
    _option(
        "hub_user_egress",
        "dict",
        "Where sessions may connect to, beside the hub itself.",
        options=(
            Option("internet", "bool", ("Addresses that are not private.",)),
            Option("private", "bool", ("Private addresses, other pods and services included.",)),
            Option("metadata", "bool", ("The cloud's metadata server, which hands out the node's rights.",)),
        ),
        example="{internet: true, private: false, metadata: false}",
    ),
    _option(
        "hub_block_metadata_with_iptables",
        "bool",
        "Blocks the cloud's metadata server in each session by a privileged init container, too.",
        "Namespaces under the restricted Pod Security Standard refuse that; the network policy does the same where"
        " the cluster enforces policies.",
        default=True,
    ),
    _label(
        "hub_tls_secret",
        "Secret in the hub's namespace that holds its TLS certificate.",
        "Unset, C(HUB-tls), which cert-manager fills with O(cluster_certificate_issuer).",
    ),
)

SCHEDULING = (
    _option(
        "hub_node_selector",
        "dict",
        "Labels of the nodes that sessions run on.",
        elements=element("str"),
        example="{hub.jupyter.org/node-purpose: user}",
    ),
    _option(
        "hub_tolerations",
        "list",
        "More taints of nodes that sessions tolerate, as in a pod.",
        elements=element("dict"),
    ),
    _option(
        "hub_user_scheduler",
        "bool",
        "Packs sessions onto few nodes, so that the others can be given back.",
        "Needs rights in the whole cluster.",
        default=True,
    ),
    _option(
        "hub_user_placeholders",
        "int",
        "Sessions' worth of room kept free, so that people need not wait for a node; needs pod priorities.",
        default=0,
        minimum=0,
        maximum=10000,
    ),
    _option(
        "hub_pod_priority",
        "bool",
        "Lets sessions push placeholders aside; needs rights in the whole cluster.",
        default=False,
    ),
    _option(
        "hub_prepull_on_deploy",
        "bool",
        "Pulls the images to all nodes before a deploy goes on.",
        default=False,
    ),
    _option(
        "hub_prepull_on_new_nodes",
        "bool",
        "Pulls the images to every node as it appears.",
        default=True,
    ),
)

PLACE = (
    _label("hub_namespace", "Namespace of the hub; its inventory name when unset."),
    _label("hub_release", "Name of the Helm release; the hub's inventory name when unset."),
    _option(
        "hub_chart_version",
        "str",
        "Version of the chart, where this hub tries another than O(cluster_chart_version).",
        pattern=VERSION_PATTERN,
        pattern_text="a version such as 4.4.0",
    ),
    _label(
        "hub_service_account",
        "Service account of the hub itself, where O(cluster_permissions) do not allow to make one.",
        "It must be there already, with the rights that the chart's role holds.",
    ),
    _option(
        "hub_defaults_source",
        "str",
        "What an option means that is not set.",
        "C(collection) - what this reference says.",
        "C(chart) - what the chart does; only what is set is written into its values. Imported hubs have this.",
        choices=("collection", "chart"),
        default="collection",
    ),
    _option(
        "hub_pending_secrets",
        "list",
        "Files with secrets that are still to be brought into the inventory.",
        "Until it is empty the hub can be validated and rendered, with secrets missing, but not deployed.",
        default=(),
        elements=names(),
    ),
)

#: Add-ons are described in platform/kubernetes/addons.py, apart from what every one of them has.
ADDON = (
    Option("chart", "str", ("Chart - its name in the repository, an OCI address, or a path.",)),
    Option("version", "str", ("Version of the chart.",)),
    Option("repository", "url", ("Helm repository of the chart.",)),
    Option("settings", "dict", ("Settings of add-ons that are known by name; see below.",), default={}),
    Option("values", "values", ("Helm values of the add-on, over everything else.",), default={}),
)

ESCAPES = (
    _option(
        "hub_addons",
        "dict",
        "Releases beside the hub, by name.",
        "Known by name, with chart and version - see the list of add-ons; others name their chart.",
        elements=element("dict", options=ADDON),
        pattern=LABEL_PATTERN,
        pattern_text=LABEL_TEXT,
        default={},
        example="{dask-gateway: {settings: {scheduler_memory: 2G}}}",
    ),
    _option(
        "hub_ignored_problems",
        "list",
        "Places in the chart's values, or in what options hand on to KubeSpawner, whose problems are told, but stop"
        " nothing.",
        "C(hub_chart_version) or C(cluster_chart_version) stands for a version of the chart that nothing is known of.",
        "Imports name here what was wrong before.",
        default=(),
        elements=names(),
        example="[hub.config.GoogleOAuthenticator.allowed_hosted_domains]",
    ),
    _option(
        "hub_helm_values",
        "values",
        "Values of the zero-to-jupyterhub chart, over everything else, by Helm's rules - mappings merge, lists"
        " replace, null deletes the chart's default.",
        "Above O(cluster_helm_values), which is above O(fleet_helm_values), which is above what the other options"
        " make.",
        example="{hub: {resources: {requests: {memory: 512Mi}}}}",
    ),
)

#: By chapter, in the order of the reference.
KUBERNETES_CHAPTERS = (
    ("Kubernetes: choices", CHOICES),
    ("Kubernetes: storage", STORAGE),
    ("Kubernetes: network", NETWORK),
    ("Kubernetes: nodes and images", SCHEDULING),
    ("Kubernetes: namespace and defaults", PLACE),
    ("Kubernetes: add-ons and Helm values", ESCAPES),
)
