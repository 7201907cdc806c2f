# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes refuses in parts of a pod, whatever the chart's schema and KubeSpawner's traits allow.

Each rule yields (place inside the value, message) and passes over what has a wrong type altogether, which others
report; no message contains a value. Source: Kubernetes' ``pkg/apis/core/validation`` and
``apimachinery/pkg/util/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from ....common.nested import Path
from ....schema.formatted_text import sample
from ....schema.model import EncryptedValue
from ....schema.problems import nearest
from ....schema.values import IMAGE
from .hub_config import type_name

Found = Iterator[tuple[Path, str]]
Rule = Callable[[Any], Found]

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WORD = r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_SUBDOMAIN}/)?{_WORD}")
_LABEL = re.compile(rf"({_WORD})?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OBJECT = re.compile(rf"(?=.{{1,253}}$){_SUBDOMAIN}")
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]?|[eE][+-]?[0-9]{1,3})")
_FACTORS = {
    **{
        unit: Fraction(1000) ** power
        for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}

_ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_PULL_POLICIES = ("IfNotPresent", "Always", "Never")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATION = ("key", "operator", "value", "effect", "tolerationSeconds", "toleration_seconds")
_ENVIRONMENT = ("name", "value", "valueFrom", "value_from")


def amount(quantity: Any) -> Fraction | None:
    """Return a Kubernetes quantity as a number; None if it is not one."""
    if isinstance(quantity, bool) or not isinstance(quantity, (str, int, float)):
        return None
    match = _QUANTITY.fullmatch(str(quantity))
    if not match:
        return None
    number, unit = Fraction(match[1]), match[2]
    return number * Fraction(10) ** int(unit[1:]) if unit[:1] in "eE" and unit[1:] else number * _FACTORS[unit]


def quantity(value: Any) -> Found:
    """A quantity."""
    if value is not None and amount(value) is None:
        yield (), "is not a Kubernetes quantity such as 10Gi, 500M or 0.5"


def resources(value: Any) -> Found:
    """Amounts by resource."""
    for name, given in items_of(value):
        if not _KEY.fullmatch(str(name)):
            yield (name,), "is not the name of a resource, such as nvidia.com/gpu"
        else:
            yield from _inside(name, quantity(given))


def resource_requirements(value: Any) -> Found:
    """``limits`` and ``requests`` of a container."""
    if not isinstance(value, dict):
        return
    for bound in ("limits", "requests"):
        yield from _inside(bound, resources(value.get(bound)))
    limits, requests = value.get("limits"), value.get("requests")
    if isinstance(limits, dict) and isinstance(requests, dict):
        for name in limits.keys() & requests.keys():
            limit, request = amount(limits[name]), amount(requests[name])
            if limit is not None and request is not None and request > limit:
                yield ("requests", name), "is larger than the limit"


def labels(value: Any) -> Found:
    """Labels; their values may have placeholders of KubeSpawner."""
    yield from _labels(value, sample)


def node_labels(value: Any) -> Found:
    """Labels of nodes; nothing formats them."""
    yield from _labels(value, lambda text: text)


def _labels(value: Any, made: Callable[[str], str]) -> Found:
    for name, given in items_of(value):
        if not _KEY.fullmatch(str(name)):
            yield (name,), "is not the name of a label, such as example.org/team"
        elif not isinstance(given, str):
            yield (name,), f"must be text{_quotes(given)}, not {type_name(given)}"
        elif not _unknown(given) and not _fits(_LABEL, made(given), made is sample):
            yield (name,), "is not the value of a label: at most 63 letters, digits, '-', '_' and '.'"


def annotation_texts(value: Any) -> Found:
    """Annotations: texts, by names like those of labels."""
    for name, given in items_of(value):
        if not _KEY.fullmatch(str(name)):
            yield (name,), "is not the name of an annotation, such as example.org/team"
        elif not isinstance(given, str):
            yield (name,), f"must be text{_quotes(given)}, not {type_name(given)}"


def environment(value: Any) -> Found:
    """Environment variables by name: texts, or what a container has in ``env``."""
    for name, given in items_of(value):
        # Newer versions of Kubernetes take more than letters, digits, '-', '_' and '.'.
        if not re.fullmatch(r"[ -<>-~]+", str(name)):
            yield (name,), "is not the name of an environment variable"
        elif isinstance(given, dict):
            yield from _inside(name, _variable(given))
        elif given is not None and not isinstance(given, str):
            yield (name,), f"must be text{_quotes(given)}, not {type_name(given)}"


def _variable(given: dict[str, Any]) -> Found:
    for key in given.keys() - set(_ENVIRONMENT):
        yield (key,), f"is not a key of an environment variable{nearest(key, _ENVIRONMENT[:3], 'known')}"
    text = given.get("value")
    if text is not None and not isinstance(text, str):
        yield ("value",), f"must be text{_quotes(text)}, not {type_name(text)}"


def not_expanded(value: Any) -> Found:
    """Text that JupyterHub puts into an environment variable as it is."""
    if isinstance(value, str) and ("$(" in value or "$$" in value):
        yield (), "must not contain '$(' or '$$', which Kubernetes replaces"


def tolerations(value: Any) -> Found:
    """Tolerations."""
    for index, given in items_of(value):
        if not isinstance(given, dict):
            yield (index,), f"must be a mapping, a toleration, not {type_name(given)}"
            continue
        for key in given.keys() - set(_TOLERATION):
            yield (index, key), f"is not a key of a toleration{nearest(key, _TOLERATION[:-1], 'known')}"
        operator, effect = given.get("operator") or "Equal", given.get("effect")
        seconds = given.get("tolerationSeconds", given.get("toleration_seconds"))
        if operator not in ("Exists", "Equal"):
            yield (index, "operator"), f"is not allowed{nearest(str(operator), ('Exists', 'Equal'), 'allowed')}"
        elif operator == "Exists" and given.get("value"):
            yield (index, "value"), "must not be set with operator: Exists"
        elif operator == "Equal" and not given.get("key"):
            yield (index,), "key is missing; only operator: Exists does without"
        if effect and effect not in _EFFECTS:
            yield (index, "effect"), f"is not allowed{nearest(str(effect), _EFFECTS, 'allowed')}"
        elif seconds is not None and effect != "NoExecute":
            yield (index,), "tolerationSeconds is only for effect: NoExecute"
        text = given.get("value")
        if text is not None and not isinstance(text, str):
            yield (index, "value"), f"must be text{_quotes(text)}, not {type_name(text)}"


def image(value: Any) -> Found:
    """The name of an image, with or without a tag."""
    if isinstance(value, str) and value and not _unknown(value) and not IMAGE.fullmatch(value):
        yield (), "is not the name of a container image, such as quay.io/jupyter/scipy-notebook:2025-11-10"


def pull_policy(value: Any) -> Found:
    """When an image is pulled."""
    if isinstance(value, str) and value and value not in _PULL_POLICIES:
        yield (), f"is not allowed{nearest(value, _PULL_POLICIES, 'allowed')}"


def object_name(value: Any) -> Found:
    """The name of an object in the cluster."""
    if isinstance(value, str) and value and not _unknown(value) and not _fits(_OBJECT, sample(value)):
        yield (), "is not a Kubernetes name: lower-case letters, digits, '-' and '.'"


def access_modes(value: Any) -> Found:
    """Access modes of a volume."""
    for index, given in items_of(value):
        if isinstance(given, str) and given not in _ACCESS_MODES:
            yield (index,), f"is not allowed{nearest(given, _ACCESS_MODES, 'allowed')}"


def port(value: Any) -> Found:
    """A port; KubeSpawner takes 0 for its default."""
    if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= 65535:
        yield (), "is not a port number from 1 to 65535"


def identifier(value: Any) -> Found:
    """The number of a user or group."""
    if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value < 2**31:
        yield (), f"is not a number of a user or group from 0 to {2**31 - 1}"


def containers(value: Any) -> Found:
    """Containers beside that of the session."""
    for index, given in items_of(value):
        if not isinstance(given, dict):
            yield (index,), f"must be a mapping, a container, not {type_name(given)}"
            continue
        yield from _inside(index, _container(given))


def _container(given: dict[str, Any]) -> Found:
    for key, what in (("name", "name of the container"), ("image", "image of the container")):
        if not given.get(key):
            yield (), f"{key} is missing ({what})"
    name, variables = given.get("name"), given.get("env")
    if isinstance(name, str) and name and not _fits(_NAME, sample(name)):
        yield ("name",), "is not a Kubernetes name: at most 63 lower-case letters, digits and '-'"
    if isinstance(given.get("image"), str):
        yield from _inside("image", image(sample(given["image"])))
    for key in ("command", "args"):
        words = given.get(key)
        if words is not None and not isinstance(words, list):
            yield (key,), f"must be a list, not {type_name(words)}"
        for place, word in enumerate(words if isinstance(words, list) else ()):
            if not isinstance(word, str):
                yield (key, place), f"must be text{_quotes(word)}, not {type_name(word)}"
    if variables is not None and not isinstance(variables, list):
        yield ("env",), f"must be a list of mappings with name and value, not {type_name(variables)}"
    for place, variable in enumerate(variables if isinstance(variables, list) else ()):
        if not isinstance(variable, dict) or not variable.get("name"):
            yield ("env", place), "must be a mapping with name and value"
        else:
            yield from _inside("env", _inside(place, _variable(variable)))
    yield from _inside("resources", resource_requirements(given.get("resources")))


def volume(given: Any) -> Found:
    """A volume of a pod."""
    if not isinstance(given, dict):
        yield (), f"must be a mapping, a volume, not {type_name(given)}"
        return
    name = given.get("name")
    if not name:
        yield (), "name is missing (name of the volume)"
    elif isinstance(name, str) and not _fits(_NAME, sample(name)):
        yield ("name",), "is not a Kubernetes name: at most 63 lower-case letters, digits and '-'"
    kinds = sorted(key for key, value in given.items() if key != "name" and value is not None)
    if len(kinds) > 1:
        yield (), f"has several kinds of volumes: {', '.join(map(str, kinds))}; only one is allowed"


def mount(given: Any) -> Found:
    """A mount of a volume in a container."""
    if not isinstance(given, dict):
        yield (), f"must be a mapping, a mount, not {type_name(given)}"
        return
    for key, what in (("name", "name of the volume"), ("mountPath", "path in the container")):
        if not (given.get(key) or given.get({"mountPath": "mount_path"}.get(key, key))):
            yield (), f"{key} is missing ({what})"
    below = given.get("subPath")
    if isinstance(below, str) and (below.startswith("/") or ".." in below.split("/")):
        yield ("subPath",), "must be a relative path without '..'"
    if below and given.get("subPathExpr"):
        yield ("subPathExpr",), "must not be set together with subPath"
    path = given.get("mountPath")
    if isinstance(path, str) and ":" in path:
        yield ("mountPath",), "must not contain ':'"
    elif isinstance(path, str) and path and not path.strip("/"):
        yield ("mountPath",), "must not be the root directory: it would hide the files of the image"


def items_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return key or index, and content, of a mapping's or list's entries; nothing of other values."""
    if isinstance(value, dict):
        # Null takes away what is below.
        return [(key, item) for key, item in value.items() if item is not None]
    return enumerate(value) if isinstance(value, list) else ()


def _inside(step: Any, found: Found) -> Found:
    for path, message in found:
        yield (step, *path), message


def _fits(pattern: re.Pattern[str], made: str, is_formatted: bool = True) -> bool:
    """Tell whether a text fits; what is left of braces that cannot be formatted is reported as such."""
    return pattern.fullmatch(made) is not None or (is_formatted and re.search(r"[{}]", made) is not None)


def _unknown(value: Any) -> bool:
    return isinstance(value, EncryptedValue)


def _quotes(value: Any) -> str:
    return " in quotes" if isinstance(value, (bool, int, float)) else ""
