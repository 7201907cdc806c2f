# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act like a user on hubs of a cluster, and leave neither users nor their pods and claims behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import Explain, Progress, run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget

from ..base import CheckResults, PlatformError, UnreachableError
from .api.client import KubernetesApi
from .apply.rollout import session_failure
from .chart_secret import ChartSecret
from .check_cleanup import remove_left_overs
from .check_route import is_inside, through_cluster, unknown_names
from .labels import SESSIONS, USER
from .releases.records import Place
from .values.check_service import CHECK_SERVICE


@dataclasses.dataclass(frozen=True)
class CheckedHub:
    """A hub to check.

    target: without its token. through_cluster: reach it by the API server, not by its address. mask: hides secrets in
    what events and logs of users' pods say.
    """

    target: HubTarget
    namespace: str
    release: str
    through_cluster: bool
    mask: Callable[[str], str] = str


def check_hubs(
    api: KubernetesApi,
    hubs: Sequence[CheckedHub],
    options: CheckOptions,
    report: Progress | None = None,
    stop: Stop | None = None,
) -> CheckResults:
    """Check hubs of one cluster. RuntimeError without aiohttp, UnreachableError where the API server does not answer.

    report: called with lines of progress. stop: ends it from another thread. When interrupted, users, claims and pods
    are removed first, then KeyboardInterrupt is raised.
    """
    found = CheckResults()
    unknown = unknown_names(hub.target.url for hub in hubs if not _is_through_cluster(hub))
    with ExitStack() as forwards:
        reached: list[tuple[HubTarget, str]] = []
        for hub in hubs:
            try:
                target = dataclasses.replace(hub.target, token=_token(api, hub))
                reached.append((_reached(api, hub, target, unknown, forwards), hub.namespace))
            except UnreachableError:
                raise
            except PlatformError as error:
                found.problems[hub.target.name] = str(error)
        if not reached:
            return found
        problems: dict[str, list[str]] = {}
        try:
            explain = _explain(api, {hub.target.name: hub for hub in hubs})
            targets = [target for target, _namespace in reached]
            found.results.extend(run_checks(targets, options, report, explain, stop))
        finally:
            # Also after an interruption: run_checks() has removed the users by then.
            problems = remove_left_overs(api, reached, options)
    for result in found.results:
        result.cleanup_problems += problems.get(result.name, [])
    return found


def _is_through_cluster(hub: CheckedHub) -> bool:
    return hub.through_cluster or is_inside(hub.target.url, hub.namespace)


def _reached(
    api: KubernetesApi, hub: CheckedHub, target: HubTarget, unknown: set[str], forwards: ExitStack
) -> HubTarget:
    """Return the target as it is reached; raises PlatformError where that is not possible."""
    name = urlsplit(target.url).hostname
    if name in unknown:
        warning = f"the name {name} cannot be resolved here; connected through the API server of the cluster"
        target = dataclasses.replace(target, warnings=[*target.warnings, warning])
    elif not _is_through_cluster(hub):
        return target
    with _naming(hub):
        return through_cluster(api, target, hub.namespace, forwards)


def _token(api: KubernetesApi, hub: CheckedHub) -> str:
    """Return the token of the check's service; raises PlatformError where there is none."""
    place = Place(hub.target.cluster, hub.target.name, hub.namespace, hub.release)
    return ChartSecret(api, place).token(CHECK_SERVICE)


@contextmanager
def _naming(hub: CheckedHub) -> Iterator[None]:
    """Let errors name the hub, apart from those that concern the whole cluster."""
    try:
        yield
    except UnreachableError:
        raise
    except PlatformError as error:
        raise PlatformError(f"hub {hub.target.name}: {error}") from None


def _explain(api: KubernetesApi, hubs: Mapping[str, CheckedHub]) -> Explain:
    """Return what tells why the pod of a user does not start; hubs: by their names."""

    def explain(hub: str, user: str) -> str:
        namespace, mask = hubs[hub].namespace, hubs[hub].mask
        # As KubeSpawner writes the name in labels by default, and with the older scheme.
        selector = f"{SESSIONS},{USER} in ({user},{user.replace('-', '-2d')})"
        try:
            pods = api.list(f"/api/v1/namespaces/{namespace}/pods", selector)
        except PlatformError:
            return ""
        return session_failure(api, namespace, pods[0], mask) if pods else ""

    return explain
