# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say once what several hubs have: in the file of their cluster, or in that of the whole fleet."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..platform.kubernetes.values.layers import Values, common, same, without
from .catalogues import ENVIRONMENTS, SIZES, Catalogues
from .infer import Variables

#: Variables that are a hub's own even where those of others say the same.
_OWN = ("hub_title", "hub_domain", "hub_url", "hub_namespace", "hub_port", "hub_pending_secrets")


@dataclass
class Layers:
    """Variables by file: of the fleet, of groups, of hosts. The narrower ones win, whole variables at a time."""

    fleet: Variables = field(default_factory=dict)
    clusters: dict[str, Variables] = field(default_factory=dict)
    hubs: dict[str, Variables] = field(default_factory=dict)

    def of(self, cluster: str, hub: str) -> Variables:
        """Return what Ansible makes of the variables for a hub."""
        return {**self.fleet, **self.clusters[cluster], **self.hubs[hub]}


@dataclass
class Member:
    """A hub to be written: its inventory name, its cluster's, and what it has."""

    name: str
    cluster: str
    variables: Variables
    helm: Values


def lift(members: list[Member], catalogues: dict[str, Catalogues]) -> Layers:
    """Return the variables of all files, such that every hub has exactly what it has alone.

    catalogues: cluster -> the entries that its hubs' variables name.
    """
    layers = Layers()
    helm: dict[str, Values] = {}
    by_cluster: dict[str, list[Member]] = {}
    for member in members:
        by_cluster.setdefault(member.cluster, []).append(member)
    for cluster, hubs in by_cluster.items():
        shared = layers.clusters[cluster] = _shared([member.variables for member in hubs])
        helm[cluster] = common([member.helm for member in hubs])
        for member in hubs:
            layers.hubs[member.name] = _rest(member.variables, shared)
            left = without(member.helm, helm[cluster])
            if left:
                layers.hubs[member.name]["hub_helm_values"] = left
    if len(by_cluster) > 1:
        layers.fleet = _shared(list(layers.clusters.values()))
        fleet_helm = common(list(helm.values()))
        if fleet_helm:
            layers.fleet["fleet_helm_values"] = fleet_helm
        for cluster, shared in layers.clusters.items():
            layers.clusters[cluster] = _rest(shared, layers.fleet)
            helm[cluster] = without(helm[cluster], fleet_helm)
    for cluster, hubs in by_cluster.items():
        if len(hubs) == 1:
            _keep_in_hub(layers, cluster, hubs[0].name, helm[cluster])
        elif helm[cluster]:
            layers.clusters[cluster]["cluster_helm_values"] = helm[cluster]
    _place_catalogues(layers, by_cluster, catalogues)
    return layers


def _keep_in_hub(layers: Layers, cluster: str, hub: str, helm: Values) -> None:
    """Give the only hub of a cluster what is not about the cluster itself."""
    shared = layers.clusters[cluster]
    own = {name: value for name, value in shared.items() if not name.startswith("cluster_")}
    layers.clusters[cluster] = {name: value for name, value in shared.items() if name not in own}
    layers.hubs[hub] = {**own, **layers.hubs[hub]}
    if helm:
        layers.hubs[hub]["hub_helm_values"] = helm


def _shared(given: list[Variables]) -> Variables:
    """Return the variables that all have, with the value that at least two and half of them have.

    Of one alone that is everything.
    """
    first, *others = given
    found: Variables = {}
    for name in first:
        if name in _OWN or not all(name in other for other in others):
            continue
        values = [each[name] for each in given]
        counts = [sum(same(value, other) for other in values) for value in values]
        most = max(counts)
        if len(given) == 1 or (most > 1 and 2 * most >= len(given)) or name.startswith("cluster_"):
            found[name] = values[counts.index(most)]
    return found


def _rest(variables: Variables, below: Variables) -> Variables:
    """Return the variables that what is below does not say."""
    return {name: value for name, value in variables.items() if name not in below or not same(value, below[name])}


def _place_catalogues(layers: Layers, by_cluster: dict[str, list[Member]], catalogues: dict[str, Catalogues]) -> None:
    """Write entries of several clusters for the fleet, and the catalogue of a cluster that has others as well.

    Ansible replaces a variable as a whole, so a cluster's own catalogue holds all that its hubs need.
    """
    needed = {
        cluster: catalogues[cluster].needed(member.variables for member in hubs) for cluster, hubs in by_cluster.items()
    }
    for catalogue in (ENVIRONMENTS, SIZES):
        used = [entries[catalogue] for entries in needed.values() if catalogue in entries]
        shared = _entries_of_several(used)
        if shared:
            layers.fleet[catalogue] = shared
        for cluster, entries in needed.items():
            own = entries.get(catalogue, {})
            if all(name in shared and same(entry, shared[name]) for name, entry in own.items()):
                continue
            hubs = by_cluster[cluster]
            place = layers.hubs[hubs[0].name] if len(hubs) == 1 else layers.clusters[cluster]
            place[catalogue] = own


def _entries_of_several(catalogues: list[Values]) -> Values:
    """Return the entries that several catalogues have; where they differ on a name, what most have."""
    found: Values = {}
    for name in dict.fromkeys(name for catalogue in catalogues for name in catalogue):
        entries = [catalogue[name] for catalogue in catalogues if name in catalogue]
        counts = [sum(same(entry, other) for other in entries) for entry in entries]
        if max(counts) > 1:
            found[name] = entries[counts.index(max(counts))]
    return found
