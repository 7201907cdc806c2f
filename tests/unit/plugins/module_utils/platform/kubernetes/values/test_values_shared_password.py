# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of SharedPasswordAuthenticator are generated in the hub's pod, and are in no values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("traitlets", reason="the code of the hub's pod needs the Python package traitlets")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.shared_password import (
    PASSWORD_CONFIG,
    PASSWORDS,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    values_of,
)
from traitlets.config import Config

HUB: dict[str, Any] = {"hub_authenticator": "shared-password", "hub_allow_everyone": True, "hub_admins": ["ada"]}


def generated(path: Path, secret: Any = "0f" * 32, **configured: str) -> dict[str, str]:
    """Run the code of the values as the chart does; return the passwords that the hub has then."""
    text = values_of(**HUB).merged["hub"]["extraConfig"][PASSWORD_CONFIG]
    assert PASSWORDS in text
    c = Config({"SharedPasswordAuthenticator": configured})
    c.JupyterHub.authenticator_class = "shared-password"
    c.JupyterHub.cookie_secret = secret
    exec(text.replace(PASSWORDS, str(path)), {"c": c})
    return dict(c.SharedPasswordAuthenticator)


def test_passwords_are_generated_and_kept_private(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    passwords = generated(file)
    assert file.read_text() == "".join(f"{name} {password}\n" for name, password in passwords.items())
    assert file.stat().st_mode & 0o777 == 0o600
    assert [len(passwords[name]) for name in ("user_password", "admin_password")] == [19, 39]
    assert generated(file) == generated(file, bytes.fromhex("0f" * 32)) == passwords
    others = generated(file, "0e" * 32)
    assert not set(others.values()) & set(passwords.values())


def test_passwords_of_the_operator_stay(tmp_path: Path) -> None:
    passwords = generated(tmp_path / "passwords", user_password="of-the-workshop")
    assert passwords["user_password"] == "of-the-workshop"
    assert (tmp_path / "passwords").read_text() == f"admin_password {passwords['admin_password']}\n"


def test_without_a_cookie_secret_the_hub_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        generated(tmp_path / "passwords", None)


def test_imported_hubs_keep_their_values() -> None:
    hub = values_of(**HUB, hub_defaults_source="chart").merged["hub"]
    assert "extraConfig" not in hub
