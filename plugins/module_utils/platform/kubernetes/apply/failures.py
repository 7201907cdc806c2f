# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods do not start, run or become ready, and why they are not even made: from objects of the API to findings.

Nothing is read here. Reasons are those of the kubelet (pkg/kubelet/images, pkg/kubelet/kuberuntime and
pkg/kubelet/events in the sources of Kubernetes) and of controllers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .findings import Event, Finding, Json, condition, latest, name_of, uid_of, without
from .scheduling import Claim, without_node
from .workloads import DEPLOYMENT, Workload

#: Seconds after which a Secret or ConfigMap that does not exist will not be made by anybody.
MISSING = 15.0
#: Seconds in which a kubelet has tried a pull, a mount or a start several times.
SEVERAL_TRIES = 60.0
#: (UID of a pod, name of a container) -> how often it had been restarted before the wait began.
Restarts = Mapping[tuple[str, str], int]

_PULL = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed", "ImageInspectError")
_PULL_FAILED = "Failed to pull image"
#: A registry that says so will say so again.
_REFUSED = re.compile(
    r"not found|manifest unknown|name unknown|unauthorized|denied|forbidden|authentication required"
    r"|authorization failed|repository does not exist|invalid reference|invalid image name|no match for platform",
    re.IGNORECASE,
)
_PULL_PREFIXES = (
    r'^Back-off pulling image "[^"]*":?',
    r'^Failed to pull image "[^"]*":',
    r"^\s*ErrImagePull:",
    r"rpc error: code = \w+ desc = ",
    r'failed to pull and unpack image "[^"]*": ',
    r'failed to resolve reference "[^"]*": ',
    r"Error response from daemon: ",
    r"^\s*initializing source docker://\S+: ",
)
#: The image has no such program, which no second try changes.
_NO_PROGRAM = re.compile(r"executable file not found|exec: .*(no such file or directory|permission denied)")
_MOUNT = re.compile(r'^\w+\.\w+ failed for volume "(?P<volume>[^"]+)" : (?P<why>.*)$', re.DOTALL)
_MISSING_MOUNT = re.compile(
    r"(configmap|secret) \S+ not found|references? non-existent|No such file or directory|access denied", re.IGNORECASE
)
_ATTACHED = re.compile(r'Multi-Attach error for volume "(?P<volume>[^"]+)"')
_PROBE = re.compile(r"^(?P<probe>Readiness|Startup|Liveness) probe (?P<what>failed|errored)", re.IGNORECASE)
_NOT_MADE_PREFIXES = (
    r"^Error creating: ",
    r"^create Pod \S+ in StatefulSet \S+ failed error: ",
    r'^pods "[^"]*" is forbidden: ',
    r'^Pod "[^"]*" is invalid: ',
    r"\s*\([^()]*\bmust\b[^()]*\)",  # what Pod Security says at length of each container
)
_NOT_MADE = re.compile(r"is forbidden|is invalid|denied the request|denied request|violates PodSecurity|exceeded quota")
#: What another component has not done yet.
_NOT_YET = re.compile(r"error looking up service account|status unknown for quota")


def pod_finding(
    pod: Json, events: Sequence[Event], claims: Iterable[Claim] = (), restarts: Restarts | None = None
) -> Finding | None:
    """Return what keeps a pod from being ready, None where nothing is known, or nothing is wrong.

    events: of the pod. claims: those of the pod. restarts: of before the wait began.
    """
    if not pod["spec"].get("nodeName"):
        return without_node(pod, events, claims)
    crash = None
    for container, status in _containers(pod):
        found = _waiting(container, status, events)
        if found:
            return found
        before = (restarts or {}).get((uid_of(pod), status["name"]), 0)
        crash = crash or _crash(container, status, events, before)
        if crash and crash.patience is not None:
            return crash
    return _volume(pod, events) or _not_ready(pod, events) or crash


