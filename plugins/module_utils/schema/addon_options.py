# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the settings of add-ons: ``hub_addons.NAME.settings``."""

from __future__ import annotations

from .option import Option, names


def _amounts(who: str) -> tuple[Option, ...]:
    return (
        Option(f"{who}_cpu", "number", (f"CPU limit of a {who}.",), minimum=0.01),
        Option(f"{who}_cpu_guarantee", "number", (f"Guaranteed CPUs of a {who}.",), minimum=0.001),
        Option(f"{who}_memory", "memory", (f"Memory limit of a {who}.",)),
        Option(f"{who}_memory_guarantee", "memory", (f"Guaranteed memory of a {who}.",)),
    )


#: By add-on; platform/kubernetes/values/addons.py maps them to Helm values of the add-on.
ADDON_SETTINGS: dict[str, tuple[Option, ...]] = {
    "dask-gateway": (
        *_amounts("scheduler"),
        *_amounts("worker"),
        Option("service", "str", ("Name of the JupyterHub service that the gateway uses.",)),
    ),
    "jupyterhub-home-nfs": (
        Option(
            "aws_volume", "str", ("ID of the EBS volume with the home directories.",), example="vol-0123456789abcdef0"
        ),
        Option("google_volume", "str", ("ID of the persistent disk with the home directories.",)),
        Option("openstack_volume", "str", ("ID of the Cinder volume with the home directories.",)),
        Option("quota_gigabytes", "number", ("Quota of a user's home directory, in GiB.",), minimum=0.001),
    ),
    "binderhub-service": (
        Option("image_prefix", "str", ("Prefix of the names of built images.",)),
        Option("registry", "url", ("Registry that built images are pushed to.",)),
        Option("registry_user", "str", ("User name at the registry.",)),
        Option(
            "registry_password",
            "str",
            ("Password at the registry; encrypt it with ansible-vault or SOPS.",),
            secret=True,
        ),
    ),
    "jupyterhub-groups-exporter": (
        Option("groups", "list", ("Groups to export; unset, all groups.",), elements=names()),
        Option("interval", "int", ("Interval between two queries of the hub, in seconds.",), minimum=1),
    ),
}
