# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare all objects of a release with its manifest, field by field, and say who changed what.

For each object that is there, the API server is asked what applying the manifest once more would make of it, as a dry
run by the field manager of Helm. So the defaults of the API and the notation of values make no difference. What others
have added is not changed by that; managedFields tells it. It makes no difference whether Helm itself applies objects
on the server (Helm 4) or on the client (Helm 3).

Nothing is changed in the cluster; the rights to get and patch the objects are needed all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ....common.text import abbreviated, one_line
from ...errors import PlatformError, UnreachableError
from ..api.client import APPLY_PATCH, ApiError, KubernetesApi
from ..labels import RELEASE_NAME, RELEASE_NAMESPACE
from ..manifests.documents import documents, flat, parse
from ..releases.helm_secrets import HelmRelease
from .compare import Difference, differences, is_of_controllers, to_apply
from .finding import ADDED, CHANGED, MISSING, NO_API, NOT_COMPARED, REMOVED, Finding, Shown
from .ignored import Rule, is_ignored, parse_rules
from .owner import HELM, Owner, additions, changed_by, owners_of
from .paths import ABSENT, Steps, live_value, path_text
from .resources import Resources

Json = dict[str, Any]
Mask = Callable[[object], object]

#: A release of the chart has about 25 objects.
_THREADS = 8
#: The scale subresource, which they use, leaves no owner.
_SCALED = "kubectl scale or an autoscaler"
_MOST_NAMES = 5
_FIXED = "the field cannot be changed"


def deep_drift(
    api: KubernetesApi,
    release: HelmRelease,
    ignored: Sequence[str],
    mask: Mask,
    resources: Resources | None = None,
) -> list[Finding]:
    """Return how the objects of a release differ from its manifest, in the order of the manifest.

    ignored: rules, see ignored.py. mask: returns a value without what is secret in it. resources: of the cluster, to
    be shared by releases, so that its API is read once.
    Raises UnreachableError, and PlatformError where the manifest cannot be read.
    """
    comparison = Comparison(api, release, parse_rules(ignored), mask, resources or Resources(api))
    found = comparison.run(objects_of(release))
    no_rights = [finding for finding in found if finding.code == NOT_COMPARED and not finding.note]
    findings = [finding for finding in found if finding not in no_rights]
    if no_rights:
        names = abbreviated([f"{finding.kind} {finding.name}" for finding in no_rights], _MOST_NAMES)
        note = f"not compared, since these credentials may not get and patch them: {names}"
        findings.append(Finding("", "", NOT_COMPARED, note=note))
    return findings


def objects_of(release: HelmRelease) -> list[Json]:
    """Return the objects of a release, with what Helm adds to each; raises PlatformError where they cannot be read."""
    try:
        found = [instance for document in documents(release.manifest) for instance in flat(parse(document))]
    except ValueError:  # the text of the error may hold a part of the content
        raise PlatformError(f"the manifest of the release {release.name} is not YAML") from None
    return [_with_metadata_of_helm(instance, release) for instance in found]


