# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloading a Helm chart: with the helm command line, else from a repository by ourselves, else from an OCI registry
with Helm as a library.

A repository is a folder on a web server with an index.yaml: ``entries: {name: [{version, urls, digest}]}``, where the
digest is the SHA-256 of the archive and addresses may be relative (https://helm.sh/docs/topics/chart_repository).
"""

from __future__ import annotations

import base64
import difflib
import glob
import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from ....schema.problems import nearest
from ..helm import HelmDidNotRun, run_helm
from .content import OCI, ChartError, ChartReference, parse_yaml

HELM_TIMEOUT = 300
NETWORK_TIMEOUT = 30
#: OCI registries that Docker's tools speak to without TLS as well.
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


def download(reference: ChartReference, folder: str, helm: str | None) -> str:
    """Download a chart into an empty folder; return the archive's path; raises ChartError."""
    if reference.is_oci:
        return _pull_with_helm(reference, folder, helm) if helm else _pull_with_library(reference, folder)
    if "/" in reference.chart:
        raise ChartError(
            f"{reference.chart!r} is a name that only helm on one machine knows; give the chart's name "
            f"{reference.name!r} and the address of its repository"
        )
    address = urllib.parse.urlsplit(reference.repository)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ChartError(
            f"the chart {reference.chart!r} needs the http(s) address of its repository, "
            f"or has to be an absolute path or an {OCI} address"
        )
    # helm would show a password to everyone who lists the processes of this machine.
    if helm and not address.password:
        try:
            return _pull_with_helm(reference, folder, helm)
        except ChartError:
            # Whether it is the version that is wrong is in the index; helm does not name those that there are.
            _entry(reference, _index(reference))
            raise
    return _download(reference, folder)


def place_of(reference: ChartReference) -> str:
    """Return where a chart comes from, for messages: without user and password."""
    return _shown(reference.chart if reference.is_oci else reference.repository)


def _download(reference: ChartReference, folder: str) -> str:
    entry = _entry(reference, _index(reference))
    urls = entry.get("urls")
    if not isinstance(urls, list) or not urls:
        raise ChartError(
            f"{place_of(reference)} says of {reference.name} {reference.version} no address to get it from"
        )
    address = urllib.parse.urljoin(_folder_address(reference), str(urls[0]))
    archive = _get(address, reference)
    # Helm 3 writes the bare digest, registries of others put the algorithm before it.
    digest = str(entry.get("digest") or "").rpartition(":")[2].lower()
    if digest and hashlib.sha256(archive).hexdigest() != digest:
        raise ChartError(
            f"what {_shown(address)} sent is not the {reference.name} {reference.version} of its repository's index: "
            "the SHA-256 digest differs"
        )
    path = os.path.join(folder, "chart.tgz")
    with open(path, "wb") as file:
        file.write(archive)
    return path


def _index(reference: ChartReference) -> dict[str, Any]:
    """Return chart name -> its versions, from a repository's index."""
    import yaml

    address = urllib.parse.urljoin(_folder_address(reference), "index.yaml")
    try:
        index = parse_yaml(_get(address, reference))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ChartError(f"{_shown(address)} is no index of a Helm repository: it is no YAML") from error
    entries = index.get("entries") if isinstance(index, dict) else None
    if not isinstance(entries, dict):
        raise ChartError(f"{_shown(address)} is no index of a Helm repository: it has no 'entries'")
    return entries


def _entry(reference: ChartReference, entries: dict[str, Any]) -> dict[str, Any]:
    """Return what an index says about the version of a chart."""
    if not isinstance(entries.get(reference.name), list):
        raise ChartError(f"{place_of(reference)} has no chart {reference.name!r}{nearest(reference.name, entries)}")
    versions = {
        str(entry.get("version")): entry for entry in reversed(entries[reference.name]) if isinstance(entry, dict)
    }
    if reference.version in versions:
        return versions[reference.version]
    close = difflib.get_close_matches(reference.version, versions, n=3, cutoff=0.5)
    # An index begins with the newest.
    hint = f"nearest: {', '.join(close)}" if close else f"newest: {next(reversed(versions), 'none')}"
    raise ChartError(f"{place_of(reference)} has no {reference.name} {reference.version!r}; {hint}")


def _folder_address(reference: ChartReference) -> str:
    return reference.repository.rstrip("/") + "/"


def _get(address: str, reference: ChartReference) -> bytes:
    """Return what is at an address; the repository's password goes to its own host only."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise ChartError(f"{_shown(address)} is no http(s) address")
    request = urllib.request.Request(_without_login(parts), headers={"User-Agent": "hubfleet"})
    repository = urllib.parse.urlsplit(reference.repository)
    if repository.username and (parts.scheme, parts.hostname, parts.port) == (
        repository.scheme,
        repository.hostname,
        repository.port,
    ):
        login = f"{urllib.parse.unquote(repository.username)}:{urllib.parse.unquote(repository.password or '')}"
        # Unredirected: the server may send to another host.
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    try:
        with urllib.request.build_opener().open(request, timeout=NETWORK_TIMEOUT) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise ChartError(f"{_shown(address)} answers {error.code} {error.reason}") from error
    except http.client.IncompleteRead as error:
        raise ChartError(f"{_shown(address)} broke off the transfer") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ChartError(f"{_shown(address)} cannot be reached: {reason}") from error


def _shown(address: str) -> str:
    """Return an address without user, password and query: these hold secrets at times."""
    return _without_login(urllib.parse.urlsplit(address)._replace(query="", fragment=""))


def _without_login(parts: urllib.parse.SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _pull_with_helm(reference: ChartReference, folder: str, helm: str) -> str:
    """Let the helm command line download; it has the operator's logins."""
    command = [helm, "pull", reference.chart, "--version", reference.version, "--destination", folder]
    command += _plain_http(reference) if reference.is_oci else ["--repo", reference.repository]
    try:
        done = run_helm(command, HELM_TIMEOUT)
    except HelmDidNotRun as error:
        raise ChartError(f"helm pull of {reference.name} did not run: {error}") from error
    if done.returncode:
        raise _helm_says(reference, done.stderr)
    return _archive_in(reference, folder)


def _pull_with_library(reference: ChartReference, folder: str) -> str:
    """Let Helm as a library download."""
    try:
        import helm_python
    except ImportError as error:
        raise ChartError(
            f"charts in OCI registries need helm on PATH, or the Python package helm-python-sdk: {reference.chart}"
        ) from error
    try:
        helm_python.pull(
            reference.chart, destination=folder, version=reference.version, plain_http=bool(_plain_http(reference))
        )
    except helm_python.HelmError as error:
        raise _helm_says(reference, str(error)) from error
    return _archive_in(reference, folder)


def _plain_http(reference: ChartReference) -> list[str]:
    """Return the option for a registry on this machine, which has no certificate."""
    registry = reference.chart[len(OCI) :].partition("/")[0]
    return ["--plain-http"] if registry in _THIS_MACHINE or registry.rpartition(":")[0] in _THIS_MACHINE else []


def _helm_says(reference: ChartReference, text: str) -> ChartError:
    reason = " ".join(text.replace(reference.repository or OCI, place_of(reference)).split())
    reason = reason.partition("Error: ")[2] or reason
    return ChartError(f"{reference.name} {reference.version} cannot be had from {place_of(reference)}: {reason[:300]}")


def _archive_in(reference: ChartReference, folder: str) -> str:
    """Return the archive that Helm put into a folder; it says nowhere what it calls it."""
    archives = glob.glob(os.path.join(glob.escape(folder), "*.tgz"))
    if not archives:
        raise ChartError(f"helm pull of {reference.name} {reference.version} left no archive")
    return archives[0]