def pod_progress(pod: Json, events: Sequence[Event]) -> str:
    """Return what a pod without a finding is doing, to go on from its name."""
    if not pod["spec"].get("nodeName"):
        gates = pod["spec"].get("schedulingGates") or ()
        if gates:
            return f"waits for {', '.join(gate['name'] for gate in gates)}"
        scheduler = pod["spec"].get("schedulerName") or "default-scheduler"
        return "waits for a node" + ("" if scheduler == "default-scheduler" else f" from the scheduler {scheduler}")
    statuses = list(_containers(pod))
    for container, status in statuses:
        if "waiting" in (status.get("state") or {}) and _is_being_pulled(container["image"], events):
            return f"is pulling image {container['image']}"
    if _is_creating(pod):
        return f"starts on the node {pod['spec']['nodeName']}"
    for container, status in statuses[: len(pod["spec"].get("initContainers") or ())]:
        if "running" in (status.get("state") or {}) and container.get("restartPolicy") != "Always":
            return f"runs its init container {status['name']}"
    if all("running" in (status.get("state") or {}) for _container, status in statuses[-1:]):
        return "runs, but is not ready yet"
    return "starts its containers"


def made_finding(workload: Workload, events: Iterable[Event], replica_set: Json | None) -> Finding | None:
    """Return why pods of a workload are not made, None where nothing is known.

    events: of the workload. replica_set: metadata of the newest one of a Deployment, where it can be read.
    """
    if workload.kind != DEPLOYMENT:
        failed = latest(events, lambda event: event.reason == "FailedCreate" and event.fresh)
        return _not_made(failed.message) if failed else None
    progressing, failure = condition(workload.item, "Progressing"), condition(workload.item, "ReplicaFailure")
    if progressing.get("status") == "False" and progressing.get("reason") == "ReplicaSetCreateError":
        return _not_made(progressing.get("message") or "")
    message = str(failure.get("message") or "")
    # The condition may be that of an older ReplicaSet, whose pods do not matter.
    named = re.match(r'[Pp]ods? "([^"]+)"', message)
    other = named and replica_set and not named[1].startswith(name_of(replica_set))
    return _not_made(message) if failure.get("status") == "True" and not other else None


def _not_made(message: str) -> Finding:
    text = f"no pod can be made: {without(message, *_NOT_MADE_PREFIXES)}"
    if _NOT_YET.search(message):
        return Finding(text, MISSING)
    return Finding(text, 0 if _NOT_MADE.search(message) else SEVERAL_TRIES, shortage="exceeded quota" in message)


def _containers(pod: Json) -> Iterator[tuple[Json, Json]]:
    """Yield the containers of a pod with their status, in the order in which they start."""
    status = pod.get("status", {})
    for kind in ("initContainers", "containers"):
        known = {each["name"]: each for each in status.get(f"{kind[:-1]}Statuses") or ()}
        for container in pod["spec"].get(kind) or ():
            yield container, known.get(container["name"], {"name": container["name"]})


def _waiting(container: Json, status: Json, events: Sequence[Event]) -> Finding | None:
    """Return why a container is not made; crashes are no such reason."""
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    image, name = container["image"], container["name"]
    if reason == "InvalidImageName":
        return Finding(f"cannot pull image {image}: this is no name of an image", 0)
    if reason == "ErrImageNeverPull":
        return Finding(f"has no image {image} on its node, and may not pull it (imagePullPolicy Never)", 0)
    if reason in _PULL:
        return _pull(image, message, events)
    if reason == "CreateContainerConfigError":
        return Finding(f"cannot start container {name}: {_plain(message) or 'its configuration is wrong'}", MISSING)
    if reason in ("CreateContainerError", "RunContainerError", "PostStartHookError"):
        return _not_started(name, message or reason, SEVERAL_TRIES)
    return None


def _not_started(name: str, message: str, patience: float | None) -> Finding:
    """Return why a container was made, but its program was not started."""
    if _NO_PROGRAM.search(message):
        patience = 0
    return Finding(f"cannot start container {name}: {_plain(message)}", patience)


def _pull(image: str, message: str, events: Sequence[Event]) -> Finding:
    """Return why an image is not pulled, with the words of the registry."""
    failures = [event for event in events if event.message.startswith(f'{_PULL_FAILED} "{image}"')]
    last = latest(failures, lambda event: True)
    prefixes = (*_PULL_PREFIXES, rf"^\S*{re.escape(image.rpartition('/')[2])}: ")
    words = without(message, *prefixes) or (without(last.message, *prefixes) if last else "")
    text = f"cannot pull image {image}" + (f": {words}" if words else "")
    if not failures:  # or they cannot be read
        return Finding(text, SEVERAL_TRIES)
    tried = sum(event.count for event in failures)
    # A pod of before may still wait for its next try, which can find an image that was pushed meanwhile.
    now = any(event.fresh for event in failures)
    certain = _REFUSED.search(words) or tried >= 2
    return Finding(text, 0 if now and certain else None)


