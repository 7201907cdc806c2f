# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster_* variables."""

from __future__ import annotations

from ..fleet.window import PATTERN as WINDOW_PATTERN
from ..fleet.window import TEXT as WINDOW_TEXT
from .kubernetes_options import LABEL_PATTERN, LABEL_TEXT, VERSION_PATTERN
from .option import SERVER, Option, element
from .option import kubernetes_option as _option

#: The chart version that a release of this collection is made for; it is recorded in roles/hub/files/charts.
DEFAULT_CHART_VERSION = "4.4.0"

ANYWHERE = (
    Option(
        "cluster_platform",
        "str",
        (
            "What the hubs of the cluster run on.",
            "C(server) - processes on one machine.",
            "C(kubernetes) - pods, by the zero-to-jupyterhub chart.",
        ),
        default="server",
        choices=("server", "kubernetes"),
    ),
    Option(
        "cluster_maintenance_windows",
        "list",
        (
            "When hubs of the cluster may be changed, in the time zone of the controller; always when unset.",
            "A deploy outside of them is refused, but for C(-e outside_window=true).",
        ),
        default=(),
        elements=element("str", pattern=WINDOW_PATTERN, pattern_text=WINDOW_TEXT),
        example='["Sun 02:00-06:00"]',
    ),
)

MACHINE = (
    Option(
        "cluster_host",
        "str",
        (
            "The machine.",
            "C(localhost) is where Ansible runs; other machines are not supported yet.",
        ),
        default="localhost",
        choices=("localhost",),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_state_directory",
        "machine_path",
        (
            "Directory for everything that the cluster keeps on the machine.",
            "Unset, C(/var/lib/hubfleet/CLUSTER) as root and C(~/.local/share/hubfleet/CLUSTER) else.",
        ),
        home=True,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_isolation",
        "str",
        (
            "What keeps users apart.",
            "C(auto) - system users as root, bubblewrap else.",
            "C(system-users) - one account of the machine per user; needs root.",
            "C(bubblewrap) - one sandbox per server; needs the package bubblewrap.",
            "C(none) - nothing: every user can read every file and token of the others. One trusted user only.",
        ),
        default="auto",
        choices=("auto", "system-users", "bubblewrap", "none"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_supervisor",
        "str",
        (
            "What keeps the hubs' services running.",
            "C(auto) - systemd where it is the machine's first process, supervisord else.",
        ),
        default="auto",
        choices=("auto", "systemd", "supervisord"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_python",
        "machine_path",
        (
            "Python 3.10 or newer that environments are made from; users must be able to read it.",
            "Unset, /usr/bin/python3 if it is new enough, else the newest in /usr/bin or /usr/local/bin.",
        ),
        example="/usr/bin/python3.13",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_history",
        "int",
        ("How many deploys of each hub are remembered, to see and to go back to.",),
        default=10,
        minimum=2,
        maximum=1000,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_package_index",
        "url",
        (
            "Python package index, in the form that pip and uv take.",
            "Unset, what the machine is set up for.",
        ),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_npm_registry",
        "url",
        ("npm registry.", "Unset, what the machine is set up for."),
        platforms=(SERVER,),
    ),
)

_HELM_VALUES = "Values of the zero-to-jupyterhub chart for all hubs of the {}, by Helm's rules; see O(hub_helm_values)."


ORCHESTRATOR = (
    _option(
        "cluster_rights",
        "str",
        "What those who deploy may do.",
        "C(cluster-admin) - everything.",
        "C(namespace) - only what one namespace holds; parts of the chart that need more are left out.",
        "C(read-only) - look; hubs can be validated, planned and checked.",
        default="cluster-admin",
        choices=("cluster-admin", "namespace", "read-only"),
    ),
    _option(
        "cluster_chart",
        "str",
        "The zero-to-jupyterhub chart - its name in the repository, an OCI address, or the path of a directory or"
        " archive, absolute or relative to the inventory directory.",
        default="jupyterhub",
        pattern=r"oci://\S+|(?!\w+://)\S.*",
        pattern_text="a name in cluster_chart_repository, an address that starts with oci://, or a path",
        example="oci://registry.example.org/charts/jupyterhub",
    ),
    _option(
        "cluster_chart_version",
        "str",
        "Version of the chart.",
        "What a release of this collection pins is the newest that it was tested with.",
        default=DEFAULT_CHART_VERSION,
        pattern=VERSION_PATTERN,
        pattern_text="a version such as 4.4.0",
    ),
    _option(
        "cluster_chart_repository",
        "url",
        "Helm repository that holds the chart.",
        default="https://hub.jupyter.org/helm-chart/",
    ),
    _option(
        "cluster_kubernetes_version",
        "str",
        "Version of Kubernetes that manifests are rendered for and checked against.",
        default="1.33",
        pattern=r"1[.][0-9]{2}([.][0-9]+)?",
        pattern_text="a version such as 1.33",
    ),
    _option(
        "cluster_storage_class",
        "str",
        "Storage class of volumes of users and hubs, unless the hub names another.",
    ),
    _option(
        "cluster_route",
        "str",
        "How people's browsers come to the hubs that have a domain.",
        "C(none) - someone else's business; hubs can be reached inside of the cluster.",
        "C(ingress) - an ingress controller.",
        "C(gateway) - an HTTPRoute of the Gateway API.",
        "C(load-balancer) - a load balancer per hub, which gets its certificate from Let's Encrypt.",
        default="none",
        choices=("none", "ingress", "gateway", "load-balancer"),
    ),
    _option("cluster_ingress_class", "str", "Ingress class; the cluster's default when unset."),
    _option(
        "cluster_ingress_annotations",
        "dict",
        "Annotations of every hub's ingress.",
        elements=element("str"),
    ),
    _option(
        "cluster_certificate_issuer",
        "str",
        "The ClusterIssuer of cert-manager that makes the hubs' certificates, with C(ingress).",
    ),
    _option(
        "cluster_gateway",
        "dict",
        "The gateway that routes hang on, with C(gateway).",
        options=(
            Option("name", "str", ("Its name.",), required=True, pattern=LABEL_PATTERN, pattern_text=LABEL_TEXT),
            Option("namespace", "str", ("Its namespace.",), pattern=LABEL_PATTERN, pattern_text=LABEL_TEXT),
            Option("section", "str", ("The listener.",)),
        ),
        example="{name: shared, namespace: gateways, section: https}",
    ),
    _option(
        "cluster_acme_contact",
        "str",
        "E-mail address that Let's Encrypt writes to, with C(load-balancer).",
        pattern=r"[^@\s]+@[^@\s]+[.][^@\s]+",
        pattern_text="an e-mail address",
    ),
    _option(
        "cluster_core_node_selector",
        "dict",
        "Labels of the nodes that hubs and proxies run on.",
        elements=element("str"),
    ),
    _option("cluster_helm_values", "values", _HELM_VALUES.format("cluster")),
    # In group_vars/all.yml it is there for clusters of machines, too, which have no use for it.
    Option("fleet_helm_values", "values", (_HELM_VALUES.format("fleet"),)),
)

#: By chapter, in the order of the reference. fleet_* variables are checked like those of a cluster.
CLUSTER_CHAPTERS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    ("Clusters", ANYWHERE),
    ("Clusters: one machine", MACHINE),
    ("Clusters: Kubernetes", ORCHESTRATOR),
)
CLUSTER_OPTIONS = tuple(option for _title, chapter in CLUSTER_CHAPTERS for option in chapter)
