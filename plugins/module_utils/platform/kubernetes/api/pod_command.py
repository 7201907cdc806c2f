# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a pod that runs already, as ``kubectl exec`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....common.text import one_line
from ...errors import PlatformError, UnreachableError
from .client import KubernetesApi


@dataclass(frozen=True)
class Finished:
    """How a command ended. output, errors: what it printed, decoded as UTF-8."""

    status: int
    output: str
    errors: str


def run_in_pod(
    api: KubernetesApi, namespace: str, pod: str, container: str, command: Sequence[str], timeout: float = 60.0
) -> Finished:
    """Run a command in a container and return how it ended; timeout in seconds.

    Raises PlatformError where it cannot be run, or does not end in time, and UnreachableError where the connection is
    lost.
    """
    from kubernetes import client, stream
    from kubernetes.client.exceptions import ApiException
    from websocket import WebSocketException

    # One of its own: the library replaces a function of the client for the time of the stream.
    core = client.CoreV1Api(api.credentials.api_client())
    where = f"pod {pod} of {namespace}"
    try:
        running = stream.stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            container=container,
            command=list(command),
            stdin=False,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        running.run_forever(timeout=timeout)
        if running.is_open():
            running.close()
            raise PlatformError(f"a command in {where} did not end within {timeout:.0f} seconds")
        return Finished(running.returncode, running.read_stdout(timeout=0), running.read_stderr(timeout=0))
    except ApiException as error:
        raise PlatformError(f"no command can be run in {where}: {one_line(error.reason, 200)}") from None
    # The last two: where the library looks for the end of a command that it never got.
    except (OSError, WebSocketException, TypeError, LookupError):
        raise UnreachableError(f"the connection to {where} was lost, or the command could not be started") from None
