# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the settings of add-ons: ``hub_addons.NAME.settings``."""

from __future__ import annotations

from .option import Option, names


def _amounts(who: str) -> tuple[Option, ...]:
    return (
        Option(f"{who}_cpu", "number", (f"Most CPUs of a {who}.",), minimum=0.01),
        Option(f"{who}_cpu_guarantee", "number", (f"CPUs set aside for a {who}.",), minimum=0.001),
        Option(f"{who}_memory", "memory", (f"Most memory of a {who}.",)),
        Option(f"{who}_memory_guarantee", "memory", (f"Memory set aside for a {who}.",)),
    )


#: By add-on; platform/kubernetes/addons.py says where each goes in the add-on's values.
ADDON_SETTINGS: dict[str, tuple[Option, ...]] = {
    "dask-gateway": (
        *_amounts("scheduler"),
        *_amounts("worker"),
        Option("service", "str", ("The service of the hub that it is.",)),
    ),
    "jupyterhub-home-nfs": (
        Option("aws_volume", "str", ("Id of the EBS volume that holds the homes.",), example="vol-0123456789abcdef0"),
        Option("google_volume", "str", ("Id of the persistent disk that holds the homes.",)),
        Option("openstack_volume", "str", ("Id of the Cinder volume that holds the homes.",)),
        Option("quota_gigabytes", "number", ("Most that a user's home may hold, in GiB.",), minimum=0.001),
    ),
    "binderhub-service": (
        Option("image_prefix", "str", ("What names of built images start with.",)),
        Option("registry", "url", ("The registry that built images go to.",)),
        Option("registry_user", "str", ("Who logs in there.",)),
        Option("registry_password", "str", ("With what password; encrypt it.",), secret=True),
    ),
    "jupyterhub-groups-exporter": (
        Option("groups", "list", ("Groups whose members are counted; all when unset.",), elements=names()),
        Option("interval", "int", ("Seconds between two looks at the hub.",), minimum=1),
    ),
}
