# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster_* variables."""

from __future__ import annotations

from .option import Option

CLUSTER_OPTIONS = (
    Option(
        "cluster_platform",
        "str",
        ("What the hubs of the cluster run on.", "C(server) - processes on one machine."),
        default="server",
        choices=("server",),
    ),
    Option(
        "cluster_host",
        "str",
        (
            "The machine.",
            "C(localhost) is where Ansible runs; other machines are not supported yet.",
        ),
        default="localhost",
        choices=("localhost",),
    ),
    Option(
        "cluster_state_directory",
        "machine_path",
        (
            "Directory for everything that the cluster keeps on the machine.",
            "Unset, C(/var/lib/hubfleet/CLUSTER) as root and C(~/.local/share/hubfleet/CLUSTER) else.",
        ),
        home=True,
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
    ),
    Option(
        "cluster_python",
        "machine_path",
        (
            "Python 3.10 or newer that environments are made from; users must be able to read it.",
            "Unset, /usr/bin/python3 if it is new enough, else the newest in /usr/bin or /usr/local/bin.",
        ),
        example="/usr/bin/python3.13",
    ),
    Option(
        "cluster_package_index",
        "url",
        (
            "Python package index, in the form that pip and uv take.",
            "Unset, what the machine is set up for.",
        ),
    ),
    Option("cluster_npm_registry", "url", ("npm registry.", "Unset, what the machine is set up for.")),
)
