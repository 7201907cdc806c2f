# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Helm chart: on this machine, among earlier downloads, or where it is published.

A chart is named by a repository (https://helm.sh/docs/topics/chart_repository), by an OCI registry
(https://helm.sh/docs/topics/registries), or by a path on this machine. What is downloaded stays in a cache directory;
a version of a chart never changes, so what is there is never asked for again.
"""

from __future__ import annotations

import os
import shutil
import tempfile

from .content import ChartContent, ChartError, ChartReference, read
from .download import download, place_of

__all__ = ["ChartContent", "ChartError", "ChartReference", "at_hand", "fetch", "read"]


def at_hand(reference: ChartReference, cache: str) -> str | None:
    """Return the path of a chart that can be read without network, or None."""
    path = reference.chart if reference.is_path else os.path.join(cache, reference.file)
    return path if os.path.exists(path) else None


def fetch(reference: ChartReference, cache: str, helm: str | None = None) -> str:
    """Return the path of a chart, downloaded into ``cache`` unless it is at hand; raises ChartError.

    helm: path of the helm command line, which knows registries an operator has logged in to; or None.
    """
    path = at_hand(reference, cache)
    if path:
        return path
    if reference.is_path:
        raise ChartError(f"there is no chart at {reference.chart}")
    if not reference.version or os.sep in reference.version:
        raise ChartError(f"the chart {reference.chart} needs an exact version, not {reference.version!r}")
    try:
        return _download_into(reference, cache, helm)
    except OSError as error:
        raise ChartError(f"{cache} cannot hold a chart: {error.strerror or error}") from error


def _download_into(reference: ChartReference, cache: str, helm: str | None) -> str:
    os.makedirs(cache, exist_ok=True)
    target = os.path.join(cache, reference.file)
    # Beside its place, so that it gets there whole or not at all.
    folder = tempfile.mkdtemp(prefix=".download-", dir=cache)
    try:
        downloaded = download(reference, folder, helm)
        content = read(downloaded)
        if (content.name, content.version) != (reference.name, reference.version):
            raise ChartError(
                f"{place_of(reference)} gave {content.name} {content.version} for {reference.name} {reference.version}"
            )
        os.replace(downloaded, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target
