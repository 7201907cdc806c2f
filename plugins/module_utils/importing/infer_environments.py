# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infer environments and sizes from images, memory and CPU."""

from __future__ import annotations

from typing import Any

from ..platform.kubernetes.values.layers import Values
from ..platform.kubernetes.values.session_traits import GPU
from ..platform.kubernetes.values.settings import literal_variables
from ..platform.traits import interface_path
from ..schema.catalogue_options import ENVIRONMENT, SIZE
from ..schema.formatted_text import from_literal_variable
from ..schema.option import Option
from ..schema.units import Memory, format_memory, parse_memory
from .catalogues import ENVIRONMENTS, SIZES, Catalogues, Entry, short_name
from .option_values import MISSING, chart_value, renders_as

#: KubeSpawner's traits -> keys of catalogue entries.
ENVIRONMENT_TRAITS = {
    "image": "image",
    "image_pull_policy": "image_pull_policy",
    "working_dir": "working_directory",
    "default_url": "interface",
    "environment": "variables",
}
SIZE_TRAITS = {
    "mem_limit": "memory",
    "mem_guarantee": "memory_guarantee",
    "cpu_limit": "cpu",
    "cpu_guarantee": "cpu_guarantee",
    "extra_resource_limits": "gpu",
    "node_selector": "node_selector",
}
TRAITS = {ENVIRONMENTS: ENVIRONMENT_TRAITS, SIZES: SIZE_TRAITS}
KEYS: dict[str, dict[str, Option]] = {
    ENVIRONMENTS: {option.name: option for option in ENVIRONMENT},
    SIZES: {option.name: option for option in SIZE},
}
_INTERFACES = {"/lab": "lab", "/tree": "notebook"}


def entry_from_traits(catalogue: str, override: Values) -> Entry:
    """Return a catalogue entry for traits of KubeSpawner; traits without a key go into its ``override``."""
    body: Entry = {}
    rest: Values = {}
    for trait, value in override.items():
        key = TRAITS[catalogue].get(trait)
        given = _key_value(key, value) if key else MISSING
        if key and given is not MISSING:
            body[key] = given
        else:
            rest[trait] = value
    traits = {key: trait for trait, key in TRAITS[catalogue].items()}
    for guarantee, limit in (("memory_guarantee", "memory"), ("cpu_guarantee", "cpu")):
        if guarantee in body and limit in body and _amount(body[guarantee]) > _amount(body[limit]):
            rest[traits[guarantee]] = body.pop(guarantee)
    return {**body, "override": rest} if rest else body


def _key_value(key: str, value: Any) -> Any:
    """Return the value of an entry's key that renders to the trait's ``value``; MISSING where there is none."""
    catalogue = ENVIRONMENTS if key in ENVIRONMENT_TRAITS.values() else SIZES
    option, given = KEYS[catalogue][key], value
    if key == "interface":
        given = _INTERFACES.get(value, value) if isinstance(value, str) else value
        return given if renders_as(option, given, value, interface_path) else MISSING
    if key == "gpu":
        text = value.get(GPU) if isinstance(value, dict) and len(value) == 1 else None
        given = int(text) if isinstance(text, str) and text.isdecimal() else None
        return given if renders_as(option, given, text, str) else MISSING
    if option.kind == "dict" and not value:
        return MISSING
    if key == "variables":
        try:
            given = {name: from_literal_variable(text) for name, text in value.items()}
        except (ValueError, AttributeError):  # placeholders, or no texts
            return MISSING
        return given if renders_as(option, given, value, literal_variables) else MISSING
    return given if renders_as(option, given, value, _specification) else MISSING


def _specification(checked: Any) -> Any:
    return checked.specification if isinstance(checked, Memory) else checked


def _amount(value: Any) -> float:
    return parse_memory(value) if isinstance(value, str) else value


def infer_default_session(values: Values, catalogues: Catalogues) -> dict[str, Any]:
    """Return the environment and the size in ``singleuser`` itself."""
    found: dict[str, Any] = {}
    environment = _image(values)
    if environment:
        name = environment["image"].rpartition(":")[0].rpartition("/")[2]
        found["hub_environments"] = [catalogues.name(ENVIRONMENTS, name, environment)]
    traits = {
        trait: chart_value(values, f"singleuser.{path}")
        for trait, path in (
            ("mem_limit", "memory.limit"),
            ("mem_guarantee", "memory.guarantee"),
            ("cpu_limit", "cpu.limit"),
            ("cpu_guarantee", "cpu.guarantee"),
        )
    }
    size = entry_from_traits(SIZES, {trait: value for trait, value in traits.items() if value is not MISSING})
    # Values without a key stay Helm values; an override would require a profile.
    size.pop("override", None)
    if size:
        found["hub_sizes"] = [catalogues.name(SIZES, _size_name(size), size)]
    return found


def _image(values: Values) -> Entry:
    name, tag = chart_value(values, "singleuser.image.name"), chart_value(values, "singleuser.image.tag")
    if not isinstance(name, str) or not isinstance(tag, str):
        return {}
    image = f"{name}:{tag}"
    if not renders_as(KEYS[ENVIRONMENTS]["image"], image, image):
        return {}
    entry = {"image": image}
    policy = chart_value(values, "singleuser.image.pullPolicy")
    if policy is not MISSING and renders_as(KEYS[ENVIRONMENTS]["image_pull_policy"], policy, policy):
        entry["image_pull_policy"] = policy
    return entry


def _size_name(size: Entry) -> str:
    """Name a size after its amounts: ``1g-2cpu``."""
    memory = size.get("memory", size.get("memory_guarantee"))
    words = []
    if memory is not None:
        amount = format_memory(parse_memory(memory)).lower()
        # Other numbers of bytes are not readable.
        words.append(f"{parse_memory(memory) / 1024**3:.1f}g" if amount.isdecimal() else amount)
    cpu = size.get("cpu", size.get("cpu_guarantee"))
    words += [f"{cpu:g}cpu"] if cpu is not None else []
    return short_name("-".join(words))
