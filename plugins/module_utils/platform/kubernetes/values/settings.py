# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: values of the chart with their option, and the options that are a single value of the chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ....schema.cross_checks import ACTIVITY_INTERVAL_VARIABLE
from ....schema.formatted_text import from_literal, literal, literal_variable
from ....schema.model import Hub, ValuePath
from ...traits import ACTIVITY_INTERVAL, culling_interval, interface_path
from .layers import ChartPath


@dataclass(frozen=True)
class Setting:
    """A value of the chart and the place in the inventory that it comes from."""

    path: ChartPath
    value: Any
    source: ValuePath


def setting(path: str, value: Any, *source: Any) -> Setting:
    """Return a setting; ``path`` is written with dots, which none of its keys holds."""
    return Setting(tuple(path.split(".")), value, source)


@dataclass(frozen=True)
class Rule:
    """An option that is one value of the chart.

    to_chart, from_chart: convert the value to the chart's and back; from_chart raises ValueError for other values.
    default: whether the collection's default is written, too, and not only values of the inventory.
    """

    option: str
    path: str
    to_chart: Callable[[Any], Any] = lambda value: value
    from_chart: Callable[[Any], Any] = lambda value: value
    default: bool = True


def _limit(value: int) -> int | None:
    # null means no limit; only newer versions accept 0.
    return value or None


def literal_variables(variables: dict[str, str]) -> dict[str, str]:
    """Return environment variables that have these values in a session: KubeSpawner and Kubernetes expand them."""
    return {name: literal_variable(value) for name, value in variables.items()}


def _interface(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(value)
    return {"/lab": "lab", "/tree": "notebook"}.get(value, value)


#: Options with a single value; other options have modules of their own.
RULES = (
    Rule("hub_start_timeout", "singleuser.startTimeout", default=False),
    Rule("hub_active_server_limit", "hub.activeServerLimit", _limit, lambda value: value or 0, default=False),
    Rule("hub_concurrent_spawn_limit", "hub.concurrentSpawnLimit"),
    Rule("hub_named_servers", "hub.allowNamedServers"),
    Rule("hub_named_server_limit", "hub.namedServerLimitPerUser", default=False),
    Rule("hub_redirect_to_server", "hub.redirectToServer"),
    Rule("hub_interface", "singleuser.defaultUrl", interface_path, _interface),
    Rule("hub_maximum_age", "cull.maxAge"),
    Rule("hub_environment_variables", "singleuser.extraEnv", literal_variables, default=False),
    Rule("hub_home_capacity", "singleuser.storage.capacity", default=False),
    Rule("hub_home_mount_path", "singleuser.storage.homeMountPath", literal, from_literal, default=False),
    Rule("hub_user_service_account", "singleuser.serviceAccountName", default=False),
    Rule("hub_database_storage", "hub.db.pvc.storage"),
    Rule("hub_block_metadata_with_iptables", "singleuser.cloudMetadata.blockWithIptables"),
    Rule("hub_node_selector", "singleuser.nodeSelector", default=False),
    Rule("hub_tolerations", "singleuser.extraTolerations", default=False),
    Rule("hub_user_scheduler", "scheduling.userScheduler.enabled"),
    Rule("hub_user_placeholders", "scheduling.userPlaceholder.replicas"),
    Rule("hub_pod_priority", "scheduling.podPriority.enabled"),
    Rule("hub_prepull_on_deploy", "prePuller.hook.enabled"),
    Rule("hub_prepull_on_new_nodes", "prePuller.continuous.enabled"),
    Rule("hub_announcement", "hub.templateVars.announcement", default=False),
)

#: Keys of hub_user_egress -> keys of the chart.
NETWORK = {"internet": "nonPrivateIPs", "private": "privateIPs", "metadata": "cloudMetadataServer"}
EGRESS = "singleuser.networkPolicy.egressAllowRules"

#: In seconds, as the chart: a node may have to be added first.
_START_TIMEOUT = 300

#: In seconds; for this and longer timeouts, JupyterHub's default interval of reports of activity is short enough.
_LONG_TIMEOUT = 900


def single_value_settings(hub: Hub) -> Iterator[Setting]:
    """Yield the settings of the options in RULES, of culling, egress and buckets."""
    by_collection = hub["hub_defaults_source"] == "collection"
    for rule in RULES:
        if rule.option in hub.explicit_options or (by_collection and rule.default):
            yield setting(rule.path, rule.to_chart(hub[rule.option]), rule.option)
    if by_collection and hub["hub_named_server_limit"]:
        # A limit alone allows them, as on the platform server.
        yield setting("hub.allowNamedServers", True, "hub_named_server_limit")
    if by_collection:
        # Until its pod runs, and then until the server answers, which JupyterHub waits for only half a minute.
        timeout = hub["hub_start_timeout"] if "hub_start_timeout" in hub.explicit_options else _START_TIMEOUT
        yield setting("hub.config.Spawner.http_timeout", timeout, "hub_start_timeout")
    yield from _culling(hub, by_collection)
    for key, name in NETWORK.items():
        allowed = (hub["hub_user_egress"] or {}).get(key)
        if allowed is not None:
            yield setting(f"{EGRESS}.{name}", allowed, "hub_user_egress", key)
    for variable, bucket in (hub["hub_buckets"] or {}).items():
        address = f"{literal_variable(bucket)}/$(JUPYTERHUB_USER)"
        yield Setting(("singleuser", "extraEnv", variable), address, ("hub_buckets", variable))


def _culling(hub: Hub, by_collection: bool) -> Iterator[Setting]:
    """Yield the idle timeout, and how often servers are looked at.

    ``never`` disables the culler, unless it enforces a maximum age.
    """
    option = "hub_idle_timeout"
    if by_collection and (hub[option] or hub["hub_maximum_age"]):
        yield setting("cull.every", culling_interval(hub), option)
    if option not in hub.explicit_options and not by_collection:
        return
    timeout = hub[option]
    if timeout:
        yield setting("cull.timeout", timeout, option)
        given = ACTIVITY_INTERVAL_VARIABLE in (hub["hub_environment_variables"] or {})
        if timeout < _LONG_TIMEOUT and not given:
            path = ("singleuser", "extraEnv", ACTIVITY_INTERVAL_VARIABLE)
            yield Setting(path, str(ACTIVITY_INTERVAL), (option,))
    elif not hub["hub_maximum_age"]:
        yield setting("cull.enabled", False, option)
    else:
        # The culler has no "never", so a century stands for it.
        yield setting("cull.timeout", 100 * 365 * 86400, option)
