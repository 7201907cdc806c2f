# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster_* variables."""

from __future__ import annotations

from .kubernetes_options import LABEL_PATTERN, LABEL_TEXT, SUBDOMAIN_PATTERN, SUBDOMAIN_TEXT, VERSION_PATTERN
from .maintenance_window import PATTERN as WINDOW_PATTERN
from .maintenance_window import TEXT as WINDOW_TEXT
from .model import LOCALHOST
from .option import KUBERNETES, SERVER, Option, element
from .option import kubernetes_option as _option
from .reverse_proxy_options import REVERSE_PROXY

#: The chart version that a release of this collection is made for; it is recorded in roles/hub/files/charts.
DEFAULT_CHART_VERSION = "4.4.0"

#: Minor versions of configurable-http-proxy that roles/cluster/files/locks holds locks of.
PROXY_VERSIONS = ("5.2", "5.3")

COMMON = (
    Option(
        "cluster_platform",
        "str",
        (
            "Platform that the hubs of the cluster run on.",
            "C(server) - processes on one machine.",
            "C(kubernetes) - pods, deployed with the zero-to-jupyterhub chart.",
        ),
        default="server",
        choices=("server", "kubernetes"),
    ),
    Option(
        "cluster_maintenance_windows",
        "list",
        (
            "Times when hubs of the cluster may be changed, in the time zone of the controller; unset, at any time.",
            "A deploy outside of them is refused, unless it is run with C(-e ignore_maintenance_window=true).",
        ),
        default=(),
        elements=element("str", pattern=WINDOW_PATTERN, pattern_text=WINDOW_TEXT),
        example='["Sun 02:00-06:00"]',
    ),
    Option(
        "cluster_acme_contact",
        "str",
        (
            "E-mail address that the ACME server may send notifications to.",
            "Used by the reverse proxy with C(acme), and required by C(load-balancer) on Kubernetes.",
        ),
        pattern=r"[^@\s]+@[^@\s]+[.][^@\s]+",
        pattern_text="an e-mail address",
    ),
    Option(
        "cluster_history_limit",
        "int",
        ("Number of deploys of each hub that are kept for status and rollback.",),
        default=10,
        minimum=2,
        maximum=1000,
    ),
)

