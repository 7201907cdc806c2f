# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render one release with the helm command line, or with Helm as a library (PyPI helm-python-sdk).

Neither contacts a cluster. Both include hooks and omit CRDs and NOTES.txt, as ``helm template`` does.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from typing import Any

from ....common.errors import HubfleetError
from ...errors import PlatformError
from ..helm import LIBRARY, NO_HELM, HelmDidNotRun, has_library, run_helm
from .documents import documents, flat, parse
from .failures import one_line, problems_of
from .model import PLACEHOLDER, Engine, ManifestProblem, Release

RENDER_TIMEOUT = 120

# Parsers of YAML quote the text itself.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


class RenderError(HubfleetError):
    """A release could not be rendered, because of ``problems``."""

    def __init__(self, problems: list[ManifestProblem]):
        super().__init__("; ".join(problem.line() for problem in problems))
        self.problems = problems


def engine() -> Engine:
    """Return the engine of this machine: the command line, which also deploys, else the library.

    Raises PlatformError where neither is installed.
    """
    command = shutil.which("helm")
    if command:
        return Engine(f"helm {_version_of(command)}", command)
    if not has_library():
        raise PlatformError(f"rendering a Helm chart {NO_HELM}")
    return Engine(f"{LIBRARY} {importlib.metadata.version(LIBRARY)}")


def _version_of(command: str) -> str:
    try:
        done = subprocess.run(
            [command, "version", "--short"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RENDER_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PlatformError(f"{command} is on PATH but does not run: {type(error).__name__}") from error
    return done.stdout.strip()


class Renderer(ABC):
    """Renders with one engine for one version of Kubernetes."""

    def __init__(self, kube_version: str | None):
        self.kube_version = kube_version

    def objects(self, release: Release) -> tuple[list[dict[str, Any]], list[ManifestProblem]]:
        """Return a release's objects, and problems of output that is not YAML; raises RenderError, PlatformError."""
        objects: list[dict[str, Any]] = []
        problems = []
        for template, text in self.templates(release).items():
            for document in documents(text):
                try:
                    found = self.parse(document)
                except ValueError as error:
                    problem = _QUOTED.sub(PLACEHOLDER, one_line(str(error), release.values))
                    problems.append(ManifestProblem("template", template, (), f"its output is not YAML: {problem}"))
                else:
                    objects += flat(found)
        return objects, problems

    @abstractmethod
    def templates(self, release: Release) -> dict[str, str]:
        """Return template -> its output; raises RenderError."""

    @abstractmethod
    def parse(self, document: str) -> dict[str, Any]:
        """Parse a YAML document that is a mapping, or empty; raises ValueError."""


class CommandRenderer(Renderer):
    """Renders with the helm command line, one process per release."""

    def __init__(self, command: str, kube_version: str | None):
        super().__init__(kube_version)
        self._command = command

    def templates(self, release: Release) -> dict[str, str]:
        """See Renderer."""
        # Values contain secrets, so they are passed through a pipe and never written to a file.
        command = [self._command, "template", release.name, release.chart, "--values", "-"]
        command += ["--namespace", release.namespace]
        if self.kube_version:
            command += ["--kube-version", self.kube_version]
        try:
            done = run_helm(command, RENDER_TIMEOUT, json.dumps(release.values))
        except HelmDidNotRun as error:
            raise PlatformError(f"helm template of {release.name} did not run: {error}") from error
        if done.returncode:
            raise RenderError(problems_of(done.stderr, release.name, release.values))
        return {release.chart: done.stdout}

    def parse(self, document: str) -> dict[str, Any]:
        """See Renderer. Helm has parsed it already, so only types may differ."""
        return parse(document)


class LibraryRenderer(Renderer):
    """Renders with Helm as a library, which keeps charts loaded."""

    def __init__(self, kube_version: str | None):
        super().__init__(kube_version)
        try:
            import helm_python
        except Exception as error:  # such as a library that is built for another kind of machine
            raise PlatformError(f"the Python package {LIBRARY} does not work here: {error}") from error
        self._helm = helm_python
        self._charts: dict[str, Any] = {}

    def templates(self, release: Release) -> dict[str, str]:
        """See Renderer."""
        # Chart.render() has no parameter for the version of Kubernetes (0.2.2); the function below it has.
        from helm_python import _native

        options = {"name": release.name, "namespace": release.namespace}
        if self.kube_version:
            options["kube_version"] = self.kube_version
        try:
            self._helm.validate_release_name(release.name)
            if release.chart not in self._charts:
                self._charts[release.chart] = self._helm.Chart.load(release.chart)
            chart = self._charts[release.chart]._raw()
            rendered = _native.call_string("helm_render", chart, json.dumps(release.values), json.dumps(options))
        except self._helm.HelmError as error:
            raise RenderError(problems_of(str(error), release.name, release.values)) from error
        texts: dict[str, str] = json.loads(rendered)
        return {template: text for template, text in texts.items() if not template.endswith("NOTES.txt")}

    def parse(self, document: str) -> dict[str, Any]:
        """See Renderer. Helm's parser reads ``y`` as true and ``1e3`` as a number."""
        try:
            found: dict[str, Any] = self._helm.values_from_yaml(document)
        except self._helm.HelmError as error:
            raise ValueError(str(error)) from error
        return found


def renderer(chosen: Engine, kube_version: str | None) -> Renderer:
    """Return the renderer of an engine; raises PlatformError."""
    if chosen.command:
        return CommandRenderer(chosen.command, kube_version)
    return LibraryRenderer(kube_version)
