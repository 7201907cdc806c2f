# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment and a size are to sessions: traits of KubeSpawner, and values of the chart for every session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ....common.nested import value_at
from ....schema.model import Environment, Size
from ....schema.units import Memory, parse_memory
from ...traits import interface_path
from .layers import Values, merge
from .settings import Setting, literal_variables, setting

GPU = "nvidia.com/gpu"
#: Guarantees where none are wanted. Without one, Kubernetes sets aside the whole limit, and the chart 1G of memory.
LEAST_MEMORY, LEAST_CPU = parse_memory("1M"), 0.001
#: Sections of ``hub.config`` that KubeSpawner reads, what wins last.
SECTIONS = ("Spawner", "KubeSpawner")


@dataclass(frozen=True)
class Guarantees:
    """Guarantees of sizes that do not say what is set aside; None where Helm values say it for every session."""

    memory: Memory | None = LEAST_MEMORY
    cpu: float | None = LEAST_CPU

    @classmethod
    def beside(cls, helm_values: Values) -> Guarantees:
        """Return those that do not hide what the operator's Helm values guarantee."""

        def is_given(place: str, trait: str) -> bool:
            paths = (("singleuser", place, "guarantee"), *(("hub", "config", name, trait) for name in SECTIONS))
            return any(value_at(helm_values, path) is not None for path in paths)

        return cls(
            None if is_given("memory", "mem_guarantee") else LEAST_MEMORY,
            None if is_given("cpu", "cpu_guarantee") else LEAST_CPU,
        )

    def of(self, size: Size) -> Size:
        """Return a size that has next to nothing set aside where neither it nor Helm values say what."""
        cpu = self.cpu if size.cpu is not None and size.cpu_guarantee is None else size.cpu_guarantee
        memory = self.memory if size.memory_guarantee is None else size.memory_guarantee
        return replace(size, memory_guarantee=memory, cpu_guarantee=cpu)


def overrides(entry: Environment | Size) -> dict[str, Any]:
    """Return the traits of sessions in an environment, or of a size."""
    made = _of_size(entry) if isinstance(entry, Size) else _of_environment(entry)
    return merge({key: value for key, value in made.items() if value is not None}, entry.override or {})


def _of_size(size: Size) -> dict[str, Any]:
    return {
        "mem_limit": _specification(size.memory),
        "mem_guarantee": _specification(size.memory_guarantee),
        "cpu_limit": size.cpu,
        "cpu_guarantee": size.cpu_guarantee,
        "extra_resource_limits": {GPU: str(size.gpu)} if size.gpu else None,
        "node_selector": dict(size.node_selector) if size.node_selector else None,
    }


def _of_environment(environment: Environment) -> dict[str, Any]:
    return {
        "image": environment.image,
        "image_pull_policy": environment.image_pull_policy,
        "working_dir": environment.working_directory,
        "default_url": interface_path(environment.interface) if environment.interface else None,
        "environment": literal_variables(dict(environment.variables)) or None,
    }


def every_session(environments: Sequence[Environment], sizes: Sequence[Size]) -> Iterator[Setting]:
    """Yield the chart's values for the only environment and the only size; of several there is none for all."""
    for environment in environments if len(environments) == 1 else ():
        yield from image_settings(environment.image, "hub_environments")
        if environment.image_pull_policy:
            yield setting("singleuser.image.pullPolicy", environment.image_pull_policy, "hub_environments")
        if environment.interface:
            yield setting("singleuser.defaultUrl", interface_path(environment.interface), "hub_environments")
        if environment.variables:
            yield setting("singleuser.extraEnv", literal_variables(dict(environment.variables)), "hub_environments")
    for size in sizes if len(sizes) == 1 else ():
        for path, amount in (
            ("memory.limit", _specification(size.memory)),
            ("memory.guarantee", _specification(size.memory_guarantee)),
            ("cpu.limit", size.cpu),
            ("cpu.guarantee", size.cpu_guarantee),
        ):
            if amount is not None:
                yield setting(f"singleuser.{path}", amount, "hub_sizes")
        if size.gpu:
            for bound in ("limits", "guarantees"):
                yield Setting(("singleuser", "extraResource", bound, GPU), str(size.gpu), ("hub_sizes",))
        if size.node_selector:
            yield setting("singleuser.nodeSelector", dict(size.node_selector), "hub_sizes")


def image_settings(image: str, source: str) -> Iterator[Setting]:
    """Yield name and tag as the chart takes them: it joins both by a colon, also before a digest."""
    name, _colon, tag = image.rpartition(":")
    yield setting("singleuser.image.name", name, source)
    yield setting("singleuser.image.tag", tag, source)


def _specification(amount: int | None) -> Any:
    return amount.specification if isinstance(amount, Memory) else amount
