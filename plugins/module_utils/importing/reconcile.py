# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a guess exact: take back what is wrong, and leave the rest to Helm values.

Whatever was guessed, the hub's values are those that were wanted, key by key and type by type; only how much of
them options say depends on the guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..common.nested import depth_of, path_text, value_at
from ..platform.kubernetes.values.chart_values import (
    GROUPS_CONFIG,
    LAYERS,
    ChartCode,
    ChartValues,
    chart_values,
)
from ..platform.kubernetes.values.layers import ChartPath, Values, leaves, merge, overlay, same
from ..platform.kubernetes.values.profile_list import has_groups
from ..schema.model import FleetInput, HostInput, Hub, ValuePath
from ..schema.problems import Problem
from ..schema.validate import validate
from .catalogues import ENVIRONMENTS, SIZES, Catalogues
from .errors import ImportProblem
from .infer import Variables, guess
from .infer_profiles import Profile, guess_profiles
from .reconcile_values import at
from .sources import Source

#: What every imported hub on Kubernetes has.
BASE: Variables = {"cluster_platform": "kubernetes", "hub_defaults_source": "chart"}
#: Variables that name entries of catalogues.
_NAMING = ("hub_profiles", "hub_environments", "hub_sizes")
#: What is carried over as it is, and only reported where validation finds fault with it.
UNJUDGED = ("hub_addons", *LAYERS)
#: Variables of which an entry can be taken back alone.
_ENTRIES = (
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
class Exact:
    """A hub whose options and Helm values give exactly what was wanted.

    variables: hub_* and cluster_* variables without catalogues.
    helm: what is left for Helm values.
    lost: what was known beside the chart's values and is not valid here; sentences.
    """

    source: Source
    variables: Variables
    helm: Values
    lost: list[str] = field(default_factory=list)

    @property
    def raw(self) -> int:
        """How many values are Helm values."""
        return count(self.helm)

    @property
    def typed(self) -> int:
        """How many values options say."""
        return count(self.source.wanted) - self.raw + self.source.mapped


def count(values: Values) -> int:
    """Return how many values there are, each list as one."""
    return sum(1 for _leaf in leaves(values)) if values else 0


def expected(wanted: Values, code: ChartCode) -> Values:
    """Return what an imported hub's values are: ``wanted``, and the one key that only this collection sets.

    That is ``hub.extraConfig.hubfleet-allowed-groups``, where something in the profile list is for members of
    groups only: the chart itself shows such to everyone.
    """
    return merge(_for_groups(wanted, code), wanted)


def _for_groups(wanted: Values, code: ChartCode) -> Values:
    """Return the values that only this collection sets; they are added below all Helm values."""
    if not has_groups(at(wanted, "singleuser.profileList")):
        return {}
    return {"hub": {"extraConfig": {GROUPS_CONFIG: code.allowed_groups}}}


def render(variables: Variables, code: ChartCode) -> tuple[Hub | None, list[Problem], ChartValues | None]:
    """Return a hub made of variables, what is wrong with it, and its values for the chart."""
    host = HostInput("hub", variables, frozenset({"production"}))
    fleet, problems = validate(FleetInput({"hub": host}, {"cluster": ["hub"]}))
    hub = fleet.hubs.get("hub")
    return hub, problems.of(["hub"]), chart_values(hub, "", code) if hub else None


def exact(source: Source, catalogues: Catalogues, code: ChartCode, route: Variables) -> Exact:
    """Return the hub with as much in options as gives exactly its values; raises ImportProblem if nothing does.

    route: variables of the hub and its cluster that may make its route.
    """
    known = {name: value for name, value in {**source.variables, **source.cluster_variables}.items() if value}
    guessed = guess(source.wanted, catalogues)
    profiles = _profiles(source.wanted, catalogues, code)
    if profiles:
        guessed["hub_profiles"] = profiles
    unjudged = {name: known.pop(name) for name in UNJUDGED if name in known}
    made = Exact(source, {**known, **route, **guessed, **BASE}, {})
    wanted = expected(source.wanted, code)
    while True:
        given = {**made.variables, **catalogues.needed([made.variables])}
        _hub, problems, values = render(given, code)
        if problems or values is None:
            made.lost += _take_back_invalid(made.variables, problems, known)
            continue
        # Helm values need not say what is added whoever says the profile list.
        own = merge(_for_groups(source.wanted, code), values.own)
        made.helm, wrong = _difference(own, wanted)
        places = {place for path in wrong for place in values.sources(path)}
        if not _take_back(made.variables, places):
            made.variables.update(unjudged)
            return made


def _profiles(wanted: Values, catalogues: Catalogues, code: ChartCode) -> list[Profile] | None:
    def rendered(profiles: list[Profile]) -> list[Any]:
        """Return what each profile becomes; None where one is not valid."""
        found: list[Any] = [None] * len(profiles)
        left = dict(enumerate(profiles))
        while left:
            variables = {**BASE, "hub_profiles": list(left.values())}
            _hub, problems, values = render({**variables, **catalogues.needed([variables])}, code)
            if values and not problems:
                for index, made in zip(left, values.own["singleuser"]["profileList"]):
                    found[index] = made
                break
            broken = {list(left)[problem.path[1]] for problem in problems if problem.path[:1] == ("hub_profiles",)}
            left = {index: profile for index, profile in left.items() if broken and index not in broken}
        return found

    return guess_profiles(at(wanted, "singleuser.profileList"), catalogues, rendered)


def _difference(own: Values, wanted: Values) -> tuple[Values, list[ChartPath]]:
    """Return the layer that makes ``own`` into ``wanted``, and where own says what is not wanted."""
    layer, wrong = overlay(own, wanted)
    for path, _value in leaves(layer) if layer else ():
        depth = depth_of(own, path)
        if depth == len(path) or not isinstance(value_at(own, path[:depth]), dict):
            wrong.append(path[: depth or 1])
    return layer, wrong


def _take_back(variables: Variables, places: set[ValuePath]) -> bool:
    """Take back the variables, or entries of them, that stand at ``places``; tell whether there were any."""
    wrong = {place[0] for place in places if place[0] in variables and place[0] not in BASE}
    for variable in wrong:
        value = variables.pop(variable)
        found = [place for place in places if place[0] == variable]
        if variable in _ENTRIES and all(len(place) > 1 for place in found):
            left = _without(value, {place[1] for place in found})
            if left and len(left) < len(value):
                variables[variable] = left
    return bool(wrong)


def _without(value: Any, entries: set[Any]) -> Any:
    """Return a list or mapping without the elements of these indexes or keys."""
    if isinstance(value, list):
        return [item for index, item in enumerate(value) if index not in entries]
    return {key: item for key, item in value.items() if key not in entries}


def _take_back_invalid(variables: Variables, problems: list[Problem], known: Variables) -> list[str]:
    """Take back what validation complains about; return a sentence for each thing that Helm values cannot say."""
    places: set[ValuePath] = set()
    lost = []
    for problem in problems:
        place = _entry_of(problem.path, variables)
        if place[0] in (ENVIRONMENTS, SIZES):
            places.update((name,) for name in _NAMING)
        else:
            places.add(place)
        if place[0] in known:
            lost.append(f"{problem.place}: {problem.message}")
    if not _take_back(variables, places):
        names = ", ".join(problem.place or problem.message for problem in problems) or "no reason"
        raise ImportProblem(f"a hub cannot be written as options: {names}")
    return lost


def _entry_of(path: ValuePath, variables: Variables) -> ValuePath:
    """Return the variable, and the entry of it, that a problem is about."""
    return path[: max(1, min(2, depth_of(variables, path)))] or ("",)


def check(hub: Hub, wanted: Values, code: ChartCode) -> None:
    """Raise ImportProblem unless the hub's values are exactly those that were wanted."""
    merged, right = chart_values(hub, "", code).merged, expected(wanted, code)
    if not same(merged, right):
        layer, surplus = overlay(merged, right)
        paths = [*surplus, *(path for path, _value in leaves(layer))]
        raise ImportProblem(f"{hub.name}: the imported hub has other values at {path_text(paths[0])}")
