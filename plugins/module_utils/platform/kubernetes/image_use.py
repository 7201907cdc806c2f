# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images of environments hubs offer, and whose servers run in them now."""

from __future__ import annotations

from collections.abc import Sequence

from ...environments.images.address import ImageAddress
from ...environments.images.pins import ImagePins
from ...fleet.environments import BuiltEnvironment, FoundEnvironments
from ...schema.model import Hub
from .api.client import KubernetesApi
from .images import built_environments
from .labels import SESSIONS, USER
from .observe import in_namespaces


def read_environments(api: KubernetesApi, hubs: Sequence[Hub], pins: ImagePins, everywhere: bool) -> FoundEnvironments:
    """Return the images that the lock file has for hubs, and earlier ones in which servers still run.

    everywhere: whether to read all namespaces at once; where that is forbidden, each for itself.
    """
    offers: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for hub in hubs:
        for environment in built_environments(hub):
            offers.setdefault(environment.image, []).append(hub.name)
            names[ImageAddress.parse(environment.image).name] = environment.name
    users = _users(api, hubs, everywhere)
    ours = [image for image in {**offers, **users} if ImageAddress.parse(image).name in names]
    dates = {pin.reference: pin.date for pin in pins.images.values()}
    built = [
        BuiltEnvironment(
            names[ImageAddress.parse(image).name],
            _shortened(image),
            dates.get(image, ""),
            0,
            users=sorted(users.get(image, ())),
            hubs=sorted(offers.get(image, ())),
        )
        for image in ours
    ]
    return FoundEnvironments(sorted(built, key=lambda each: (each.name, each.built, each.directory)))


def _shortened(image: str) -> str:
    """Return the end of an image's address, with as much of its digest as people compare."""
    name, at, digest = image.rpartition("/")[2].partition("@sha256:")
    return f"{name}{at}{digest[:12]}"


def _users(api: KubernetesApi, hubs: Sequence[Hub], everywhere: bool) -> dict[str, set[str]]:
    """Return image -> users whose servers run in it."""
    namespaces = {hub.namespace for hub in hubs}
    found: dict[str, set[str]] = {}
    answers = in_namespaces(namespaces, everywhere, lambda scope: api.list(f"/api/v1/{scope}pods", SESSIONS))
    for pod in (pod for answer in answers for pod in answer):
        user = (pod["metadata"].get("annotations") or {}).get(USER)
        if user and pod["metadata"]["namespace"] in namespaces and not pod["metadata"].get("deletionTimestamp"):
            found.setdefault(str(pod["spec"]["containers"][0]["image"]), set()).add(str(user))
    return found
