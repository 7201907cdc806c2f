# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People who sign up, log in and change passwords on a hub with NativeAuthenticator."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from hub_client import Browser
from runtime_client import Client

PASSWORD = "a-password-of-my-own"


def first_passwords(file: Path) -> dict[str, str]:
    """Return the first passwords that the operator can read."""
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split(" ") for line in lines)  # type: ignore[misc]


def sign_up(hub: Client, name: str, password: str = PASSWORD) -> str:
    """Sign up as a stranger; return what the page says."""
    browser = Browser(hub)
    browser.request("hub/signup")
    fields = {"username": name, "signup_password": password, "signup_password_confirmation": password}
    status, page = browser.request("hub/signup", fields)
    found = re.search(r'<div class="alert alert-\w+" role="alert">\s*<p>(.*?)</p>', page, re.DOTALL)
    assert status == 200 and found, page
    return html.unescape(" ".join(found[1].split()))


def log_in(hub: Client, name: str, password: str) -> Browser | None:
    """Log in; return the browser, None if that is refused."""
    browser = Browser(hub)
    browser.request("hub/login")
    # not on to a server, which would start
    home = quote(f"{urlsplit(hub.url).path}hub/home", safe="")
    status, page = browser.request(f"hub/login?next={home}", {"username": name, "password": password})
    return browser if status == 200 and 'id="logout"' in page else None


def refused_login(hub: Client, name: str, password: str) -> str:
    """Try to log in; return the page."""
    browser = Browser(hub)
    browser.request("hub/login")
    return browser.request("hub/login", {"username": name, "password": password})[1]


def change_password(browser: Browser, old: str, new: str) -> str:
    """Change one's own password; return the page."""
    fields = {"old_password": old, "new_password": new, "new_password_confirmation": new}
    return browser.request("hub/change-password", fields)[1]
