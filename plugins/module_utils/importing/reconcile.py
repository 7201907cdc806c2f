# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile inferred options with the chart's values that they come from.

Options that render to other values are removed, and what is missing becomes Helm values. So the imported hub has
exactly the values of its source; only how many of them are options depends on the inference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..common.nested import depth_of, path_text, value_at
from ..platform.kubernetes.values.chart_values import GROUPS_CONFIG, LAYERS, ChartCode, ChartValues, chart_values
from ..platform.kubernetes.values.layers import ChartPath, Values, assign, leaves, merge, overlay, same
from ..platform.kubernetes.values.native_login import is_native, native_login_settings
from ..platform.kubernetes.values.profile_list import has_groups
from ..schema.model import FleetInput, HostInput, Hub, ValuePath
from ..schema.problems import Problem
from ..schema.validate import validate
from .catalogues import ENVIRONMENTS, SIZES, Catalogues
from .errors import FleetImportError
from .infer import Variables, infer_options
from .infer_profiles import Profile, infer_profiles
from .option_values import chart_value
from .sources import Source

#: Variables of every imported hub on Kubernetes.
BASE: Variables = {"cluster_platform": "kubernetes", "hub_defaults_source": "chart"}
#: Variables that name entries of catalogues.
_CATALOGUE_USERS = ("hub_profiles", "hub_environments", "hub_sizes")
#: Imported unchanged, and only reported where they are not valid.
NOT_VALIDATED = ("hub_addons", *LAYERS)
#: Variables of which a single entry can be removed.
_REMOVABLE_ENTRIES = (
    "hub_authenticator_settings",
    "hub_environment_variables",
    "hub_buckets",
    "hub_files",
    "hub_volumes",
    "hub_shared_directories",
    "hub_user_egress",
    "hub_services",
    "hub_roles",
)


@dataclass
class ReconciledHub:
    """A hub whose options and Helm values render to exactly the values of its source.

    variables: hub_* and cluster_* variables without catalogues.
    helm_values: what options cannot express.
    invalid: one sentence for each variable of the source that is not valid here.
    dropped: one sentence for each option that was not valid, so that its value stays a Helm value.
    """

    source: Source
    variables: Variables
    helm_values: Values
    invalid: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    @property
    def helm_value_count(self) -> int:
        """How many values are Helm values."""
        return _count(self.helm_values)

    @property
    def option_count(self) -> int:
        """How many values are options."""
        return _count(self.source.values) - self.helm_value_count + self.source.option_count


def _count(values: Values) -> int:
    """Count values, each list as one."""
    return sum(1 for _leaf in leaves(values)) if values else 0


def expected_values(values: Values, code: ChartCode) -> Values:
    """Return the values of an imported hub: those of its source over those that this collection always adds."""
    return merge(_added_values(values, code), values)


def _added_values(values: Values, code: ChartCode) -> Values:
    """Return our Python for hubs whose profile list has groups, and for hubs with NativeAuthenticator.

    The chart itself shows everyone what is for members of groups only, and lets anyone sign up as an admin.
    """
    added: Values = {}
    if has_groups(chart_value(values, "singleuser.profileList")):
        assign(added, ("hub", "extraConfig", GROUPS_CONFIG), code.groups_config)
    if is_native(values):
        for item in native_login_settings(code.native_login, code.package):
            assign(added, item.path, item.value)
    return added


def _render(variables: Variables, code: ChartCode) -> tuple[list[Problem], ChartValues | None]:
    """Return the problems of a hub with these variables, and its values for the chart."""
    host = HostInput("hub", variables, frozenset({"production"}))
    fleet, problems = validate(FleetInput({"hub": host}, {"cluster": ["hub"]}))
    hub = fleet.hubs.get("hub")
    return problems.of(["hub"]), chart_values(hub, "", code) if hub else None


