# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator without accounts for whoever comes first, the same on machines and on Kubernetes."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config

from hubfleet_runtime.native_login.authenticator import FleetNativeAuthenticator

TEMPLATES = Path(__file__).parent / "templates"
#: How JupyterHub.authenticator_class names NativeAuthenticator.
NAMES = ("native", "nativeauthenticator.NativeAuthenticator")


def configure(c: Config, first_passwords: Path) -> None:
    """Let the hub use FleetNativeAuthenticator if it is configured to use NativeAuthenticator.

    first_passwords: file for the operator, private to the hub's account; see first_passwords.py.
    """
    if c.JupyterHub.get("authenticator_class") not in NAMES:
        return
    c.JupyterHub.authenticator_class = FleetNativeAuthenticator
    c.FleetNativeAuthenticator.first_passwords = str(first_passwords)
    # after those of the operator and of the collection, which may override them, but before JupyterHub's own
    paths = c.JupyterHub.get("template_paths")
    c.JupyterHub.template_paths = [*(paths if isinstance(paths, list) else ()), str(TEMPLATES)]
    c.JupyterHub.template_vars.update({"native_login": True})
