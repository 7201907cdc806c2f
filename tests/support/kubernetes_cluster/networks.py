# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace for each cluster, so that rules of kube-proxy and of network policies stay in it.

An API server alone needs none: it listens on the loopback device, on ports of its own.
"""

from __future__ import annotations

import errno
import itertools
import random
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

#: Where ports of API servers alone, and of registries, are from: below those that the kernel gives to connections
#: (net.ipv4.ip_local_port_range), so that a port is still free when a server is started again.
PORTS = range(20000, 30000)


@dataclass(frozen=True)
class Ports:
    """Ports of etcd, for clients and for other members, and of the API server."""

    etcd: int = 2379
    peers: int = 2380
    api: int = 6443


class Addresses(Protocol):
    """Where etcd and the API server listen, and what they call the cluster."""

    @property
    def name(self) -> str:
        """Return the name of the cluster in kubeconfig files."""

    @property
    def node(self) -> str:
        """Return the address of the API server."""

    @property
    def ports(self) -> Ports:
        """Return the ports."""

    @property
    def services(self) -> str:
        """Return the addresses of services."""

    @property
    def api_service(self) -> str:
        """Return the address of the service ``kubernetes``."""


def free_ports() -> Ports:
    """Return three ports that nothing listens on. Others may take them at the same time."""
    return Ports(*itertools.islice(_free("127.0.0.1"), 3))


def free_port(address: str) -> int:
    """Return a port of an address of this machine that nothing listens on. Raises OSError if it has no such address."""
    return next(_free(address))


def _free(address: str) -> Iterator[int]:
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as tried:
            try:
                tried.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        yield port


@dataclass(frozen=True)
class Loopback:
    """The loopback device of this machine, for an API server without nodes."""

    ports: Ports = field(default_factory=free_ports)
    name: str = "hubfleet-test-api"
    node: str = "127.0.0.1"
    services: str = "10.200.0.0/16"
    api_service: str = "10.200.0.1"


@dataclass(frozen=True)
class Network:
    """The network of the cluster with a number, from 0 to 49; clusters with other numbers do not overlap."""

    number: int
    ports: Ports = Ports()

    @property
    def name(self) -> str:
        """Return the name of the namespace, and of the cluster's control groups."""
        return f"hubfleet-test-{self.number}"

    @property
    def link(self) -> str:
        """Return the name of the machine's end of the link into the namespace; at most 15 characters."""
        return f"hubfleet-{self.number}"

    @property
    def machine(self) -> str:
        """Return the machine's address on the link; a server of a test that listens there is reachable for pods."""
        return f"10.250.{self.number}.1"

    @property
    def node(self) -> str:
        """Return the node's address, where the API server and the cluster's DNS listen."""
        return f"10.250.{self.number}.2"

    @property
    def pods(self) -> str:
        """Return the addresses of pods."""
        return f"10.{100 + self.number}.0.0/16"

    @property
    def services(self) -> str:
        """Return the addresses of services."""
        return f"10.{150 + self.number}.0.0/16"

    @property
    def api_service(self) -> str:
        """Return the address of the service ``kubernetes``."""
        return f"10.{150 + self.number}.0.1"

    @property
    def inside(self) -> list[str]:
        """Return the beginning of a command that runs in the namespace.

        Not `ip netns exec`, which mounts a new /sys and so hides /sys/fs/cgroup.
        """
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def exists(self) -> bool:
        """Return whether the namespace exists."""
        return Path("/run/netns", self.name).exists()

    def create(self) -> None:
        """Create the namespace and the link into it. Raises subprocess.CalledProcessError."""
        if not self.exists():
            for command in (
                f"ip netns add {self.name}",
                f"ip link add {self.link} type veth peer name node netns {self.name}",
                f"ip address add {self.machine}/30 dev {self.link}",
                f"ip link set {self.link} up",
                f"ip -n {self.name} address add {self.node}/30 dev node",
                f"ip -n {self.name} link set node up",
                f"ip -n {self.name} link set lo up",
                f"ip -n {self.name} route add default via {self.machine}",
            ):
                subprocess.run(command.split(), check=True)
        # pods are behind a bridge, whose packets network policies have to see
        settings = ["net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"]
        subprocess.run([*self.inside, "sysctl", "-qw", *settings], check=True)

    def remove(self) -> None:
        """Remove the namespace, and with it the link."""
        if self.exists():
            subprocess.run(["ip", "netns", "delete", self.name], check=True)
        # it vanishes with the namespace, but only when the last process in it has ended
        subprocess.run(["ip", "link", "delete", self.link], check=False, stderr=subprocess.DEVNULL)
