# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster_* variables."""

from __future__ import annotations

from .kubernetes_options import LABEL_PATTERN, LABEL_TEXT, VERSION_PATTERN
from .maintenance_window import PATTERN as WINDOW_PATTERN
from .maintenance_window import TEXT as WINDOW_TEXT
from .model import LOCALHOST
from .option import SERVER, Option, element
from .option import kubernetes_option as _option
from .reverse_proxy_options import REVERSE_PROXY

#: The chart version that a release of this collection is made for; it is recorded in roles/hub/files/charts.
DEFAULT_CHART_VERSION = "4.4.0"

#: Minor versions of configurable-http-proxy that roles/cluster/files/locks holds locks of.
PROXY_VERSIONS = ("5.2", "5.3")

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
            "A deploy outside of them is refused, but for C(-e ignore_maintenance_window=true).",
        ),
        default=(),
        elements=element("str", pattern=WINDOW_PATTERN, pattern_text=WINDOW_TEXT),
        example='["Sun 02:00-06:00"]',
    ),
    Option(
        "cluster_acme_contact",
        "str",
        (
            "E-mail address that the certificate authority may write to.",
            "For C(acme) of a reverse proxy, and for C(load-balancer) on Kubernetes, which needs it.",
        ),
        pattern=r"[^@\s]+@[^@\s]+[.][^@\s]+",
        pattern_text="an e-mail address",
    ),
)

MACHINE = (
    Option(
        "cluster_host",
        "str",
        (
            "The machine.",
            "C(localhost) is where Ansible runs. Others are reached by ssh, and by what Ansible's own variables say"
            " of it, such as C(ansible_user), C(ansible_port) and C(ansible_become).",
            "Unset, C(ansible_host) if that is set, else C(localhost).",
        ),
        default=LOCALHOST,
        pattern=r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*",
        pattern_text="a host name or an address",
        example="hub1.example.org",
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
            "C(systemd) - user ids that exist while servers run, each with a view of its own of the machine; needs root"
            " and systemd.",
            "C(bubblewrap) - one sandbox per server; needs the package bubblewrap.",
            "C(none) - nothing: every user can read every file and token of the others. One trusted user only.",
        ),
        default="auto",
        choices=("auto", "system-users", "systemd", "bubblewrap", "none"),
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
        "str",
        (
            "Python 3.10 or newer that environments are made from; users must be able to read it.",
            'A version such as C("3.13"), looked for in /usr/local/bin, /usr/bin and /bin, or the path of one.',
            "Unset, /usr/bin/python3 if it is new enough, else the newest in /usr/bin or /usr/local/bin.",
        ),
        pattern=r"3[.][1-9][0-9]|/(?!.*/[.][.](/|$))[^\0\n]+",
        pattern_text='a version from "3.10" on, in quotes, or an absolute path without ..',
        example='"3.13"',
        platforms=(SERVER,),
    ),
    Option(
        "cluster_proxy_version",
        "str",
        ("Version of configurable-http-proxy that stands in front of the hubs; users' servers go on when it changes.",),
        default=PROXY_VERSIONS[-1],
        choices=PROXY_VERSIONS,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_history_limit",
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

#: restic's words for what stays: the newest ones, and the newest of so many days, weeks and months.
_KEEP = (
    ("last", 3, 1, "The newest ones, of whatever age."),
    ("daily", 7, 0, "The newest of each of so many days."),
    ("weekly", 4, 0, "The newest of each of so many weeks."),
    ("monthly", 6, 0, "The newest of each of so many months."),
)

BACKUPS = (
    Option(
        "cluster_backup_repository",
        "str",
        (
            "Repository of restic for backups of the hubs; unset, there are no backups.",
            "A directory of the machine, best on another disk, or an address such as C(sftp:), C(s3:) or C(rest:).",
            "Needs O(cluster_backup_password).",
        ),
        pattern=r"(/|sftp:|rest:https?://|s3:|b2:|azure:|gs:|swift:|rclone:)\S+",
        pattern_text="an absolute path on the machine, or an address of restic, such as sftp:backup@host:/srv/hubs",
        example="sftp:backup@storage.example.org:/srv/hubs",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_password",
        "str",
        (
            "Password that restic encrypts backups with.",
            "Keep a copy of it elsewhere; without it, no backup can be read.",
        ),
        secret=True,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_environment",
        "dict",
        ("Environment variables that restic needs for the repository, such as C(AWS_SECRET_ACCESS_KEY).",),
        elements=element("str"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_schedule",
        "str",
        (
            "When the machine makes backups by itself, in its own time zone.",
            "C(never), C(hourly), C(daily 02:30), or a day of the week, such as C(Sun 02:30).",
            "By a timer of systemd, else by cron.",
        ),
        default="never",
        pattern=r"never|hourly|(daily|Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01][0-9]|2[0-3]):[0-5][0-9]",
        pattern_text="never, hourly, or a time such as 'daily 02:30' or 'Sun 02:30'",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_keep",
        "dict",
        ("How many backups of a hub stay.",),
        options=tuple(Option(key, "int", (text,), default=count, minimum=least) for key, count, least, text in _KEEP),
        default={key: count for key, count, _least, _text in _KEEP},
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_homes",
        "bool",
        ("Whether users' homes are part of backups; not where something else saves them.",),
        default=True,
        platforms=(SERVER,),
    ),
)

_HELM_VALUES = "Values of the zero-to-jupyterhub chart for all hubs of the {}, by Helm's rules; see O(hub_helm_values)."


ORCHESTRATOR = (
    _option(
        "cluster_permissions",
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
        "cluster_exposure",
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
    ("Clusters: backups", BACKUPS),
    ("Clusters: the reverse proxy of a machine", REVERSE_PROXY),
    ("Clusters: Kubernetes", ORCHESTRATOR),
)
CLUSTER_OPTIONS = tuple(option for _title, chapter in CLUSTER_CHAPTERS for option in chapter)
