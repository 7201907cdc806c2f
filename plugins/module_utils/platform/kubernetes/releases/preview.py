# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade would change in the objects of a release, before Helm is called.

Rendered with the secrets of the hub, the chart gives the same objects as Helm will make of it. So it is known which
pods restart, and which changes the cluster would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ....common.nested import value_at
from ....redaction.mask import MASK
from ....redaction.redactor import Redactor
from ..manifests.engine import RenderError, engine, renderer
from ..manifests.model import Release
from ..values.layers import Values
from .helm_secrets import HelmRelease

Object = dict[str, Any]
#: Kind and name of an object.
Name = tuple[str, str]

_HOOK = "helm.sh/hook"
#: Kinds whose pods restart where their template differs, with the place of it.
_POD_TEMPLATE = ("spec", "template")
_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet")
#: What cannot be changed of an object that exists (https://kubernetes.io/docs/reference/kubernetes-api).
_IMMUTABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")),
    "PersistentVolumeClaim": (("spec", "accessModes"), ("spec", "storageClassName"), ("spec", "volumeMode")),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
}


@dataclass(frozen=True)
class Preview:
    """What an upgrade changes.

    before, after: the objects that differ, by kind and name; contents of Secrets are masked.
    restarts: names of workloads whose pods restart. refused: what the cluster will not accept.
    """

    before: dict[str, Object] = field(default_factory=dict)
    after: dict[str, Object] = field(default_factory=dict)
    restarts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def preview(
    live: HelmRelease, chart: str, values: Values, redactor: Redactor, kubernetes: str | None = None
) -> Preview | None:
    """Return what an upgrade of a release would change; None where the chart cannot be rendered here.

    chart: path of a directory or archive. values: with all secrets. kubernetes: version of the cluster.
    """
    wanted = _rendered(live, chart, values, kubernetes)
    if wanted is None:
        return None
    import yaml  # Ansible brings it along

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    before = _by_name(each for each in yaml.load_all(live.manifest, Loader=loader) if each)
    after = _by_name(wanted)
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    masked = {name: _masked(before.get(name), after.get(name), redactor) for name in names}
    return Preview(
        {" ".join(name): sides[0] for name, sides in masked.items() if sides[0]},
        {" ".join(name): sides[1] for name, sides in masked.items() if sides[1]},
        [name[1] for name in names if _restarts(name, before, after)],
        [text for name in names if name in before and name in after for text in _refused(name, before, after)],
    )


def _rendered(live: HelmRelease, chart: str, values: Values, kubernetes: str | None) -> list[Object] | None:
    release = Release(live.name, live.namespace, chart, values)
    try:
        objects, problems = renderer(engine(), kubernetes).objects(release)
    except RenderError:
        return None
    return None if problems else objects


def _by_name(objects: Any) -> dict[Name, Object]:
    """Return the objects that are no hooks, by kind and name."""
    found = {}
    for each in objects:
        metadata = each.get("metadata") or {}
        if _HOOK not in (metadata.get("annotations") or {}):
            found[str(each.get("kind")), str(metadata.get("name"))] = each
    return found


def _restarts(name: Name, before: dict[Name, Object], after: dict[Name, Object]) -> bool:
    if name[0] not in _WITH_PODS or name not in before or name not in after:
        return False
    return bool(value_at(before[name], _POD_TEMPLATE) != value_at(after[name], _POD_TEMPLATE))


def _refused(name: Name, before: dict[Name, Object], after: dict[Name, Object]) -> Iterator[str]:
    for path in _IMMUTABLE.get(name[0], ()):
        if value_at(before[name], path) != value_at(after[name], path):
            yield f"{' '.join(name)}: {'.'.join(path)} cannot be changed"


def _masked(before: Object | None, after: Object | None, redactor: Redactor) -> tuple[Object, Object]:
    """Return both sides of an object, masked; a Secret shows which of its keys differ."""
    first, second = before or {}, after or {}
    if "Secret" in (first.get("kind"), second.get("kind")):
        return _without_content(first, second, MASK), _without_content(second, first, f"{MASK} (changed)")
    shown: tuple[Object, Object] = redactor.mask_change(first, second)
    return shown


def _without_content(secret: Object, other: Object, changed: str) -> Object:
    found = dict(secret)
    for key in ("data", "stringData"):
        content, others = secret.get(key) or {}, other.get(key) or {}
        if content:
            found[key] = {name: MASK if others.get(name) == value else changed for name, value in content.items()}
    return found
