# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move variables that several hubs share to the file of their cluster or of the whole fleet."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..platform.kubernetes.values.layers import Values, common, same, without
from .catalogues import ENVIRONMENTS, SIZES, Catalogues
from .infer import Variables
from .reconcile import ReconciledHub

#: Variables that stay with their hub even where other hubs have the same value.
_HUB_ONLY = ("hub_title", "hub_domain", "hub_url", "hub_namespace", "hub_port", "hub_pending_secrets")


@dataclass
class Layers:
    """Variables of the fleet, of clusters and of hubs. The narrower ones win, whole variables at a time."""

    fleet: Variables = field(default_factory=dict)
    clusters: dict[str, Variables] = field(default_factory=dict)
    hubs: dict[str, Variables] = field(default_factory=dict)

    def of(self, hub: ImportedHub) -> Variables:
        """Return the variables of a hub as Ansible layers them."""
        return {**self.fleet, **self.clusters[hub.cluster], **self.hubs[hub.name]}


@dataclass
class ImportedHub:
    """A hub of the new inventory. cluster: name of its group; variables: its own and its cluster's."""

    name: str
    cluster: str
    tier: str
    variables: Variables
    reconciled: ReconciledHub


def factor(hubs: list[ImportedHub], catalogues: dict[str, Catalogues]) -> Layers:
    """Return the variables of all files, such that every hub keeps exactly its own.

    catalogues: cluster -> the entries that its hubs' variables name.
    """
    layers = Layers()
    helm: dict[str, Values] = {}
    by_cluster: dict[str, list[ImportedHub]] = {}
    for hub in hubs:
        by_cluster.setdefault(hub.cluster, []).append(hub)
    for cluster, members in by_cluster.items():
        shared = layers.clusters[cluster] = _common_variables([hub.variables for hub in members])
        helm[cluster] = common([hub.reconciled.helm_values for hub in members])
        for hub in members:
            layers.hubs[hub.name] = _not_inherited(hub.variables, shared)
            rest = without(hub.reconciled.helm_values, helm[cluster])
            if rest:
                layers.hubs[hub.name]["hub_helm_values"] = rest
    if len(by_cluster) > 1:
        layers.fleet = _common_variables(list(layers.clusters.values()))
        fleet_helm = common(list(helm.values()))
        if fleet_helm:
            layers.fleet["fleet_helm_values"] = fleet_helm
        for cluster, shared in layers.clusters.items():
            layers.clusters[cluster] = _not_inherited(shared, layers.fleet)
            helm[cluster] = without(helm[cluster], fleet_helm)
    for cluster, members in by_cluster.items():
        if len(members) == 1:
            _move_to_hub(layers, members[0], helm[cluster])
        elif helm[cluster]:
            layers.clusters[cluster]["cluster_helm_values"] = helm[cluster]
    _place_catalogues(layers, by_cluster, catalogues)
    return layers


def _move_to_hub(layers: Layers, hub: ImportedHub, helm: Values) -> None:
    """Give the only hub of a cluster the variables that do not describe the cluster."""
    shared = layers.clusters[hub.cluster]
    own = {name: value for name, value in shared.items() if not name.startswith("cluster_")}
    layers.clusters[hub.cluster] = {name: value for name, value in shared.items() if name not in own}
    layers.hubs[hub.name] = {**own, **layers.hubs[hub.name]}
    if helm:
        layers.hubs[hub.name]["hub_helm_values"] = helm


def _common_variables(hubs: list[Variables]) -> Variables:
    """Return the variables that all have, with the value that at least two and half of them have.

    Of a single hub these are all its variables.
    """
    first, *others = hubs
    found: Variables = {}
    for name in first:
        if name in _HUB_ONLY or not all(name in other for other in others):
            continue
        values = [each[name] for each in hubs]
        counts = [sum(same(value, other) for other in values) for value in values]
        most = max(counts)
        if len(hubs) == 1 or (most > 1 and 2 * most >= len(hubs)) or name.startswith("cluster_"):
            found[name] = values[counts.index(most)]
    return found


def _not_inherited(variables: Variables, inherited: Variables) -> Variables:
    """Return the variables that differ from the inherited ones."""
    return {
        name: value for name, value in variables.items() if name not in inherited or not same(value, inherited[name])
    }


def _place_catalogues(
    layers: Layers, by_cluster: dict[str, list[ImportedHub]], catalogues: dict[str, Catalogues]
) -> None:
    """Write entries of several clusters for the fleet, and a cluster's own catalogue where it has others as well.

    Ansible replaces a variable as a whole, so a cluster's own catalogue holds all that its hubs need.
    """
    needed = {
        cluster: catalogues[cluster].needed(hub.variables for hub in members) for cluster, members in by_cluster.items()
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
            members = by_cluster[cluster]
            place = layers.hubs[members[0].name] if len(members) == 1 else layers.clusters[cluster]
            place[catalogue] = own


def _entries_of_several(catalogues: list[Values]) -> Values:
    """Return the entries that several catalogues have; where they differ on a name, the most frequent one."""
    found: Values = {}
    for name in dict.fromkeys(name for catalogue in catalogues for name in catalogue):
        entries = [catalogue[name] for catalogue in catalogues if name in catalogue]
        counts = [sum(same(entry, other) for other in entries) for entry in entries]
        if max(counts) > 1:
            found[name] = entries[counts.index(max(counts))]
    return found