MACHINE = (
    Option(
        "cluster_host",
        "str",
        (
            "Host name or address of the machine.",
            "C(localhost) is the controller. Ansible connects to other machines over SSH, with its own connection"
            " variables, such as C(ansible_user), C(ansible_port) and C(ansible_become).",
            "Defaults to C(ansible_host) if that is set, otherwise to C(localhost).",
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
            "Directory of all files of the cluster on the machine; empty or missing before the first deploy.",
            "Defaults to C(/var/lib/hubfleet/CLUSTER) for root, otherwise to C(~/.local/share/hubfleet/CLUSTER).",
        ),
        home=True,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_isolation",
        "str",
        (
            "How users are isolated from each other.",
            "C(auto) - C(system-users) for root, otherwise C(bubblewrap).",
            "C(system-users) - a system account per user; requires root.",
            "C(systemd) - a dynamic user ID and a private view of the file system per server; requires root and"
            " systemd.",
            "C(bubblewrap) - a sandbox per server; requires the package bubblewrap.",
            "C(none) - no isolation: every user can read the files and tokens of the others. For a single trusted user"
            " only.",
        ),
        default="auto",
        choices=("auto", "system-users", "systemd", "bubblewrap", "none"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_supervisor",
        "str",
        (
            "Supervisor of the hubs' services.",
            "C(auto) - systemd if it is the init system of the machine, otherwise supervisord.",
        ),
        default="auto",
        choices=("auto", "systemd", "supervisord"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_python",
        "str",
        (
            "Python 3.10 or newer that environments are created with; users must be able to read it.",
            'A version such as C("3.13"), searched for in /usr/local/bin, /usr/bin and /bin, or a path.',
            "Defaults to /usr/bin/python3 if it is new enough, otherwise to the newest one in /usr/bin or"
            " /usr/local/bin.",
        ),
        pattern=r"3[.][1-9][0-9]|/(?!.*/[.][.](/|$))[^\0\n]+",
        pattern_text='a version from "3.10" on, in quotes, or an absolute path without ..',
        example='"3.13"',
        platforms=(SERVER,),
    ),
    Option(
        "cluster_proxy_version",
        "str",
        ("Version of configurable-http-proxy; users' servers keep running when it changes.",),
        default=PROXY_VERSIONS[-1],
        choices=PROXY_VERSIONS,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_package_index",
        "url",
        (
            "URL of the Python package index, as for pip and uv.",
            "Defaults to the configuration of the machine. For images, to that of the controller - variables such as"
            " C(UV_DEFAULT_INDEX), or C(/etc/uv/uv.toml).",
        ),
    ),
    Option(
        "cluster_conda_channel_alias",
        "url",
        (
            "URL that channels of an C(environment.yml) are relative to, like C(channel_alias) of conda; for example of"
            " a mirror of conda-forge.",
            "Defaults to C(https://conda.anaconda.org/).",
        ),
        example="https://mirror.example.org/conda/",
    ),
    Option(
        "cluster_npm_registry",
        "url",
        ("URL of the npm registry.", "Defaults to the configuration of the machine."),
        platforms=(SERVER,),
    ),
)

#: The retention policy in restic's words: key, default, minimum, description.
_KEEP = (
    ("last", 3, 1, "Number of the latest backups to keep."),
    ("daily", 7, 0, "Number of days to keep the latest backup of."),
    ("weekly", 4, 0, "Number of weeks to keep the latest backup of."),
    ("monthly", 6, 0, "Number of months to keep the latest backup of."),
)

BACKUPS = (
    Option(
        "cluster_backup_repository",
        "str",
        (
            "Restic repository for backups of the hubs; unset, no backups are made.",
            "A directory of the machine, preferably on another disk, or a URL such as C(sftp:), C(s3:) or C(rest:).",
            "Backups of hubs on Kubernetes are made by pods, which only reach C(s3:), C(rest:), C(b2:), C(azure:),"
            " C(gs:) and C(swift:).",
            "Requires O(cluster_backup_password).",
        ),
        pattern=r"(/|sftp:|rest:https?://|s3:|b2:|azure:|gs:|swift:|rclone:)\S+",
        pattern_text="an absolute path on the machine or a restic repository such as sftp:backup@host:/srv/hubs",
        example="sftp:backup@storage.example.org:/srv/hubs",
    ),
    Option(
        "cluster_backup_password",
        "str",
        (
            "Password that restic encrypts the backups with.",
            "Keep a copy in another place; without it, no backup can be read.",
        ),
        secret=True,
    ),
    Option(
        "cluster_backup_environment",
        "dict",
        ("Environment variables of restic for the repository, such as C(AWS_SECRET_ACCESS_KEY).",),
        elements=element("str"),
    ),
    Option(
        "cluster_backup_schedule",
        "str",
        (
            "Schedule of backups, in the time zone of the machine.",
            "C(never), C(hourly), C(daily 02:30), or a day of the week, such as C(Sun 02:30).",
            "Uses a systemd timer if the machine runs systemd, otherwise cron.",
        ),
        default="never",
        pattern=r"never|hourly|(daily|Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01][0-9]|2[0-3]):[0-5][0-9]",
        pattern_text="never, hourly, or a time such as 'daily 02:30' or 'Sun 02:30'",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_backup_keep",
        "dict",
        ("Number of backups of each hub to keep (retention policy).",),
        options=tuple(Option(key, "int", (text,), default=count, minimum=least) for key, count, least, text in _KEEP),
        default={key: count for key, count, _least, _text in _KEEP},
    ),
    Option(
        "cluster_backup_homes",
        "bool",
        ("Whether backups include the users' home directories.",),
        default=True,
    ),
    Option(
        "cluster_backup_image",
        "str",
        ("Image with restic for the pods that make backups; C(sh), C(cp) and restic are all that they use of it.",),
        default="docker.io/restic/restic:0.18.1",
        example="registry.example.org/restic:0.18.1",
        platforms=(KUBERNETES,),
    ),
)

_HELM_VALUES = "Values of the zero-to-jupyterhub chart for all hubs of the {}; see O(hub_helm_values)."


KUBERNETES_CLUSTER = (
    _option(
        "cluster_image_registry",
        "str",
        "Registry that the playbook C(environments) pushes images of environments to - its host and a path, without"
        " a scheme; each environment is a repository below it. C(http://) in front means that it has no TLS.",
        "Credentials are those of C(docker login) or C(podman login). Where the cluster's nodes need some to"
        " pull, set C(imagePullSecret) of the chart in O(cluster_helm_values).",
        pattern=r"(http://)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]+([-._][a-z0-9]+)*)+",
        pattern_text="a host and a path such as registry.example.org/hubs",
        example="registry.example.org/hubs",
    ),
    _option(
        "cluster_base_image",
        "image",
        "Image of Linux that environments are built on. It needs bash and Python 3.10 or newer; JupyterLab and"
        " JupyterHub are installed into each environment.",
        "Unset, the image of the chart for sessions.",
        example="quay.io/jupyter/docker-stacks-foundation:2026-11-24",
    ),
    _option(
        "cluster_kubeconfig",
        "str",
        "Kubeconfig that leads to the cluster - its path, absolute or starting with C(~/), or its content, encrypted.",
        "Unset, the rules of kubectl apply - the environment variable C(KUBECONFIG), else C(~/.kube/config), else the"
        " service account of the pod that this runs in.",
        pattern=r"(?s)[~/]\S*|.*\n.*|[{].*[}]\s*",
        pattern_text="an absolute path, a path that starts with ~/, or the content of a kubeconfig",
        example="~/.kube/research.yml",
    ),
    _option(
        "cluster_context",
        "str",
        "Context of the kubeconfig; set it where the kubeconfig may have another current context one day.",
        example="gke_research",
    ),
    _option(
        "cluster_permissions",
        "str",
        "Permissions of the account that deploys.",
        "C(cluster-admin) - everything.",
        "C(namespace) - permissions in one namespace; parts of the chart that need more are left out.",
        "C(read-only) - read access; hubs can be validated, planned and checked, but not deployed.",
        default="cluster-admin",
        choices=("cluster-admin", "namespace", "read-only"),
    ),
    _option(
        "cluster_chart",
        "str",
        "The zero-to-jupyterhub chart: its name in the repository, an OCI reference, or the path of a directory or"
        " archive, absolute or relative to the inventory directory.",
        default="jupyterhub",
        pattern=r"oci://\S+|(?!\w+://)\S.*",
        pattern_text="a name in cluster_chart_repository, a reference that starts with oci://, or a path",
        example="oci://registry.example.org/charts/jupyterhub",
    ),
    _option(
        "cluster_chart_version",
        "str",
        "Version of the chart.",
        "The default is the latest version that this release of the collection was tested with.",
        default=DEFAULT_CHART_VERSION,
        pattern=VERSION_PATTERN,
        pattern_text="a version such as 4.4.0",
    ),
    _option(
        "cluster_chart_repository",
        "url",
        "Helm repository of the chart.",
        default="https://hub.jupyter.org/helm-chart/",
    ),
    _option(
        "cluster_kubernetes_version",
        "str",
        "Kubernetes version that manifests are rendered for and validated against.",
        default="1.33",
        pattern=r"1[.][0-9]{2}([.][0-9]+)?",
        pattern_text="a version such as 1.33",
    ),
    _option(
        "cluster_storage_class",
        "str",
        "Storage class of the volumes of users and hubs, unless the hub sets another.",
    ),
    _option(
        "cluster_exposure",
        "str",
        "How hubs with a domain are exposed outside the cluster.",
        "C(none) - not by this collection; hubs are only reachable inside the cluster.",
        "C(ingress) - an Ingress for an ingress controller.",
        "C(gateway) - an HTTPRoute of the Gateway API.",
        "C(load-balancer) - a load balancer per hub, with a certificate from Let's Encrypt.",
        default="none",
        choices=("none", "ingress", "gateway", "load-balancer"),
    ),
    _option("cluster_ingress_class", "str", "Ingress class; defaults to the default class of the cluster."),
    _option(
        "cluster_ingress_annotations",
        "dict",
        "Annotations of the Ingress of every hub.",
        elements=element("str", prose=True),
    ),
    _option(
        "cluster_certificate_issuer",
        "str",
        "ClusterIssuer of cert-manager that issues the hubs' certificates, with C(ingress).",
    ),
    _option(
        "cluster_gateway",
        "dict",
        "Gateway that the routes are attached to, with C(gateway).",
        options=(
            Option(
                "name",
                "str",
                ("Name of the Gateway.",),
                required=True,
                pattern=SUBDOMAIN_PATTERN,
                pattern_text=SUBDOMAIN_TEXT,
            ),
            Option("namespace", "str", ("Namespace of the Gateway.",), pattern=LABEL_PATTERN, pattern_text=LABEL_TEXT),
            Option("section", "str", ("Listener of the Gateway (sectionName).",)),
        ),
        example="{name: shared, namespace: gateways, section: https}",
    ),
    _option(
        "cluster_core_node_selector",
        "dict",
        "Node selector of the hubs and proxies.",
        elements=element("str"),
    ),
    _option("cluster_helm_values", "values", _HELM_VALUES.format("cluster")),
    # Set in group_vars/all.yml, it is also a variable of clusters of the platform server, which ignore it.
    Option("fleet_helm_values", "values", (_HELM_VALUES.format("fleet"),)),
)

#: By chapter, in the order of the reference. fleet_* variables are checked like those of a cluster.
CLUSTER_CHAPTERS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    ("Clusters", COMMON),
    ("Clusters: one machine", MACHINE),
    ("Clusters: backups", BACKUPS),
    ("Clusters: the reverse proxy of a machine", REVERSE_PROXY),
    ("Clusters: Kubernetes", KUBERNETES_CLUSTER),
)
CLUSTER_OPTIONS = tuple(option for _title, chapter in CLUSTER_CHAPTERS for option in chapter)
