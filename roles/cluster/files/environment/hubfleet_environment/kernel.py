# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run IPython's kernel with the user's packages, as the kernel ``python3`` of every environment.

The kernel itself comes from the environment: it is imported before the user's packages are added, so that none of them
can prevent a kernel from starting. Source: ipykernel_launcher.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and (sys.path[0] == "" or os.path.realpath(sys.path[0]) == os.getcwd()):
    # a file of the user must not be imported in place of a module; InteractiveShellApp.init_path() adds it again
    del sys.path[0]

from typing import Any

# IPython imports pexpect for the first command after "!", and ipykernel psutil when the kernel ends
import pexpect  # noqa: F401  # pylint: disable=unused-import
import psutil  # noqa: F401  # pylint: disable=unused-import
from ipykernel.kernelapp import IPKernelApp

from hubfleet_environment import user_packages


class KernelApp(IPKernelApp):  # type: ignore[misc]
    """IPython's kernel that adds the user's packages before it runs any code of the user."""

    def init_extensions(self) -> None:
        """Add the user's packages; then load extensions, which may be among them."""
        if user_packages.in_use():
            problem = user_packages.add()
            ignored = ", ".join(user_packages.ignored())
            if problem:
                user_packages.leave()
                self._tell(
                    f"Your own packages are not used in this kernel: {problem}. To remove all of them, run "
                    f"{user_packages.directory()}/bin/{user_packages.COMMAND} reset in a terminal."
                )
            elif ignored:
                self._tell(
                    "The kernel itself needs these packages as they are in the environment, so that notebooks do not "
                    f"use those that you have installed: {ignored}"
                )
        if notice := os.environ.get(user_packages.NOTICE_VARIABLE):
            self._tell(notice)
        super().init_extensions()

    def _tell(self, text: str) -> None:
        """Print the text before the first cell runs."""
        events = self.shell.events

        def tell(_information: Any) -> None:
            events.unregister("pre_run_cell", tell)
            print(text, file=sys.stderr, flush=True)

        events.register("pre_run_cell", tell)


if __name__ == "__main__":
    KernelApp.launch_instance()
