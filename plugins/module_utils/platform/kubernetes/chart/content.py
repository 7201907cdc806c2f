# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference and the metadata of a Helm chart (https://helm.sh/docs/topics/charts)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ....common.text import one_line
from ...errors import PlatformError

METADATA, VALUES, SCHEMA = "Chart.yaml", "values.yaml", "values.schema.json"
#: More than Helm's own limit for a file of a chart (5 MiB).
LARGEST_FILE = 16 * 1024 * 1024
OCI = "oci://"


class ChartError(PlatformError):
    """A chart cannot be downloaded or read; the message is one sentence for the operator."""


@dataclass(frozen=True)
class ChartReference:
    """How a chart is referred to.

    chart: its name in ``repository``, or ``oci://registry/path/name``, or the absolute path of a directory or .tgz.
    version: exactly this one; unused for a path.
    repository: http(s) address of the folder that index.yaml is in; used for a name only.
    """

    chart: str
    version: str = ""
    repository: str = ""

    @property
    def is_path(self) -> bool:
        """Whether it is on this machine."""
        return os.path.isabs(self.chart)

    @property
    def is_oci(self) -> bool:
        """Whether it is in an OCI registry."""
        return self.chart.startswith(OCI)

    @property
    def name(self) -> str:
        """The name of the chart."""
        return self.chart.rstrip("/").rpartition("/")[2]

    @property
    def file(self) -> str:
        """File name in the cache; it depends on the repository, since names are unique only there."""
        place = f"{self.chart} {self.repository.rstrip('/')}"
        return f"{self.name}-{self.version}-{hashlib.sha256(place.encode()).hexdigest()[:12]}.tgz"


@dataclass(frozen=True)
class ChartContent:
    """The metadata and values of a chart.

    kube_version: the versions of Kubernetes it is for, as a constraint such as ``>=1.32.0-0``; "" for any.
    values: its defaults. schema: of its values, or None.
    """

    name: str
    version: str
    app_version: str
    kube_version: str
    values: dict[str, Any]
    schema: dict[str, Any] | None


def read(path: str) -> ChartContent:
    """Read a chart from a directory or .tgz without unpacking it; raises ChartError."""
    try:
        texts = _of_directory(path) if os.path.isdir(path) else _of_archive(path)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise ChartError(f"{path} cannot be read as a Helm chart: {error}") from error
    if METADATA not in texts:
        raise ChartError(f"{path} is not a Helm chart: it has no {METADATA}")
    metadata = _mapping(path, METADATA, texts[METADATA])
    for field in ("name", "version"):
        if not metadata.get(field):
            raise ChartError(f"{path} is not a Helm chart: its {METADATA} has no {field}")
    return ChartContent(
        name=str(metadata["name"]),
        version=str(metadata["version"]),
        app_version=str(metadata.get("appVersion") or ""),
        kube_version=str(metadata.get("kubeVersion") or ""),
        values=_mapping(path, VALUES, texts.get(VALUES, b"")),
        schema=_schema(path, texts[SCHEMA]) if SCHEMA in texts else None,
    )


def parse_yaml(text: bytes) -> Any:
    """Parse YAML, with the C parser where it is available; raises yaml.YAMLError."""
    import yaml  # only the controller reads charts, and Ansible brings it along there

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _of_directory(path: str) -> dict[str, bytes]:
    texts = {}
    for name in (METADATA, VALUES, SCHEMA):
        file = os.path.join(path, name)
        if os.path.isfile(file):
            with open(file, "rb") as stream:
                texts[name] = stream.read()
    return texts


def _of_archive(path: str) -> dict[str, bytes]:
    """Return the files of the chart in an archive, without those of subcharts."""
    texts = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if len(parts) == 2 and parts[1] in (METADATA, VALUES, SCHEMA) and member.isfile():
                if member.size > LARGEST_FILE:
                    raise tarfile.ReadError(f"{member.name} is larger than {LARGEST_FILE} bytes")
                texts[parts[1]] = (archive.extractfile(member) or io.BytesIO()).read()
    return texts


def _mapping(path: str, name: str, text: bytes) -> dict[str, Any]:
    import yaml

    try:
        content = parse_yaml(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ChartError(f"{name} of the chart {path} is not YAML: {one_line(error)}") from error
    if not isinstance(content or {}, dict):
        raise ChartError(f"{name} of the chart {path} is not a mapping")
    return content or {}


def _schema(path: str, text: bytes) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise ChartError(f"{SCHEMA} of the chart {path} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise ChartError(f"{SCHEMA} of the chart {path} is not a JSON schema")
    return schema
