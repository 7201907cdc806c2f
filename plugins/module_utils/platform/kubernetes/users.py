# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change the users of running hubs through the API server of their cluster, as a service of each hub.

The token leads to the hub's pod only: it is in no address that others could answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ...fleet.users import FoundUsers, HubUser
from ..base import PlatformError
from ..jupyterhub_users import HubUsers
from .api.client import KubernetesApi
from .api.port_forward import PortForward
from .api.service_pods import port_number, ready_pod
from .chart_secret import ChartSecret
from .releases.records import Place
from .values.users_service import USERS_SERVICE

#: The chart's Service of the hub itself, which has one port.
SERVICE = "hub"
#: Hubs that are asked at the same time.
PARALLEL = 8


class KubernetesHubUsers(HubUsers):
    """The users of one hub on Kubernetes."""

    def _remove(self, user: str) -> None:
        # JupyterHub's own operation lets KubeSpawner delete the volume of the home
        self._call("DELETE", "hubfleet", "users", user)


def rename_problem(user: str, new_name: str) -> str:
    """Return why no hub on Kubernetes renames a user.

    KubeSpawner would find the same volume under the new name, but the volume keeps the old one: whoever gets the old
    name later would find the home.
    """
    return (
        f"hubs on Kubernetes cannot rename users, since volumes and directories of homes have their names; add "
        f"{new_name}, copy the files of {user}, and remove {user}"
    )


def read_users(api: KubernetesApi, places: Sequence[Place]) -> FoundUsers:
    """Return the users of hubs; raises UnreachableError where the API server does not answer."""
    api.get("/version")  # else each hub would wait for it
    found = FoundUsers()
    with ThreadPoolExecutor(PARALLEL) as threads:
        for place, answer in zip(places, threads.map(lambda place: _read(api, place), places)):
            if isinstance(answer, PlatformError):
                found.problems[place.hub] = str(answer)
            else:
                found.users[place.hub] = answer
    return found


def _read(api: KubernetesApi, place: Place) -> list[HubUser] | PlatformError:
    try:
        with users_of(api, place) as users:
            return users.all()
    except PlatformError as error:
        return error


@contextmanager
def users_of(api: KubernetesApi, place: Place) -> Iterator[HubUsers]:
    """Open a way to a hub. Raises PlatformError."""
    secret = ChartSecret(api, place)
    token, base_url = secret.token(USERS_SERVICE), secret.base_url
    service = api.find(f"/api/v1/namespaces/{place.namespace}/services/{SERVICE}")
    if service is None:
        raise PlatformError(f"hub {place.hub}: namespace {place.namespace} has no service {SERVICE}")
    pod = ready_pod(api, place.namespace, service)
    if pod is None:
        raise PlatformError(
            f"hub {place.hub} does not run; see what runs with the playbook status, and start it with deploy"
        )
    number = port_number(pod, service["spec"]["ports"][0]["targetPort"])
    with PortForward(api, place.namespace, pod["metadata"]["name"], number) as port:
        yield KubernetesHubUsers(place.hub, f"http://127.0.0.1:{port}{base_url}hub/api", token)
