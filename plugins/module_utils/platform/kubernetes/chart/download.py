# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a Helm chart on this machine or in the cache, or download it into the cache with ``helm pull``.

A chart is named by a repository (https://helm.sh/docs/topics/chart_repository), by an OCI registry
(https://helm.sh/docs/topics/registries), or by a path on this machine. A version of a chart never changes, so a chart
in the cache is never downloaded again.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.parse

from ....common.errors import reason
from ....common.text import one_line
from ..helm import NO_HELM, HelmDidNotRun, has_library, run_helm
from .content import OCI, ChartError, ChartReference, read

HELM_TIMEOUT = 300
#: OCI registries that Docker's tools speak to without TLS as well.
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
#: Name of the repository while helm uses it with a password.
_REPOSITORY = "repository"
#: ``helm pull`` with Helm as a library; its arguments come as JSON on standard input.
_LIBRARY_PULL = """
import helm_python, json, sys
try:
    helm_python.pull(**json.load(sys.stdin))
except helm_python.HelmError as error:
    sys.exit(f"Error: {error}")
"""


def local_path(reference: ChartReference, cache: str) -> str | None:
    """Return the path of a chart that can be read without network, or None."""
    path = reference.chart if reference.is_path else os.path.join(cache, reference.file)
    return path if os.path.exists(path) else None


def download(reference: ChartReference, cache: str, helm: str | None = None) -> str:
    """Return the path of a chart, downloaded into ``cache`` unless it is there already.

    helm: path of the helm command line, which knows the registries an operator has logged in to; None uses the library.
    Raises ChartError.
    """
    path = local_path(reference, cache)
    if path:
        return path
    _check_reference(reference)
    try:
        os.makedirs(cache, exist_ok=True)
        # In the same file system, so that the archive is placed whole or not at all.
        folder = tempfile.mkdtemp(prefix=".download-", dir=cache)
        try:
            archive = _pull(reference, folder, helm)
            content = read(archive)
            if (content.name, content.version) != (reference.name, reference.version):
                raise ChartError(
                    f"{_origin(reference)} returned {content.name} {content.version} "
                    f"instead of {reference.name} {reference.version}"
                )
            target = os.path.join(cache, reference.file)
            os.replace(archive, target)
            return target
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise ChartError(f"charts cannot be stored in {cache}: {reason(error)}") from error


def _check_reference(reference: ChartReference) -> None:
    """Raise ChartError for a reference that names no chart which can be downloaded."""
    if reference.is_path:
        raise ChartError(f"there is no chart at {reference.chart}")
    if not reference.version or os.sep in reference.version:
        raise ChartError(f"the chart {reference.chart} needs an exact version, not {reference.version!r}")
    if reference.is_oci:
        return
    if "/" in reference.chart:
        raise ChartError(
            f"{reference.chart!r} uses a repository name that only one machine's helm knows; set the chart's name "
            f"{reference.name!r} and the URL of its repository"
        )
    address = urllib.parse.urlsplit(reference.repository)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ChartError(
            f"the chart {reference.chart!r} needs the http(s) URL of its repository; "
            f"an absolute path and an {OCI} URL need none"
        )


def _pull(reference: ChartReference, folder: str, helm: str | None) -> str:
    """Download a chart into an empty folder and return the path of the archive."""
    if helm:
        _pull_with_command(reference, folder, helm)
    else:
        _pull_with_library(reference, folder)
    archives = glob.glob(os.path.join(glob.escape(folder), "*.tgz"))
    if not archives:
        raise ChartError(f"helm pull of {reference.name} {reference.version} created no archive")
    return archives[0]


def _pull_with_command(reference: ChartReference, folder: str, helm: str) -> None:
    address = urllib.parse.urlsplit(reference.repository)
    pull = [helm, "pull", "--version", reference.version, "--destination", folder]
    if reference.is_oci:
        _run(reference, [*pull, reference.chart, *(["--plain-http"] if _is_local(reference) else [])])
    elif not address.password:
        _run(reference, [*pull, reference.chart, "--repo", reference.repository])
    else:
        # Arguments of a process are visible to everyone on the machine, so helm reads the password from a pipe.
        state = [f"--repository-config={folder}/repositories.yaml", f"--repository-cache={folder}"]
        login = ["--username", urllib.parse.unquote(address.username or ""), "--password-stdin"]
        add = [helm, "repo", "add", _REPOSITORY, _without_login(reference.repository), *login, *state]
        _run(reference, add, urllib.parse.unquote(address.password))
        _run(reference, [*pull, f"{_REPOSITORY}/{reference.chart}", *state])


def _run(reference: ChartReference, command: list[str], text: str = "") -> None:
    try:
        done = run_helm(command, HELM_TIMEOUT, text)
    except HelmDidNotRun as error:
        raise ChartError(f"helm pull of {reference.name} did not run: {error}") from error
    if done.returncode:
        raise _failure(reference, done.stderr)


def _pull_with_library(reference: ChartReference, folder: str) -> None:
    if not has_library():
        raise ChartError(f"downloading the chart {reference.name} {NO_HELM}")
    arguments = {
        "chart_ref": reference.chart,
        "destination": folder,
        "version": reference.version,
        # The login stays in the URL: given as arguments, the library sends it to other hosts as well.
        "repo_url": None if reference.is_oci else reference.repository,
        "plain_http": _is_local(reference),
    }
    # In its own process: the library prints warnings, has no timeout, and leaves threads behind.
    _run(reference, [sys.executable, "-P", "-c", _LIBRARY_PULL], json.dumps(arguments))


def _is_local(reference: ChartReference) -> bool:
    """Tell whether an OCI registry is on this machine, where it has no certificate."""
    registry = reference.chart[len(OCI) :].partition("/")[0] if reference.is_oci else ""
    return registry in _LOCAL_HOSTS or registry.rpartition(":")[0] in _LOCAL_HOSTS


def _origin(reference: ChartReference) -> str:
    """Return the repository or registry of a chart for messages, without user and password."""
    return _without_login(reference.chart if reference.is_oci else reference.repository)


def _without_login(address: str) -> str:
    """Return a URL without user, password and query, which may be secrets."""
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _failure(reference: ChartReference, text: str) -> ChartError:
    """Return the error for what Helm reported."""
    reason = one_line(text)
    reason = reason.partition("Error: ")[2] or reason
    reason = re.sub(r"""[a-z]+://[^\s"']+""", lambda match: _without_login(match[0]), reason)
    return ChartError(
        f"{reference.name} {reference.version} cannot be downloaded from {_origin(reference)}: {reason[:300]}"
    )
