# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that Helm, the chart and KubeSpawner write on objects."""

from __future__ import annotations

#: Annotations of Helm, on every object of a release.
RELEASE_NAME, RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
#: Pods of users' servers.
SESSIONS = "component=singleuser-server"
#: Annotation of KubeSpawner, on everything that it makes for a user; a label of pods, too.
USER = "hub.jupyter.org/username"
