# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three services of a hub, and the reverse proxy of a cluster: the commands they are started with.

Every command goes through the launcher of the package hubfleet_runtime, which takes the service's
lock and writes down the digest of what it was started from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ....common.digests import digest
from ....common.persisted import from_persisted
from ....schema.model import Hub
from ...traits import culling_interval
from ..facts.machine import Setup
from ..layout import HubLayout, Layout
from ..reverse_proxy.desired import ReverseProxy, command
from .environments import Assets, hub_environment, node_command, proxy

#: Ports below it are for root, and for who has the right to them (ip(7)).
_FIRST_FREE_PORT = 1024


@dataclass(frozen=True)
class Service:
    """One service, as a supervisor starts it.

    name: unique on the machine, such as ``1a2b3c-workstation.demo-proxy``: the state directory, cluster and hub.
    role: ``proxy``, ``hub``, ``culler`` or ``reverse-proxy``.
    directory: the hub's directory, or the reverse proxy's.
    command: the full command line; it holds the digest and no secret.
    digest: of everything the service is started from.
    slice: of systemd, which counts what the hub uses with all its users' servers.
    """

    name: str
    role: str
    directory: str
    command: tuple[str, ...]
    digest: str
    slice: str = ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Service:
        """Return the service that :meth:`as_dict` made ``values`` of."""
        return from_persisted(cls, {**values, "command": tuple(values["command"])})

    def as_dict(self) -> dict[str, Any]:
        """Return the service in the types of JSON."""
        return {**vars(self), "command": list(self.command)}

    @property
    def program(self) -> str:
        """The program that the launcher becomes, such as the hub's Python."""
        return self.command[self.command.index("--") + 1]

    @property
    def layout(self) -> HubLayout:
        """Where its lock, record and log are."""
        return HubLayout(self.directory)


def slice_name(hub: Hub, setup: Setup) -> str:
    """Return the slice of a hub; dashes make a slice part of another one (systemd.slice(5)), so names have none."""
    return f"hubfleet-{digest(setup.layout.root)[:6]}-{hub.name.replace('-', '_')}.slice"


def service_name(layout: Layout, owner: str, role: str) -> str:
    """Return the name of a service, unique on the machine; owner: CLUSTER.HUB, or CLUSTER for the reverse proxy."""
    return f"{digest(layout.root)[:6]}-{owner}-{role}"


def services(
    hub: Hub, config: dict[str, Any], content: str, certificate: str, setup: Setup, assets: Assets
) -> list[Service]:
    """Return the services of a hub, in the order of starting.

    config: the hub's hub.json. content: a digest of all its files, which the hub reads at its
    start; the proxy and the culler read none of them, so they go on when the hub restarts.
    certificate: a digest of the TLS certificate, which the proxy reads at its start.
    """
    python = setup.layout.tool(hub_environment(hub["hub_jupyterhub_version"], setup, assets).directory) + "/bin/python"
    code = _code(setup, assets)
    hub_command = [python, f"{code}/hub.py", "-f", f"{code}/jupyterhub_config.py"]
    return [
        _service(
            hub,
            "proxy",
            _proxy_command(config, setup, assets),
            _proxy_options(config, setup),
            certificate,
            setup,
            assets,
        ),
        _service(
            hub,
            "hub",
            hub_command,
            ["--wait-port", str(config["ports"]["proxy_api"])],
            content,
            setup,
            assets,
        ),
        _service(
            hub,
            "culler",
            _culler_command(hub, config, python),
            _culler_options(config, setup),
            "",
            setup,
            assets,
        ),
    ]


def _service(
    hub: Hub, role: str, command: list[str], options: list[str], content: str, setup: Setup, assets: Assets
) -> Service:
    directory = setup.layout.hub(hub.name).directory
    owner = f"{hub.cluster.name}.{hub.name}"
    service = _launched(owner, role, directory, command, options, content, setup, assets)
    return replace(service, slice=slice_name(hub, setup) if setup.supervisor == "systemd" else "")


def reverse_proxy_service(cluster: str, reverse_proxy: ReverseProxy, setup: Setup, assets: Assets) -> Service:
    """Return the service of the reverse proxy. What Caddy reloads while it runs is not part of its digest."""
    options = _as_account(reverse_proxy.account, reverse_proxy.http_port, reverse_proxy.https_port)
    return _launched(
        cluster,
        "reverse-proxy",
        reverse_proxy.directory,
        command(reverse_proxy),
        options,
        reverse_proxy.version,
        setup,
        assets,
    )


