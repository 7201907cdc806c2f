# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was deployed of a hub."""

from __future__ import annotations

from dataclasses import dataclass

#: Results of a deploy: in progress; it runs; the check passed; the check failed; another deploy was restored.
APPLYING, APPLIED, CHECKED, FAILED, REPLACED = "applying", "applied", "checked", "failed", "rolled back"
#: Results of deploys that ran, to which a hub is rolled back by default.
GOOD = (CHECKED, APPLIED)


@dataclass(frozen=True)
class Revision:
    """One deploy of a hub, as its platform recorded it.

    number: 1 is the first. when: UTC, as 2026-11-24T08:15:00Z. who: account@machine.
    collection, revision: the collection's version, and the inventory's git revision or "".
    jupyterhub: the version of JupyterHub. back_to: number of the deploy that this one repeats, or 0.
    """

    number: int
    when: str
    who: str
    collection: str
    revision: str
    jupyterhub: str
    back_to: int
    result: str
