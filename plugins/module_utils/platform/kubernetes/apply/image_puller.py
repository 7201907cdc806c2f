# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds up the image pullers of the chart, which Helm waits for before it changes anything.

With ``prePuller.hook.enabled``, a DaemonSet pulls the images of sessions on all nodes, and a Job waits for all of its
pods; a single node, or image, that does not work holds up the deploy, and Helm only says that a hook took too long.
"""

from __future__ import annotations

from ....common.text import plural
from ...errors import PlatformError
from ..api.client import KubernetesApi
from .evidence import Evidence, Mask
from .failures import pod_finding, pod_progress
from .findings import condition, name_of, uid_of
from .workloads import is_ending

_PULLER, _AWAITER = "hook-image-puller", "image-awaiter"


def image_puller_problem(api: KubernetesApi, namespace: str, release: str, mask: Mask = lambda text: text) -> str:
    """Return in one line what the image pullers of a release wait for, "" where none runs, or nothing is known.

    To be asked while Helm runs, or after its time is over, and before the next try, which removes them.
    """
    evidence = Evidence(api, namespace, mask)
    try:
        selector = f"component in ({_PULLER},{_AWAITER}),release={release}"
        pods = api.list(evidence.path("pods"), selector)
        unready = [pod for pod in pods if not is_ending(pod) and condition(pod, "Ready").get("status") != "True"]
        if not unready:
            return ""
        events = evidence.events(unready)
        reasons = [(pod, pod_finding(pod, events[uid_of(pod)])) for pod in unready]
        # A reason is worth more than that another node is still pulling.
        reasons.sort(key=lambda each: each[1] is None)
        pod, finding = reasons[0]
        where = f"node {pod['spec']['nodeName']}: " if pod["spec"].get("nodeName") else ""
        if finding:
            what = evidence.explained(pod, finding)
        else:
            what = evidence.line(f"pod {name_of(pod)} {pod_progress(pod, events[uid_of(pod)])}")
        return f"{plural(len(unready), 'image puller')} of {len(pods)} not ready: {where}{what}"
    except PlatformError:
        return ""