def _with_metadata_of_helm(instance: Json, release: HelmRelease) -> Json:
    """Return an object as Helm applies it; its manifest lacks what tells Helm that it is of the release."""
    metadata = instance.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    annotations = {
        **(metadata.get("annotations") or {}),
        RELEASE_NAME: release.name,
        RELEASE_NAMESPACE: release.namespace,
    }
    return {**instance, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


class Comparison:
    """One release on its cluster."""

    def __init__(self, api: KubernetesApi, release: HelmRelease, rules: list[Rule], mask: Mask, resources: Resources):
        self.api, self.release, self.rules, self.mask, self.resources = api, release, rules, mask, resources

    def run(self, objects: list[Json]) -> list[Finding]:
        """Return the findings of all objects."""
        self.api.connect()  # once, before threads do
        threads = ThreadPoolExecutor(_THREADS)
        try:
            versions = sorted({str(instance.get("apiVersion") or "") for instance in objects})
            list(threads.map(self.preload, versions))
            return [finding for found in threads.map(self.of_object, objects) for finding in found]
        finally:
            threads.shutdown(cancel_futures=True)

    def preload(self, api_version: str) -> None:
        """Read the kinds of a group and version; what is wrong with it is told by the objects that are of it."""
        try:
            self.resources.load(api_version)
        except ApiError:
            pass

    def of_object(self, manifest: Json) -> list[Finding]:
        """Return the findings of one object."""
        kind, name = str(manifest.get("kind") or ""), str((manifest.get("metadata") or {}).get("name") or "")
        if is_ignored(self.rules, kind, name, ""):
            return []
        try:
            path = self.resources.path(manifest, self.release.namespace)
            if not path:
                note = f"the cluster no longer has apiVersion {manifest.get('apiVersion')} of {kind} {name}"
                return [Finding(kind, name, NO_API, note=note)]
            live = self.api.find(path)
            if live is None:
                return [Finding(kind, name, MISSING)]
            return ObjectComparison(self, kind, name, manifest, path, live).findings()
        except ApiError as error:
            return [_not_compared(kind, name, error, self.mask)]


class ObjectComparison:
    """One object that is there."""

    def __init__(self, comparison: Comparison, kind: str, name: str, manifest: Json, path: str, live: Json):
        self.comparison, self.kind, self.name, self.path, self.live = comparison, kind, name, path, live
        self.manifest = to_apply(manifest, live)

    def findings(self) -> list[Finding]:
        """Return how it differs; raises ApiError and UnreachableError."""
        query = {"fieldManager": HELM, "dryRun": "All"}
        try:
            result = self.comparison.api.patch(self.path, self.manifest, APPLY_PATCH, force="true", **query)
        except UnreachableError as error:
            # So the API server also answers to what it cannot merge, such as a variable that is there twice.
            self.comparison.api.get(self.path)
            found = self.by_new(error, [])
        except ApiError as error:
            if error.status != 422:
                raise
            found = self.by_new(error, error.details.get("causes") or [])
        else:
            found = self.by_result(result)
        return [each for each in found if not is_ignored(self.comparison.rules, self.kind, self.name, each.path)]

    def by_result(self, result: Json) -> list[Finding]:
        """Return how it differs from what applying the manifest would make of it."""
        shown = self.shown(result)
        changes = differences(self.manifest, result, self.live)
        found = [self.of_difference(each, shown) for each in changes if not self.is_of_controller(each.steps)]
        return found + [self.of_addition(steps, owner, shown) for steps, owner in self.added(result).items()]

    def by_new(self, error: PlatformError, causes: list[Json]) -> list[Finding]:
        """Return how it differs from a new object, where the manifest cannot be applied any more.

        error, causes: why not.
        """
        try:
            new = self.new()
        except PlatformError:
            return [_not_compared(self.kind, self.name, error, self.comparison.mask)]
        fixed = [str(cause.get("field")) for cause in causes if "immutable" in str(cause.get("message"))]
        shown = self.shown(new)
        found = []
        for difference in differences(self.manifest, new, self.live):
            owner = changed_by(self.live, difference.steps)
            is_addition = owner is not None and not owner.is_helm and not owner.is_controller
            if is_addition if difference.wanted is ABSENT else not self.is_of_controller(difference.steps):
                note = _FIXED if any(_is_below(difference.path, field) for field in fixed) else ""
                found.append(self.of_difference(difference, shown, note))
        return found

    def new(self) -> Json:
        """Return what creating the object would make, as a dry run; raises ApiError and UnreachableError."""
        name = f"{self.name}-as-new"
        body = {**self.manifest, "metadata": {**self.manifest["metadata"], "name": name}}
        query = {"fieldManager": HELM, "dryRun": "All"}
        new = self.comparison.api.create(self.path.rpartition("/")[0], body, **query)
        return {**new, "metadata": {**new["metadata"], "name": self.name}}

    def added(self, result: Json) -> dict[Steps, Owner]:
        """Return what others have added, without what a new object would have as well: defaults of the API."""
        found = {
            steps: owner
            for steps, owner in additions(self.live, result).items()
            if not is_of_controllers(self.kind, steps)
        }
        if not found:
            return {}
        try:
            new = self.new()
        except PlatformError:  # such as a port that can be used only once, or no right to create
            return found
        different = [each.path for each in differences(self.manifest, new, self.live)]
        return {
            steps: owner
            for steps, owner in found.items()
            if any(_is_below(path, path_text(steps)) for path in different)
        }

    def shown(self, wanted: Json) -> Shown:
        """Return both versions of the object for people."""
        mask = self.comparison.mask
        return Shown(self.kind, mask(_without_managers(self.live)), mask(_without_managers(wanted)))

    def is_of_controller(self, steps: Steps) -> bool:
        """Return whether a controller changed a place."""
        owner = changed_by(self.live, steps)
        return owner is not None and owner.is_controller

    def of_difference(self, difference: Difference, shown: Shown, note: str = "") -> Finding:
        """Return the finding for a difference."""
        live, wanted = shown.texts(difference.steps, difference.live, difference.wanted)
        code = REMOVED if difference.live is ABSENT else ADDED if difference.wanted is ABSENT else CHANGED
        owner = changed_by(self.live, difference.steps)
        if owner and owner.is_helm and code == REMOVED:
            owner = None  # Helm has what is around it; who removes a field leaves no trace
        who = owner.manager if owner else ""
        if not owners_of(self.live, difference.steps) and difference.path == "spec.replicas":
            who = _SCALED
        when = owner.time if owner else ""
        return Finding(self.kind, self.name, code, difference.path, live, wanted, who, when, note)

    def of_addition(self, steps: Steps, owner: Owner, shown: Shown) -> Finding:
        """Return the finding for what somebody added."""
        live, _nothing = shown.texts(steps, live_value(self.live, steps), ABSENT)
        return Finding(self.kind, self.name, ADDED, path_text(steps), live, "", owner.manager, owner.time)


def _not_compared(kind: str, name: str, error: PlatformError, mask: Mask) -> Finding:
    """Return a finding for an object that the API server does not let us compare; without a note for lack of rights."""
    if isinstance(error, ApiError) and error.status == 403 and " cannot " in str(error):
        return Finding(kind, name, NOT_COMPARED)
    why = "the API server refuses it" if kind == "Secret" else one_line(mask(str(error)), 200)
    return Finding(kind, name, NOT_COMPARED, note=f"{kind} {name} is not compared: {why}")


def _without_managers(instance: Json) -> Json:
    metadata = {key: value for key, value in instance["metadata"].items() if key != "managedFields"}
    return {**instance, "metadata": metadata}


def _is_below(path: str, field: str) -> bool:
    """Return whether a path is a field, or below it."""
    return path == field or path.startswith((f"{field}.", f"{field}["))
