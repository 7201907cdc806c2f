# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate manifests against the schemas of the Kubernetes API, including unknown fields.

The schemas are those of the PyPI package kubernetes-validate: one file of definitions per minor version, made from the
OpenAPI document of the API server. That package compiles a schema for every manifest, which takes longer than rendering
it; here jsonschema-rs compiles each kind once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from typing import Any

from ....schema.problems import nearest
from ...errors import PlatformError
from .model import ManifestProblem

NO_SCHEMAS = (
    "checking manifests needs the Python packages kubernetes-validate and jsonschema-rs: "
    "pip install kubernetes-validate jsonschema-rs"
)

_BASE = "https://kubernetes.io/api/_definitions.json"
_VERSION = re.compile(r"v?(\d+)\.(\d+)(\.\d+)?")


def schema_version(kube_version: str | None) -> str:
    """Return the minor version whose schemas are nearest to a version of Kubernetes: ``v1.31.2`` -> ``1.31``.

    The newest without one. Raises PlatformError for an invalid version, or where the schemas are missing.
    """
    (major, minor), _folder = _nearest_schemas(kube_version)
    return f"{major}.{minor}"


def minor_version(kube_version: str) -> tuple[int, int]:
    """``v1.31.2`` -> (1, 31); raises PlatformError."""
    match = _VERSION.match(kube_version)
    if not match:
        raise PlatformError(f"{kube_version!r} is not a version of Kubernetes, such as 1.34")
    return int(match[1]), int(match[2])


class ManifestChecker:
    """Validates the objects of releases, with compiled schemas."""

    def __init__(self, kube_version: str | None):
        try:
            import jsonschema_rs
        except ImportError as error:
            raise PlatformError(NO_SCHEMAS) from error
        self._rules = jsonschema_rs
        self._version, folder = _nearest_schemas(kube_version)
        self._is_newer = bool(kube_version) and minor_version(kube_version or "") > self._version
        with open(os.path.join(folder, "_definitions.json"), encoding="utf-8") as file:
            content = json.load(file)
        self._definitions: dict[str, Any] = content["$defs"]
        self._registry = jsonschema_rs.Registry([(_BASE, content)])
        self._known = _kinds(self._definitions)
        self._groups = {api_version.rpartition("/")[0] for api_version, _kind in self._known}
        self._validators: dict[str, Any] = {}

    def check(self, objects: list[dict[str, Any]]) -> tuple[list[ManifestProblem], dict[str, int]]:
        """Return the problems of a release's objects, and counts of objects without a schema."""
        problems: list[ManifestProblem] = []
        unchecked: dict[str, int] = {}
        seen = set()
        for manifest in objects:
            api_version, kind, name, namespace = _identity(manifest)
            missing = [
                field
                for field, value in ((("apiVersion",), api_version), (("kind",), kind), (("metadata", "name"), name))
                if not value
            ]
            problems += [ManifestProblem(kind or "manifest", name, field, "it is missing") for field in missing]
            if not missing:
                key = (api_version.rpartition("/")[0], kind, namespace, name)
                if key in seen:
                    problems.append(ManifestProblem(kind, name, (), "the kind and name are used twice"))
                seen.add(key)
            definition = self._known.get((api_version, kind))
            if definition:
                problems += self._violations(definition, manifest, kind, name)
            elif api_version and kind and api_version.rpartition("/")[0] in self._groups and not self._is_newer:
                problems.append(ManifestProblem(kind, name, ("apiVersion",), self._no_such_kind(api_version, kind)))
            elif api_version and kind:
                label = f"{api_version} {kind}"
                unchecked[label] = unchecked.get(label, 0) + 1
        return problems, unchecked

    def _violations(self, definition: str, manifest: dict[str, Any], kind: str, name: str) -> list[ManifestProblem]:
        validator = self._validators.get(definition)
        if validator is None:
            # Errors never contain a value, which may be a secret in any kind.
            validator = self._rules.Draft202012Validator(
                {"$ref": f"{_BASE}#/$defs/{definition}"}, registry=self._registry, mask="the value"
            )
            self._validators[definition] = validator
        problems = []
        for error in validator.iter_errors(manifest):
            path = tuple(error.instance_path)
            for field, message in self._messages(error):
                place = (*path, field) if field else path
                problems.append(ManifestProblem(kind, name, place, message))
        return problems

    def _messages(self, error: Any) -> list[tuple[str, str]]:
        """Return an error of jsonschema-rs as (field below its place or "", message)."""
        kinds, details = self._rules.ValidationErrorKind, error.kind
        if isinstance(details, kinds.AdditionalProperties):
            known = self._fields(error.schema_path[:-1])
            return [(field, f"unknown field{nearest(field, known, 'known')}") for field in details.unexpected]
        if isinstance(details, kinds.Required):
            return [(details.property, "it is missing")]
        if isinstance(details, kinds.Enum):
            return [("", f"must be one of {', '.join(str(option) for option in details.options)}")]
        types = _types(error, kinds)
        return [("", f"must be {' or '.join(types)}" if types else error.message)]

    def _fields(self, schema_path: list[str | int]) -> list[str]:
        """Return the fields that the schema at a place of the definitions knows."""
        schema: Any = {"$defs": self._definitions}
        for part in schema_path:
            schema = schema[part]
        return list(schema.get("properties", ()))

    def _no_such_kind(self, api_version: str, kind: str) -> str:
        group, _slash, _version = api_version.rpartition("/")
        version = ".".join(map(str, self._version))
        elsewhere = sorted(known for known, other in self._known if other == kind and known.rpartition("/")[0] == group)
        if elsewhere:
            return f"Kubernetes {version} has no {kind} in {api_version}; it is in {', '.join(elsewhere)}"
        kinds = {other for known, other in self._known if known == api_version}
        return f"Kubernetes {version} has no {kind} in {api_version}{nearest(kind, kinds)}"


