# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep kernels on sockets in the user's private directory. Standard library only.

With TCP, two kernels that start together can take the same port, and other users of the machine could connect. The
configuration of the environment says so too, but a server does not read it with --config=FILE, and options of the
command line and files of the user have precedence.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

#: Servers start all kernels by its class MultiKernelManager; other programs rarely import it.
_MODULE = "jupyter_client.multikernelmanager"


def keep_on_sockets() -> None:
    """Change the manager of kernels when a server imports it."""
    sys.meta_path.insert(0, _WhenImported())


class _WhenImported(MetaPathFinder):
    """Finds the module as usual, and changes it after it was run."""

    def find_spec(self, fullname: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                _use_sockets(module.MultiKernelManager)

            setattr(spec.loader, "exec_module", exec_module)  # noqa: B010  # mypy knows no assignment to methods
        return spec


def _use_sockets(managers: Any) -> None:
    """Let a class of managers set the transport of each kernel after its configuration was read."""
    prepare = managers.pre_start_kernel

    def pre_start_kernel(self: Any, kernel_name: str | None, kwargs: Any) -> Any:
        kernel, *rest = prepare(self, kernel_name, kwargs)
        if kernel.transport != "ipc":
            kernel.log.warning("hubfleet: kernels of this hub use sockets; transport %s is ignored", kernel.transport)
        kernel.transport = "ipc"
        kernel.ip = os.path.splitext(kernel.connection_file)[0] + "-ipc"  # as jupyter_client's default
        return (kernel, *rest)

    managers.pre_start_kernel = pre_start_kernel
