# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes clusters of one node for tests, on this machine, without a container engine and without images of others.

    programs.py       build Kubernetes and what it needs from Go modules, once
    images.py         build the images that pods run, once
    base_image.py     build the image that images of environments start from, once
    networks.py       a network namespace for each cluster
    credentials.py    certificates and kubeconfig files
    configuration.py  the configuration of each program
    cluster.py        start and stop a cluster
    api_server.py     an API server alone, without nodes

``scripts/kubernetes-cluster`` is the command; ``make kubernetes-cluster`` calls it.
"""
