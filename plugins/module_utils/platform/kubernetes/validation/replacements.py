# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell where values remove what options or lower layers set, or have no effect themselves: never without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ....common.nested import path_text, value_at
from ....schema.model import ValuePath
from ...config_classes import Traits
from ..values.chart_values import LAYERS, ChartValues
from ..values.layers import ChartPath, Values
from ..values.replaced import CODE, ITEMS, LIST, MAPPING, MISTAKES, NULL, replacements
from .sessions import SPAWNER, Given, given_traits, spawner_traits

#: report(place, message, whether it is only a note); the place is in the chart's values, or in a variable of LAYERS.
Report = Callable[[ChartPath, str, bool], None]
#: name(places in the inventory): returns them with file and line, for messages.
Name = Callable[[Iterable[ValuePath]], str]

_MESSAGES = {
    MAPPING: "is no mapping, so that it replaces all that {} sets; write it as a mapping, which merges",
    LIST: "is a mapping, so that it replaces the list of {}; write it as a list",
    CODE: "replaces the code of {}; use another key",
    ITEMS: "replaces the list of {}",
    NULL: "null removes what {} sets",
}
#: Traits that the chart sets for all spawners.
_OF_ALL_SPAWNERS = ("cmd", "default_url")
#: Settings of JupyterHub that are made of other values of the chart.
_JUPYTERHUB = {
    "services": ("hub", "services"),
    "load_roles": ("hub", "loadRoles"),
    "template_vars": ("hub", "templateVars"),
    "template_paths": ("hub", "templatePaths"),
}
_ALWAYS_SET = ("services", "load_roles")
#: Keys of a pod that extraPodConfig replaces -> the trait that sets them otherwise.
_POD_KEYS = {
    "initContainers": "init_containers",
    "tolerations": "tolerations",
    "nodeSelector": "node_selector",
    "serviceAccountName": "service_account",
}


def check_layers(values: ChartValues, explicit: Iterable[str], report: Report, name: Name) -> None:
    """Report what layers remove of options that are set in the inventory (``explicit``), and of lower layers."""
    said = {*explicit, *LAYERS}
    for found in replacements(values):
        mistake = found.kind in MISTAKES
        removed = [source for source in found.removed if mistake or source[0] in said]
        if removed:
            report((found.variable, *found.path), _MESSAGES[found.kind].format(name(removed)), not mistake)


def check_configuration(full: Values, values: ChartValues, traits: Traits, report: Report, name: Name) -> None:
    """Report settings in ``hub.config`` and of pods that replace other values of the chart, or have no effect."""
    given = list(given_traits(full, values.merged, spawner_traits(traits)))
    by_chart = {each.trait: each for each in given if each.path[0] == "singleuser"}
    for each in given:
        below = by_chart.get(each.trait)
        if each.path[0] == "hub" and below:
            _check_twice(each, below, values, report, name)
    settings = value_at(full, ("hub", "config", "JupyterHub"))
    for trait, path in _JUPYTERHUB.items():
        if isinstance(settings, dict) and trait in settings and (value_at(full, path) or trait in _ALWAYS_SET):
            message = f"does not merge with what the chart sets; use {path_text(path)}"
            report(("hub", "config", "JupyterHub", trait), message, False)
    pod = value_at(full, ("singleuser", "extraPodConfig"))
    for key, trait in _POD_KEYS.items() if isinstance(pod, dict) else ():
        below = by_chart.get(trait)
        if key in pod and below and not below.by_default and below.value:
            message = f"replaces all that {name(values.sources(below.path))} sets; use {path_text(below.path)}"
            report(("singleuser", "extraPodConfig", key), message, False)


def _check_twice(each: Given, below: Given, values: ChartValues, report: Report, name: Name) -> None:
    """Report a trait in ``hub.config`` beside the value of the chart that it is, too."""
    place = path_text(below.path)
    if each.path[2] != SPAWNER and each.trait not in _OF_ALL_SPAWNERS:
        report(each.path, f"has no effect, since the chart sets {SPAWNER}.{each.trait}; use {place}", False)
    elif not below.by_default and below.value not in (None, {}, []):
        sources = name(values.sources(below.path))
        whole = isinstance(below.value, (dict, list))
        report(each.path, f"replaces {'all that' if whole else 'what'} {sources} sets; use {place}", not whole)