def reconcile(source: Source, catalogues: Catalogues, code: ChartCode, exposure: Variables) -> ReconciledHub:
    """Return the hub with as many options as render to exactly its values; raises FleetImportError if none do.

    exposure: variables of the hub and its cluster that may render to its exposure.
    """
    given = {name: value for name, value in {**source.variables, **source.cluster_variables}.items() if value}
    not_validated = {name: given.pop(name) for name in NOT_VALIDATED if name in given}
    inferred = infer_options(source.values, catalogues)
    dropped: list[str] = []
    profiles = _profiles(source.values, catalogues, code, dropped)
    if profiles:
        inferred["hub_profiles"] = profiles
    hub = ReconciledHub(source, {**given, **exposure, **inferred, **BASE}, {}, dropped=dropped)
    expected, added = expected_values(source.values, code), _added_values(source.values, code)
    while True:
        problems, values = _render({**hub.variables, **catalogues.needed([hub.variables])}, code)
        if problems or values is None:
            _remove_invalid(hub.variables, problems)
            for problem in problems:
                # Values of the chart stay Helm values; what is beside them is lost.
                found = hub.invalid if problem.path[:1] and problem.path[0] in given else hub.dropped
                found.append(_sentence(problem))
            continue
        hub.helm_values, different = _difference(merge(added, values.own), expected)
        if not _remove(hub.variables, {place for path in different for place in values.sources(path)}):
            hub.variables.update(not_validated)
            return hub


def _profiles(values: Values, catalogues: Catalogues, code: ChartCode, dropped: list[str]) -> list[Profile] | None:
    """Return the profiles that options can express; a sentence for each problem is added to ``dropped``."""

    def render(profiles: list[Profile]) -> list[Any]:
        """Return each profile as an entry of the profile list; None where it is not valid."""
        rendered: list[Any] = [None] * len(profiles)
        valid = dict(enumerate(profiles))
        while valid:
            variables = {**BASE, "hub_profiles": list(valid.values())}
            problems, chart = _render({**variables, **catalogues.needed([variables])}, code)
            if chart and not problems:
                for index, entry in zip(valid, chart.own["singleuser"]["profileList"]):
                    rendered[index] = entry
                break
            dropped.extend(line for line in map(_sentence, problems) if line not in dropped)
            broken = {list(valid)[problem.path[1]] for problem in problems if problem.path[:1] == ("hub_profiles",)}
            valid = {index: profile for index, profile in valid.items() if broken and index not in broken}
        return rendered

    return infer_profiles(chart_value(values, "singleuser.profileList"), catalogues, render)


def _sentence(problem: Problem) -> str:
    return f"{problem.place}: {problem.message}"


def _difference(rendered: Values, expected: Values) -> tuple[Values, list[ChartPath]]:
    """Return the Helm values that turn ``rendered`` into ``expected``, and the places that are rendered differently."""
    layer, different = overlay(rendered, expected)
    for path, _value in leaves(layer) if layer else ():
        depth = depth_of(rendered, path)
        if depth == len(path) or not isinstance(value_at(rendered, path[:depth]), dict):
            different.append(path[: depth or 1])
    return layer, different


def _remove(variables: Variables, places: set[ValuePath]) -> bool:
    """Remove the variables, or their entries, at ``places``; return whether there were any."""
    affected = {place[0] for place in places if place[0] in variables and place[0] not in BASE}
    for variable in affected:
        value = variables.pop(variable)
        inside = [place for place in places if place[0] == variable]
        if variable in _REMOVABLE_ENTRIES and all(len(place) > 1 for place in inside):
            rest = _without_entries(value, {place[1] for place in inside})
            if rest and len(rest) < len(value):
                variables[variable] = rest
    return bool(affected)


def _without_entries(value: Any, entries: set[Any]) -> Any:
    """Return a list or mapping without the elements at these indexes or keys."""
    if isinstance(value, list):
        return [item for index, item in enumerate(value) if index not in entries]
    return {key: item for key, item in value.items() if key not in entries}


def _remove_invalid(variables: Variables, problems: list[Problem]) -> None:
    """Remove variables that are not valid."""
    places: set[ValuePath] = set()
    for problem in problems:
        # The variable, and the entry of it.
        place = problem.path[: max(1, min(2, depth_of(variables, problem.path)))] or ("",)
        if place[0] in (ENVIRONMENTS, SIZES):
            places.update((name,) for name in _CATALOGUE_USERS)
        else:
            places.add(place)
    if not _remove(variables, places):
        names = ", ".join(problem.place or problem.message for problem in problems) or "unknown reason"
        raise FleetImportError(f"a hub cannot be written as options: {names}")


def check_values(hub: Hub, values: Values, code: ChartCode) -> None:
    """Raise FleetImportError unless the imported hub has the values of its source."""
    merged, expected = chart_values(hub, "", code).merged, expected_values(values, code)
    if not same(merged, expected):
        layer, surplus = overlay(merged, expected)
        paths = [*surplus, *(path for path, _value in leaves(layer))]
        raise FleetImportError(f"{hub.name}: the imported hub has another value at {path_text(paths[0])}")
