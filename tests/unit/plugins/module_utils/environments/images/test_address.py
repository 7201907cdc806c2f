# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of images mean what they mean to Docker and Kubernetes."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.address import ImageAddress


@pytest.mark.parametrize(
    ("text", "name", "reference", "api"),
    [
        ("debian:12", "docker.io/library/debian", "12", "https://registry-1.docker.io/v2/library/debian"),
        ("jupyter/base", "docker.io/jupyter/base", "", "https://registry-1.docker.io/v2/jupyter/base"),
        ("docker.io/library/debian", "docker.io/library/debian", "", "https://registry-1.docker.io/v2/library/debian"),
        ("quay.io/a/b/c:1.0", "quay.io/a/b/c", "1.0", "https://quay.io/v2/a/b/c"),
        ("localhost/a:1", "localhost/a", "1", "https://localhost/v2/a"),
        ("host:5000/a", "host:5000/a", "", "https://host:5000/v2/a"),
        ("http://10.0.0.1:5000/hubs/a:1", "10.0.0.1:5000/hubs/a", "1", "http://10.0.0.1:5000/v2/hubs/a"),
        ("quay.io/a@sha256:12", "quay.io/a", "sha256:12", "https://quay.io/v2/a"),
        ("quay.io/a:1@sha256:12", "quay.io/a", "sha256:12", "https://quay.io/v2/a"),
    ],
)
def test_parts(text: str, name: str, reference: str, api: str) -> None:
    address = ImageAddress.parse(text)
    assert (address.name, address.reference, address.api) == (name, reference, api)
