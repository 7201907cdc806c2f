# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a command in a pod prints to a file of this machine, however much it is.

The library keeps all output of a command in memory, and decodes it as text, so only its WebSocket is used. Each message
begins with a channel: 1 for output, 2 for errors, 3 for how the command ended (v4.channel.k8s.io,
k8s.io/kubelet, pkg/cri/streaming/remotecommand/websocket.go).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO

from ....common.text import one_line
from ...errors import PlatformError, UnreachableError
from .client import KubernetesApi

_OUTPUT, _ERRORS, _STATUS = 1, 2, 3
#: Seconds without any output after which a command counts as lost.
SILENCE = 600.0
#: Errors that are kept, in bytes.
_MOST = 1 << 16


def write_output(
    api: KubernetesApi, namespace: str, pod: str, container: str, command: Sequence[str], file: IO[bytes]
) -> str:
    """Run a command in a container, write its output to a file, and return what it printed as errors.

    Raises PlatformError where it cannot be run or fails, and UnreachableError where the connection is lost.
    """
    from kubernetes import client, stream
    from kubernetes.client.exceptions import ApiException
    from websocket import ABNF, WebSocketException

    core = client.CoreV1Api(api.credentials.api_client())
    connect = core.connect_get_namespaced_pod_exec
    options = {"stdin": False, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
    where = f"pod {pod} of {namespace}"
    try:
        websocket = stream.stream(connect, pod, namespace, container=container, command=list(command), **options).sock
    except ApiException as error:
        raise PlatformError(f"no command can be run in {where}: {one_line(error.reason, 200)}") from None
    errors, status = b"", b""
    try:
        websocket.settimeout(SILENCE)
        while not status:
            kind, frame = websocket.recv_data_frame(True)
            if kind == ABNF.OPCODE_CLOSE:
                break
            if kind != ABNF.OPCODE_BINARY or not frame.data:
                continue
            channel, data = frame.data[0], frame.data[1:]
            if channel == _OUTPUT:
                file.write(data)
            elif channel == _ERRORS:
                errors = (errors + data)[-_MOST:]
            elif channel == _STATUS:
                status = data
    except (OSError, WebSocketException) as error:
        raise UnreachableError(f"the connection to {where} was lost: {one_line(error, 200)}") from None
    finally:
        websocket.close(timeout=0)
    text = errors.decode(errors="replace")
    if not status:
        raise UnreachableError(f"the connection to {where} was lost")
    found = json.loads(status)
    if found.get("status") != "Success":
        words = text.strip().splitlines()[-1:] or [str(found.get("message"))]
        raise PlatformError(f"a command in {where} failed: {one_line(words[0], 300)}")
    return text
