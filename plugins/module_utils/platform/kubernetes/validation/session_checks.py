# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what would fail the start of sessions, wherever it was set: options, Helm values, profiles, ``hub.config``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....common.nested import leaves
from ....schema import formatted_text
from ....schema.model import EncryptedValue
from ....schema.problems import nearest
from ....schema.units import parse_memory
from ...config_classes import Traits
from ..values.layers import ChartPath, Values
from . import pod_rules
from .hub_config import check_trait
from .sessions import Given, Session, formatted_places, given_traits, session_of, spawner_traits

Report = Callable[[ChartPath, str], None]

#: Traits whose texts KubeSpawner formats -> the placeholders that these may have.
_FORMATTED = {
    **dict.fromkeys(
        (
            *("environment", "extra_labels", "extra_annotations", "storage_extra_labels", "storage_extra_annotations"),
            *("storage_selector", "user_namespace_labels", "user_namespace_annotations", "user_namespace_template"),
            *("volumes", "volume_mounts", "init_containers", "extra_containers", "extra_pod_config", "service_account"),
            *("pod_name_template", "pvc_name_template", "secret_name_template", "pod_connect_ip"),
        ),
        formatted_text.KUBESPAWNER,
    ),
    **dict.fromkeys(("default_url", "notebook_dir"), formatted_text.JUPYTERHUB),
    "dns_name_template": formatted_text.DNS_NAME,
}
#: Formatted once, when the hub makes a spawner: not in overrides.
_FORMATTED_AT_FIRST = {"working_dir": formatted_text.KUBESPAWNER}

#: Traits -> what Kubernetes accepts in them.
_RULES: dict[str, pod_rules.Rule] = {
    "environment": pod_rules.environment,
    **dict.fromkeys(("extra_labels", "storage_extra_labels", "user_namespace_labels"), pod_rules.labels),
    **dict.fromkeys(
        ("extra_annotations", "storage_extra_annotations", "user_namespace_annotations"), pod_rules.annotation_texts
    ),
    "node_selector": pod_rules.node_labels,
    "tolerations": pod_rules.tolerations,
    **dict.fromkeys(("extra_resource_limits", "extra_resource_guarantees"), pod_rules.resources),
    "image": pod_rules.image,
    **dict.fromkeys(("service_account", "priority_class_name", "storage_class"), pod_rules.object_name),
    "storage_capacity": pod_rules.quantity,
    "storage_access_modes": pod_rules.access_modes,
    **dict.fromkeys(("port", "hub_connect_port"), pod_rules.port),
    **dict.fromkeys(("uid", "gid", "fs_gid"), pod_rules.identifier),
    **dict.fromkeys(("init_containers", "extra_containers"), pod_rules.containers),
    "image_pull_policy": pod_rules.pull_policy,
    **dict.fromkeys(("default_url", "notebook_dir"), pod_rules.not_expanded),
}
#: The same for each entry of a mapping or list.
_ITEM_RULES: dict[str, pod_rules.Rule] = {"volumes": pod_rules.volume, "volume_mounts": pod_rules.mount}
#: The container that KubeSpawner adds.
_OWN_CONTAINER = "notebook"


def check_sessions(full: Values, merged: Values, traits: Traits, report: Report) -> Session:
    """Report what fails the start of every session; return the session, for :func:`check_choice`.

    full, merged: the values with and without the chart's defaults.
    """
    known = spawner_traits(traits)
    given = list(given_traits(full, merged, known))
    for each in given:
        if each.by_default:
            continue
        if each.path[0] == "singleuser" and each.trait in known:  # those in hub.config are checked with it
            check_trait(each.value, known[each.trait], _below(each.path, report))
        _check_value(each, report)
        _check_texts(each, _FORMATTED | _FORMATTED_AT_FIRST, report)
    for path, value in formatted_places(full):
        _check_texts(Given("volumes", path, value), _FORMATTED, report)
    session = session_of(full, given)
    for items, rule in ((session.volumes, pod_rules.volume), (session.mounts, pod_rules.mount)):
        for path, item in items:
            if path[-1] != "homeMountPath":
                _report_found(rule(item), path, report)
    for path, message in combinations(session):
        report(path, message)
    return session


def check_overrides(path: ChartPath, overrides: Values, report: Report) -> None:
    """Report values in overrides of KubeSpawner that fail the start of a session, each by itself."""
    for trait, value in overrides.items():
        given = Given(trait, (*path, trait), value)
        _check_value(given, report)
        _check_texts(given, _FORMATTED, report)
        rule = _ITEM_RULES.get(trait)
        if rule and isinstance(value, list):
            message = "is a list, so that it replaces those of all sessions, homes included; write a mapping by name"
            report((*path, trait), message)
        elif rule:
            for key, item in pod_rules.items_of(value):
                _report_found(rule(item), (*path, trait, key), report)