def _is_being_pulled(image: str, events: Sequence[Event]) -> bool:
    last = latest(events, lambda event: event.reason in ("Pulling", "Pulled") and f'"{image}"' in event.message)
    return last is not None and last.reason == "Pulling"


def _crash(container: Json, status: Json, events: Sequence[Event], before: int) -> Finding | None:
    """Return how a container ended that should run. before: how often it had been restarted before the wait began.

    An end is certain to come again after the second one; kubelets call that CrashLoopBackOff.
    """
    state = status.get("state") or {}
    loops = (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    restarts = int(status.get("restartCount") or 0) - before
    if not ended or status.get("ready") or (restarts <= 0 and not loops and "terminated" not in state):
        return None
    if "terminated" in state and ended.get("exitCode") == 0 and restarts <= 0:
        return None  # as an init container that is done
    ends = restarts + ("terminated" in state)
    patience = 0 if ends >= 2 or (loops and restarts >= 1) else None
    name, why = container["name"], ended.get("reason")
    if why == "OOMKilled":
        limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
        more = f"than its limit of {limit}" if limit else "than its node has"
        return Finding(f"crashes: container {name} needs more memory {more} (OOMKilled)", patience)
    if why in ("StartError", "ContainerCannotRun"):
        return _not_started(name, str(ended.get("message") or why), patience)
    text = f"crashes: container {name} ends with exit code {ended.get('exitCode')}"
    probe = _probe_that_ended(name, events)
    if probe:
        text = f"crashes: container {name} is restarted since {probe}"
    return Finding(text, patience, container=name, previous="terminated" not in state, ended=True)


def _probe_that_ended(name: str, events: Sequence[Event]) -> str:
    """Return what a probe got for which a container was restarted, "" if none was."""
    killed = latest(
        events,
        lambda event: event.reason == "Killing" and event.message.startswith(f"Container {name} failed"),
    )
    probe = latest(events, lambda event: event.reason == "Unhealthy" and not event.message.startswith("Readiness"))
    return _plain(probe.message) if killed and probe else ""


def _volume(pod: Json, events: Sequence[Event]) -> Finding | None:
    """Return which volume a pod waits for that has a node, but no container yet."""
    if not _is_creating(pod):
        return None
    reasons = ("FailedAttachVolume", "FailedMount")
    # This one repeats, and only says how long it takes.
    last = latest(
        events,
        lambda event: event.reason in reasons and event.fresh and not event.message.startswith("Unable to attach"),
    ) or latest(events, lambda event: event.reason in reasons and event.fresh)
    if last is None:
        sandbox = latest(events, lambda event: event.reason == "FailedCreatePodSandBox" and event.fresh)
        return Finding(f"cannot start: {_plain(sandbox.message)}", progress=False) if sandbox else None
    attached = _ATTACHED.search(last.message)
    if attached:
        users = re.search(r"used by pod\(s\) (.+)$", last.message)
        by = f" by {users[1]}" if users else " by another node"
        return Finding(f"waits for the volume {attached['volume']}, which is still used{by} (Multi-Attach error)")
    mount = _MOUNT.match(last.message)
    text = f"cannot mount the volume {mount['volume']}: {_plain(mount['why'])}" if mount else _plain(last.message)
    return Finding(text, MISSING if _MISSING_MOUNT.search(last.message) else None)


def _is_creating(pod: Json) -> bool:
    """Tell whether no container of a pod has been made yet."""
    states = [status.get("state") or {} for _container, status in _containers(pod)]
    creating = ("ContainerCreating", "PodInitializing")
    return all(not state or (state.get("waiting") or {}).get("reason") in creating for state in states)


def _not_ready(pod: Json, events: Sequence[Event]) -> Finding | None:
    """Return what the probe got of a container that runs."""
    for container, status in _containers(pod):
        if "running" not in (status.get("state") or {}) or status.get("ready"):
            continue
        last = latest(events, lambda event: event.reason == "Unhealthy" and bool(_PROBE.match(event.message)))
        if last:
            text = f"runs, but is not ready: {_plain(last.message)}"
            return Finding(text, container=container["name"], progress=False)
    return None


def _plain(message: str) -> str:
    """Return a message of the kubelet without the path that it took through the container runtime."""
    return without(message, r"rpc error: code = \w+ desc = ", r"^.*unable to start container process: ", r": unknown$")
