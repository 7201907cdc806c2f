# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and kubeconfig files of a cluster.

Source of names and groups: https://kubernetes.io/docs/setup/best-practices/certificates/
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .networks import Addresses

NODE_NAME = "node1"


@dataclass(frozen=True)
class Account:
    """Whom a certificate is for. addresses: where others reach it as a server."""

    name: str
    common_name: str
    organization: str | None = None
    addresses: tuple[str, ...] = ("localhost",)


def accounts(network: Addresses) -> list[Account]:
    """Return the accounts of a cluster's programs, and the administrator."""
    api = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "127.0.0.1")
    return [
        Account("apiserver", "kube-apiserver", addresses=(*api, network.api_service, network.node)),
        Account("admin", "admin", "system:masters"),
        Account("controller-manager", "system:kube-controller-manager"),
        Account("scheduler", "system:kube-scheduler"),
        Account("proxy", "system:kube-proxy"),
        Account("kubelet", f"system:node:{NODE_NAME}", "system:nodes", (NODE_NAME, network.node)),
    ]


def write(directory: Path, network: Addresses) -> None:
    """Write ca.crt, ca.key, NAME.crt, NAME.key and NAME.conf of each account, sa.pub and sa.key."""
    directory.mkdir(mode=0o700, parents=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.crt")
    authority.private_key_pem.write_to_path(directory / "ca.key")
    for account in accounts(network):
        certificate = authority.issue_cert(
            *account.addresses, common_name=account.common_name, organization_name=account.organization
        )
        certificate.cert_chain_pems[0].write_to_path(directory / f"{account.name}.crt")
        certificate.private_key_pem.write_to_path(directory / f"{account.name}.key")
        kubeconfig = _kubeconfig(directory, account.name, network)
        (directory / f"{account.name}.conf").write_text(json.dumps(kubeconfig, indent=2), encoding="utf-8")
    _write_key_of_service_accounts(directory)


def _kubeconfig(directory: Path, name: str, network: Addresses) -> dict[str, object]:
    def content(file: str) -> str:
        return b64encode((directory / file).read_bytes()).decode()

    cluster = {"server": f"https://{network.node}:{network.ports.api}", "certificate-authority-data": content("ca.crt")}
    user = {"client-certificate-data": content(f"{name}.crt"), "client-key-data": content(f"{name}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": network.name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": network.name, "context": {"cluster": network.name, "user": name}}],
        "current-context": network.name,
    }


def _write_key_of_service_accounts(directory: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (directory / "sa.key").write_bytes(private)
    (directory / "sa.pub").write_bytes(public)