def check_choice(session: Session, path: ChartPath, overrides: Values, report: Report) -> Session:
    """Report what does not fit together once a choice overrides a session; return the resulting session."""
    chosen = session.overridden(path, overrides)
    for place, message in combinations(chosen):
        if place[: len(path)] == path:
            report(place, message)
    return chosen


def _check_value(given: Given, report: Report) -> None:
    rule = _RULES.get(given.trait)
    if rule:
        _report_found(rule(given.value), given.path, report)


def _check_texts(given: Given, known: dict[str, tuple[str, ...]], report: Report) -> None:
    """Report texts that cannot be formatted."""
    placeholders = known.get(given.trait)
    for path, text in leaves(given.value, given.path) if placeholders else ():
        if isinstance(text, str) and not isinstance(text, EncryptedValue):
            message = formatted_text.placeholder_problem(text, placeholders or ())
            if message:
                report(path, message)


# --- What does not fit together


def combinations(session: Session) -> pod_rules.Found:
    """Yield (place, message) of values that are refused together."""
    yield from _amounts(session)
    yield from _extended_resources(session)
    yield from _containers(session)
    yield from _storage(session)


def _amounts(session: Session) -> pod_rules.Found:
    for guarantee, limit, read in (("mem_guarantee", "mem_limit", _memory), ("cpu_guarantee", "cpu_limit", _number)):
        least, most = session.traits.get(guarantee), session.traits.get(limit)
        if least and most and (read(least.value) or 0) > (read(most.value) or float("inf")):
            # At what is to be changed: not at a default of the chart, nor below a choice.
            place = max(least, most, key=lambda each: (not each.by_default, len(each.path), each is least)).path
            default = " by default" if least.by_default else ""
            yield place, f"{least.value} are guaranteed{default}, but the limit is {most.value}"


def _memory(value: Any) -> float | None:
    try:
        return parse_memory(value)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _extended_resources(session: Session) -> pod_rules.Found:
    """Devices such as GPUs cannot be guaranteed without a limit, nor less than it."""
    limits, guarantees = session.value("extra_resource_limits"), session.value("extra_resource_guarantees")
    for name, guaranteed in pod_rules.items_of(guarantees) if isinstance(guarantees, dict) else ():
        limit = limits.get(name) if isinstance(limits, dict) else None
        least, most = pod_rules.amount(guaranteed), pod_rules.amount(limit)
        place = (*session.traits["extra_resource_guarantees"].path, name)
        is_device = "/" in str(name) and not str(name).partition("/")[0].endswith("kubernetes.io")
        if is_device and limit is None:
            yield place, "is guaranteed, but has no limit; Kubernetes needs the same limit for it"
        elif least is not None and most is not None and (least > most or (is_device and least != most)):
            yield place, f"{guaranteed} are guaranteed, but the limit is {limit}"


def _containers(session: Session) -> pod_rules.Found:
    names = {_OWN_CONTAINER}
    for trait in ("init_containers", "extra_containers"):
        for key, container in pod_rules.items_of(session.value(trait)):
            name = container.get("name") if isinstance(container, dict) else None
            if isinstance(name, str) and name:
                if name in names:
                    yield (*session.traits[trait].path, key, "name"), f"{name!r} is used by two containers of the pod"
                names.add(name)
            mounts = container.get("volumeMounts") if isinstance(container, dict) else None
            for place, mount in pod_rules.items_of(mounts):
                yield from _volume_of(mount, (*session.traits[trait].path, key, "volumeMounts", place), session)


def _storage(session: Session) -> pod_rules.Found:
    names: set[str] = set()
    for path, volume in session.volumes:
        name = volume.get("name") if isinstance(volume, dict) else None
        if isinstance(name, str) and name:
            if name in names:
                yield (*path, "name"), f"{name!r} is used by two volumes of the pod"
            names.add(name)
    places: set[str] = set()
    for path, mount in session.mounts:
        place = mount.get("mountPath") if isinstance(mount, dict) else None
        yield from _volume_of(mount, path, session)
        if isinstance(place, str) and place.rstrip("/"):
            if place.rstrip("/") in places:
                yield (*path, "mountPath"), f"{place!r} is used by two mounts"
            places.add(place.rstrip("/"))


def _volume_of(mount: Any, path: ChartPath, session: Session) -> pod_rules.Found:
    """Yield a mount of a volume that the pod does not have."""
    name = mount.get("name") if isinstance(mount, dict) else None
    if not isinstance(name, str) or not name or session.more_volumes:
        return
    names = [volume["name"] for _path, volume in session.volumes if isinstance(volume, dict) and "name" in volume]
    if formatted_text.sample(name) not in [formatted_text.sample(str(known)) for known in names]:
        yield (*path, "name"), f"there is no volume {name!r}{nearest(name, map(str, names))}"


def _report_found(found: pod_rules.Found, path: ChartPath, report: Report) -> None:
    for inside, message in found:
        report((*path, *inside), message)


def _below(path: ChartPath, report: Report) -> Report:
    return lambda inside, message: report((*path, *inside), message)
