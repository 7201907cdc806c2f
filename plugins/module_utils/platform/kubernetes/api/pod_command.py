# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a pod that runs already, as ``kubectl exec`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....common.text import one_line
from ...errors import PlatformError
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

    Raises PlatformError where it cannot be run, or does not end in time.
    """
    from kubernetes import client, stream
    from kubernetes.client.exceptions import ApiException

    # One of its own: the library replaces a function of the client for the time of the stream.
    core = client.CoreV1Api(api.credentials.api_client())
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
            raise PlatformError(f"a command in pod {pod} of {namespace} did not end within {timeout:.0f} seconds")
        return Finished(running.returncode or 0, running.read_stdout(timeout=0), running.read_stderr(timeout=0))
    except ApiException as error:
        raise PlatformError(
            f"no command can be run in pod {pod} of {namespace}: {one_line(error.reason, 200)}"
        ) from None
