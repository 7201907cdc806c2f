# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of helm that change a release.

kubernetes.core.helm is not used: it returns the values of the release, which hold secrets, does not call helm where
the values are the same although objects were changed by hand, and cannot take over their fields.
"""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ....common.text import nonempty_lines
from ...errors import PlatformError
from ..api.credentials import Credentials
from ..helm import HelmDidNotRun, run_helm
from ..install_files import values_text
from ..values.layers import Values

#: The oldest version whose upgrades wait for hooks in the way that deploys expect, and that the chart supports.
OLDEST = (3, 14)
#: Seconds that helm may take beyond its own timeout.
_GRACE = 60.0


@dataclass(frozen=True)
class Helm:
    """The helm command line on one cluster.

    namespace: of the releases. timeout: seconds for hooks, such as pulling images in advance. mask: hides secrets.
    """

    credentials: Credentials
    namespace: str
    timeout: float
    mask: Callable[[str], str] = str

    def upgrade(
        self, release: str, chart: str, values: Values, keep: int, description: str, take_over: bool = False
    ) -> None:
        """Install or upgrade a release, without waiting for its pods.

        chart: path of a directory or archive. keep: number of revisions. description: for ``helm history``.
        take_over: replace what others have changed by hand; otherwise Helm 4 refuses, naming field and manager.
        """
        # By standard input: a file would stay, with all secrets, where the playbook is killed.
        command = ["upgrade", "--install", release, chart, "--values", "-"]
        command += ["--history-max", str(keep), "--description", description]
        self._run([*command, *self._taking_over(take_over)], values_text(values))

    def rollback(self, release: str, revision: int, keep: int, take_over: bool = False) -> None:
        """Make a release what it was at an earlier revision. keep: number of revisions, which Helm else sets to ten."""
        command = ["rollback", release, str(revision), "--history-max", str(keep)]
        self._run([*command, *self._taking_over(take_over)])

    def uninstall(self, release: str) -> None:
        """Remove a release with its objects, but those that its chart keeps; wait until they are gone."""
        self._run(["uninstall", release, "--ignore-not-found", "--wait"])

    def _taking_over(self, take_over: bool) -> list[str]:
        return ["--force-conflicts"] if take_over and helm_version()[0] > 3 else []

    def _run(self, arguments: Sequence[str], text: str = "") -> None:
        """Run helm with a text as standard input; raises PlatformError with its own words."""
        common = ["--namespace", self.namespace, "--timeout", f"{self.timeout:.0f}s"]
        with self.credentials.helm_options() as (options, inherited):
            command = [helm_program(), *arguments, *common, *options]
            try:
                done = run_helm(command, self.timeout + _GRACE, text, inherited)
            except HelmDidNotRun as error:
                raise PlatformError(f"helm {arguments[0]} did not end ({error})") from None
        if done.returncode != 0:
            raise PlatformError(self.mask(_reason(arguments[0], done.stderr)))


def helm_program() -> str:
    """Return the path of helm; raises PlatformError where there is none."""
    found = shutil.which("helm")
    if found is None:
        raise PlatformError("deploys to Kubernetes need the program helm (version 3.14 or newer) on PATH")
    return found


@functools.lru_cache(maxsize=1)
def helm_version() -> tuple[int, ...]:
    """Return the version of helm; raises PlatformError where there is none, or where it is too old."""
    try:
        done = run_helm([helm_program(), "version", "--short"], 30)
    except HelmDidNotRun as error:
        raise PlatformError(f"helm does not run ({error})") from None
    match = re.search(r"v(\d+)\.(\d+)", done.stdout)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < OLDEST:
        raise PlatformError(f"helm {'.'.join(map(str, version))} is too old; deploys need 3.14 or newer")
    return version


def _reason(verb: str, output: str) -> str:
    """Return the error that helm printed, as one line."""
    lines = nonempty_lines(output)
    errors = [line for line in lines if line.startswith("Error:")]
    text = " ".join(lines[lines.index(errors[-1]) :] if errors else lines[-1:]) or "it printed nothing"
    return f"helm {verb}: {text.removeprefix('Error: ')}"
