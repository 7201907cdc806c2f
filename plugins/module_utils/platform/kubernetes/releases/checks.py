# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check of a deploy tries, and how it went, in the records beside the release."""

from __future__ import annotations

import dataclasses

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import HubTarget, target_of

from ....fleet.revisions import APPLYING, CHECKED, FAILED
from ...errors import PlatformError
from ..api.client import KubernetesApi
from .records import HubSecret, Place

#: Enough for every number of deploys that can be kept.
_KEEP_ALL = 1000


def recorded_check(api: KubernetesApi, place: Place) -> HubTarget:
    """Return what the last deploy recorded for its check; raises PlatformError where there is none."""
    secret = HubSecret(api, place)
    found = secret.checks.get(str(secret.newest.number)) if secret.newest else None
    if not found:
        raise PlatformError(f"hub {place.hub}: what was deployed does not say how it is checked; deploy it again")
    return target_of(found)


def note_result(api: KubernetesApi, place: Place, passed: bool) -> None:
    """Remember whether the last deploy passed its check; the next plan asks.

    Accounts that only read cannot. Nor does it matter if the API server does not answer now: the results of checks are
    worth more, and a deploy would roll back the hubs of the cluster that have just passed theirs.
    """
    try:
        secret = HubSecret(api, place)
        newest = secret.newest
        # A deploy that passed once can be rolled back to, even if the hub fails today.
        if newest is None or newest.result in (APPLYING, CHECKED):
            return
        secret.records = [dataclasses.replace(newest, result=CHECKED if passed else FAILED), *secret.records[1:]]
        secret.write(_KEEP_ALL, locked=False)
    except PlatformError:
        return
