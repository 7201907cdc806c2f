# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a cluster: their configuration and their commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .credentials import NODE_NAME
from .images import PAUSE_IMAGE
from .networks import Addresses, Network

#: Name of the class of volumes, which is the default.
STORAGE_CLASS = "standard"


@dataclass(frozen=True)
class Places:
    """Directories and files of a cluster."""

    state: Path
    programs: Path
    network: Network

    @property
    def credentials(self) -> Path:
        """Return the directory of certificates and kubeconfig files."""
        return self.state / "credentials"

    @property
    def socket(self) -> Path:
        """Return the socket of containerd."""
        return self.state / "containerd.sock"

    @property
    def containerd(self) -> Path:
        """Return the directory where containerd keeps images and containers."""
        return self.state / "containerd/root"

    def kubeconfig(self, account: str = "admin") -> Path:
        """Return the kubeconfig file of an account of credentials.py."""
        return self.credentials / f"{account}.conf"

    def program(self, name: str) -> str:
        """Return the path of a program that was built."""
        return str(self.programs / name)


def write(places: Places) -> None:
    """Write the configuration of all programs."""
    for name, content in (
        ("containerd.toml", _containerd(places)),
        ("network/10-bridge.conflist", json.dumps(_pod_network(places))),
        ("kubelet.yaml", json.dumps(_kubelet(places))),
        ("proxy.yaml", json.dumps(_proxy(places))),
        ("Corefile", _dns(places)),
        ("volumes.yaml", json.dumps(_volumes())),
    ):
        path = places.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # kube-proxy ends when its file is written
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")


def _containerd(places: Places) -> str:
    return f"""\
version = 2
root = "{places.containerd}"
state = "{places.state}/containerd/state"
[grpc]
address = "{places.socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# without CAP_SYS_RESOURCE, as in many containers, runc could not lower the score
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{places.state}/registries"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{places.state}/network"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
# crun refuses a hybrid of control groups version 1 and 2
BinaryName = "runc"
"""


def _pod_network(places: Places) -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": places.network.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{places.state}/addresses",
    }
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{**bridge, "ipam": addresses}, ports]}


def _kubelet(places: Places) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{places.credentials}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{places.credentials}/kubelet.crt",
        "tlsPrivateKeyFile": f"{places.credentials}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{places.socket}",
        "cgroupDriver": "cgroupfs",
        # of each cluster its own: kubelets kill what is in their root and not one of their pods
        "cgroupRoot": f"/{places.network.name}",
        "failSwapOn": False,
        "clusterDNS": [places.network.node],
        "clusterDomain": "cluster.local",
        "enforceNodeAllocatable": [],
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        # nothing could pull an image again
        "imageGCHighThresholdPercent": 100,
        "maxPods": 200,
        "podLogsDir": f"{places.state}/pod-logs",
    }


def _proxy(places: Places) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(places.kubeconfig("proxy"))},
        "clusterCIDR": places.network.pods,
        "mode": "iptables",
        # these settings of the kernel are read-only outside the first network namespace
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _dns(places: Places) -> str:
    return f"""\
.:53 {{
    bind {places.network.node}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {places.kubeconfig()} {places.network.name}
        pods insecure
    }}
}}
"""


def _volumes() -> dict[str, Any]:
    """Return the storage class."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": default},
        # of programs/servers/volumes.go
        "provisioner": "hubfleet.example/directory",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }


def server_commands(state: Path, programs: Path, network: Addresses) -> dict[str, list[str]]:
    """Return the commands of etcd and the API server, without what only clusters with nodes need.

    state: the directory that etcd and the directory ``credentials`` are in.
    """
    keys, ports = state / "credentials", network.ports
    etcd, peers = (f"http://127.0.0.1:{port}" for port in (ports.etcd, ports.peers))
    return {
        "etcd": [
            *(str(programs / "etcd"), f"--data-dir={state}/etcd", "--unsafe-no-fsync", "--log-level=error"),
            *(f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}", f"--listen-peer-urls={peers}"),
            *(f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}"),
            # a fleet of many releases is larger than the 2 GB that it holds otherwise
            f"--quota-backend-bytes={8 * 2**30}",
        ],
        "apiserver": [
            *(str(programs / "kube-apiserver"), f"--etcd-servers={etcd}", f"--secure-port={ports.api}"),
            *(f"--advertise-address={network.node}", f"--service-cluster-ip-range={network.services}"),
            *(f"--tls-cert-file={keys}/apiserver.crt", f"--tls-private-key-file={keys}/apiserver.key"),
            *(f"--client-ca-file={keys}/ca.crt", "--authorization-mode=Node,RBAC", "--allow-privileged=true"),
            "--service-account-issuer=https://kubernetes.default.svc",
            *(f"--service-account-key-file={keys}/sa.pub", f"--service-account-signing-key-file={keys}/sa.key"),
        ],
    }


def commands(places: Places) -> dict[str, list[str]]:
    """Return the commands of all programs by name, in the order in which they start."""
    keys, node = places.credentials, places.network.node
    # it advertises no loopback address, or pods could not reach the service `kubernetes`
    servers = server_commands(places.state, places.programs, places.network)

    def authorized(account: str) -> list[str]:
        path = places.kubeconfig(account)
        return [f"--{kind}kubeconfig={path}" for kind in ("", "authentication-", "authorization-")]

    return {
        "etcd": servers["etcd"],
        "apiserver": [
            *servers["apiserver"],
            # otherwise, it looks up the node's name in the machine's DNS for logs and exec
            "--kubelet-preferred-address-types=InternalIP",
            *(f"--kubelet-client-certificate={keys}/admin.crt", f"--kubelet-client-key={keys}/admin.key"),
        ],
        "containerd": ["containerd", f"--config={places.state}/containerd.toml"],
        "controller-manager": [
            *(places.program("kube-controller-manager"), "--leader-elect=false", *authorized("controller-manager")),
            *(f"--service-account-private-key-file={keys}/sa.key", f"--root-ca-file={keys}/ca.crt"),
            *(f"--cluster-signing-cert-file={keys}/ca.crt", f"--cluster-signing-key-file={keys}/ca.key"),
            "--use-service-account-credentials",
        ],
        "scheduler": [places.program("kube-scheduler"), "--leader-elect=false", *authorized("scheduler")],
        "kubelet": [
            *(places.program("kubelet"), f"--config={places.state}/kubelet.yaml", f"--root-dir={places.state}/kubelet"),
            *(f"--kubeconfig={places.kubeconfig('kubelet')}", f"--cert-dir={places.state}/kubelet-pki"),
            *(f"--hostname-override={NODE_NAME}", f"--node-ip={node}"),
        ],
        "coredns": [places.program("coredns"), f"-conf={places.state}/Corefile"],
    }


def commands_with_node(places: Places) -> dict[str, list[str]]:
    """Return the commands of programs that start when the node is registered."""
    admin = places.kubeconfig()
    return {
        "proxy": [
            places.program("kube-proxy"),
            f"--config={places.state}/proxy.yaml",
            f"--hostname-override={NODE_NAME}",
        ],
        # without the node, it ends at once, and nothing would be enforced
        "kube-router": [
            *(places.program("kube-router"), f"--kubeconfig={admin}", f"--hostname-override={NODE_NAME}"),
        ],
        "volumes": [
            *(places.program("volumes"), f"--kubeconfig={admin}", f"--directory={places.state}/volumes"),
        ],
    }
