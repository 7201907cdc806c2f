# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is reached: a kubeconfig, its context, or the service account of the pod that this runs in.

The rules are those of kubectl: ``cluster_kubeconfig``, else the environment variable KUBECONFIG, else ~/.kube/config;
in a pod without any of these, the pod's service account.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ....common import files
from ....common.errors import reason
from ....schema.problems import nearest
from ...errors import PlatformError
from .library import LIBRARY, load

#: What kubectl reads unless KUBECONFIG says otherwise.
_USUAL = "~/.kube/config"
_IN_POD = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@dataclass(frozen=True)
class Credentials:
    """kubeconfig: path of a file, or its content. context: of the kubeconfig, "" for its current one."""

    kubeconfig: str = ""
    context: str = ""

    @property
    def is_content(self) -> bool:
        """Whether the kubeconfig is given by its content."""
        return is_content(self.kubeconfig)

    @property
    def in_pod(self) -> bool:
        """Whether the service account of this pod is used."""
        given = self.kubeconfig or os.environ.get("KUBECONFIG") or os.path.exists(os.path.expanduser(_USUAL))
        return not given and os.path.exists(_IN_POD)

    def api_client(self) -> Any:
        """Return a client of the library; raises PlatformError with what is wrong with the kubeconfig."""
        try:
            load()
            from kubernetes import client, config
        except ImportError:
            raise PlatformError(
                f"hubs on Kubernetes need the Python package {LIBRARY} next to Ansible: pip install {LIBRARY}"
            ) from None
        configuration = client.Configuration()
        # The library tries four times; a cluster that does not answer would hold up a plan for half a minute.
        configuration.retries = 1
        context = self.context or None
        options = {"persist_config": False, "client_configuration": configuration}
        try:
            if self.in_pod:
                config.load_incluster_config(client_configuration=configuration)
            elif self.is_content:
                config.load_kube_config_from_dict(self._parsed(), context, **options)
            else:
                config.load_kube_config(os.path.expanduser(self.kubeconfig) or None, context, **options)
            return client.ApiClient(configuration)
        except config.ConfigException as error:
            raise PlatformError(self._problem(error)) from None
        except OSError as error:
            raise PlatformError(f"{self.name} cannot be read: {reason(error)}") from None

    @property
    def name(self) -> str:
        """What people know the kubeconfig by."""
        if self.is_content:
            return "cluster_kubeconfig"
        return self.kubeconfig or os.environ.get("KUBECONFIG") or _USUAL

    @contextmanager
    def helm_options(self) -> Iterator[tuple[list[str], list[int]]]:
        """Yield the options of helm that lead to the cluster, and the file descriptors that it has to inherit."""
        options = ["--kube-context", self.context] if self.context else []
        if not self.kubeconfig:
            yield options, []
        elif not self.is_content:
            yield ["--kubeconfig", os.path.expanduser(self.kubeconfig), *options], []
        elif (descriptor := _memory()) is not None:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)  # else helm warns that others can read it
                file.write(self.kubeconfig.encode())
                file.flush()
                yield ["--kubeconfig", f"/proc/self/fd/{descriptor}", *options], [descriptor]
        else:
            with tempfile.TemporaryDirectory(prefix="hubfleet-") as directory:
                path = os.path.join(directory, "kubeconfig")
                files.write(path, self.kubeconfig.encode())
                yield ["--kubeconfig", path, *options], []

    @property
    def kubectl_options(self) -> list[str]:
        """The options of kubectl that lead people to the cluster, who bring along a kubeconfig given by its content."""
        path = "" if self.is_content else os.path.expanduser(self.kubeconfig)
        return [*(["--kubeconfig", path] if path else []), *(["--context", self.context] if self.context else [])]

    def _problem(self, error: Exception) -> str:
        """Return what is wrong with the kubeconfig."""
        from kubernetes import config

        if not self.is_content and not any(os.path.exists(path) for path in self._paths()):
            return f"there is no kubeconfig {self.name}; set cluster_kubeconfig"
        if self.context and not self.is_content:
            try:
                names = [str(each["name"]) for each in config.list_kube_config_contexts(self._paths()[0])[0]]
            except (config.ConfigException, OSError, TypeError):
                names = [self.context]
            if self.context not in names:
                return f"cluster_context: {self.name} has no context {self.context!r}{nearest(self.context, names)}"
        text = " ".join(str(error).split())
        return f"{self.name}: {text.removeprefix('Invalid kube-config file. ')}"

    def _paths(self) -> list[str]:
        given = self.kubeconfig or os.environ.get("KUBECONFIG") or _USUAL
        return [os.path.expanduser(path) for path in given.split(os.pathsep)]

    def _parsed(self) -> dict[str, Any]:
        import yaml  # Ansible brings it along

        try:
            found = yaml.safe_load(self.kubeconfig)
        except yaml.YAMLError:
            raise PlatformError("cluster_kubeconfig: the content is not YAML") from None
        if not isinstance(found, dict):
            raise PlatformError("cluster_kubeconfig: the content is not a kubeconfig")
        return found


def _memory() -> int | None:
    """Return a descriptor of a file in memory, since others stay where the playbook is killed; None without them."""
    try:
        return os.memfd_create("kubeconfig")
    except (AttributeError, OSError):  # not on Linux, or not allowed
        return None


def is_content(kubeconfig: str) -> bool:
    """Tell whether a value of cluster_kubeconfig is the content of a kubeconfig, and not a path."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")