def _identity(manifest: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return apiVersion, kind, name and namespace, each "" where it is missing or no text."""
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    parts = (manifest.get("apiVersion"), manifest.get("kind"), metadata.get("name"), metadata.get("namespace"))
    api_version, kind, name, namespace = (part if isinstance(part, str) else "" for part in parts)
    return api_version, kind, name, namespace


def _types(error: Any, kinds: Any) -> list[str]:
    """Return the expected JSON types, without null, which only means a missing field."""
    if isinstance(error.kind, kinds.Type):
        return [name for name in error.kind.types if name != "null"]
    if isinstance(error.kind, kinds.OneOfNotValid):
        return [name for branch in error.kind.context for below in branch for name in _types(below, kinds)]
    return []


def _kinds(definitions: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return (apiVersion, kind) -> name of its definition."""
    found = {}
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", ())
        if len(kinds) == 1:  # types with several, such as DeleteOptions, are not objects
            group, version = kinds[0]["group"], kinds[0]["version"]
            found[f"{group}/{version}" if group else version, kinds[0]["kind"]] = name
    return found


def _nearest_schemas(kube_version: str | None) -> tuple[tuple[int, int], str]:
    """Return (version, folder) of the schemas nearest to a version; raises PlatformError."""
    package = importlib.util.find_spec("kubernetes_validate")
    if package is None or not package.submodule_search_locations:
        raise PlatformError(NO_SCHEMAS)
    root = os.path.join(package.submodule_search_locations[0], "kubernetes-json-schema")
    shipped = {}
    for folder in os.listdir(root):
        if folder.endswith("-local-strict"):
            shipped[minor_version(folder)] = os.path.join(root, folder)
    not_newer = [version for version in shipped if not kube_version or version <= minor_version(kube_version)]
    nearest_version = max(not_newer, default=min(shipped))
    return nearest_version, shipped[nearest_version]