def _launched(
    owner: str,
    role: str,
    directory: str,
    command: list[str],
    options: list[str],
    content: str,
    setup: Setup,
    assets: Assets,
) -> Service:
    """Return a service whose command is started by the launcher."""
    # Not the hub's own Python: a proxy that outlives a change of JupyterHub's version drops no connection.
    launcher = [setup.python, f"{_code(setup, assets)}/launch.py"]
    start = ["--directory", directory, "--service", role, *options]
    what = digest([launcher, start, command, content])
    return Service(
        name=service_name(setup.layout, owner, role),
        role=role,
        directory=directory,
        command=(*launcher, *start, "--digest", what, "--", *command),
        digest=what,
    )


def _code(setup: Setup, assets: Assets) -> str:
    return f"{setup.layout.runtime(assets.runtime_digest)}/hubfleet_runtime"


def _proxy_command(config: dict[str, Any], setup: Setup, assets: Assets) -> list[str]:
    """Return configurable-http-proxy's command line; its options as in its README."""
    ports = config["ports"]
    package = setup.layout.tool(proxy(setup, assets).directory)
    command = [
        node_command(setup, assets),
        f"--require={_code(setup, assets)}/proxy_log.cjs",
        f"{package}/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
        f"--ip={config['bind']}",
        f"--port={ports['public']}",
        "--api-ip=127.0.0.1",
        f"--api-port={ports['proxy_api']}",
        "--metrics-ip=127.0.0.1",
        f"--metrics-port={ports['proxy_metrics']}",
        f"--error-target=http://127.0.0.1:{ports['hub']}{config['base_url']}hub/error",
    ]
    if config["base_url"] != "/":
        # Who types the address without its path is sent on by the hub.
        command.append(f"--default-target=http://127.0.0.1:{ports['hub']}")
    if config["tls"]:
        command += [
            f"--ssl-cert={config['tls']['certificate']}",
            f"--ssl-key={config['tls']['key']}",
        ]
    return command


def _proxy_options(config: dict[str, Any], setup: Setup) -> list[str]:
    ports = config["ports"]
    options = [
        "--secret",
        "CONFIGPROXY_AUTH_TOKEN=proxy_token",
        "--restore-routes",
        str(ports["hub"]),
    ]
    if not setup.proxy_account:
        return options
    # A key of the operator's is often readable by root only.
    for path in (config["tls"] or {}).values():
        options += ["--pass-file", path]
    return [*options, *_as_account(setup.proxy_account, ports["public"], ports["proxy_api"], ports["proxy_metrics"])]


def _as_account(account: str | None, *ports: int) -> list[str]:
    """Return the launcher's options to run as an account with no right but that to the ports it listens on."""
    if not account:
        return []
    low = any(port < _FIRST_FREE_PORT for port in ports)
    return ["--account", account, *(["--low-ports"] if low else [])]


def _culler_command(hub: Hub, config: dict[str, Any], python: str) -> list[str]:
    """Return jupyterhub-idle-culler's command line; limits of 0 switch a rule off."""
    timeout, age = hub["hub_idle_timeout"], hub["hub_maximum_age"]
    return [
        python,
        "-m",
        "jupyterhub_idle_culler",
        f"--url=http://127.0.0.1:{config['ports']['hub']}{config['base_url']}hub/api",
        # The culler has no word for "never": a hundred years is as good.
        f"--timeout={timeout or 100 * 365 * 86400}",
        f"--max-age={age}",
        f"--cull-every={culling_interval(hub)}",
        "--concurrency=5",
    ]


def culler_settings(services: Iterable[Service]) -> tuple[str, ...]:
    """Return the options of jupyterhub-idle-culler's command line, but for the address of the hub."""
    command = next((service.command for service in services if service.role == "culler"), ())
    settings = command[command.index("--") + 1 :] if "--" in command else ()
    return tuple(word for word in settings if word.startswith("--") and not word.startswith("--url="))


def _culler_options(config: dict[str, Any], setup: Setup) -> list[str]:
    return [
        "--secret",
        "JUPYTERHUB_API_TOKEN=culler_token",
        "--wait-port",
        str(config["ports"]["hub"]),
        *_as_account(setup.proxy_account),
    ]
