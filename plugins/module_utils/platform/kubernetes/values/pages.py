# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Title, logo and templates of a hub's pages."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator

from ....schema.model import Hub
from .files import file_content
from .settings import Setting, setting

#: Where the hub's pod has the operator's templates, that of the collection, and the logo.
TEMPLATES = "/usr/local/share/jupyterhub/hubfleet/templates"
PAGES = "/usr/local/share/jupyterhub/hubfleet/pages"
START_PAGE = "/usr/local/share/jupyterhub/hubfleet/start_page.html"
#: The chart runs extraConfig in the order of its keys: after the operator's, which may bring a form of its own.
START_PAGE_CONFIG = "zzzw-hubfleet-start-page"
LOGO = "/usr/local/share/jupyterhub/hubfleet/logo"


def page_settings(hub: Hub, directory: str, titled_page: str) -> Iterator[Setting]:
    """Yield what pages look like.

    directory: where relative paths start. titled_page: the template that shows the title, which nothing of JupyterHub
    does.
    """
    paths: list[str] = []
    if hub["hub_templates"]:
        yield from _templates(hub, directory)
        paths.append(TEMPLATES)
    if hub["hub_defaults_source"] == "collection":
        yield setting("hub.templateVars.hub_title", hub.title, "hub_title")
        page = {"mountPath": f"{PAGES}/page.html", "stringData": titled_page}
        yield Setting(("hub", "extraFiles", "hubfleet-page"), page, ("hub_title",))
        paths.append(PAGES)
    if paths:
        # The first one wins, so that the operator can replace the collection's.
        yield setting("hub.templatePaths", paths, "hub_templates" if hub["hub_templates"] else "hub_title")
    if hub["hub_logo"]:
        yield from _logo(hub, directory)


def start_page_settings(code: str, template: str) -> Iterator[Setting]:
    """Yield the form on which users choose from a profile list."""
    text = f"{code}\n\nStartPage.configure(c, {START_PAGE!r})\n"
    yield Setting(("hub", "extraConfig", START_PAGE_CONFIG), text, ("hub_environments",))
    file = {"mountPath": START_PAGE, "stringData": template}
    yield Setting(("hub", "extraFiles", "hubfleet-start-page"), file, ("hub_environments",))


def _templates(hub: Hub, directory: str) -> Iterator[Setting]:
    root = os.path.join(directory, os.path.expanduser(hub["hub_templates"]))
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            with open(path, "rb") as file:
                content = file_content(file.read())
            # Keys of a Kubernetes secret hold letters, digits, '-', '_' and '.'; each file has one of its own.
            key = "template-" + re.sub(r"[^A-Za-z0-9_.]", lambda match: f"-{ord(match[0]):x}-", relative)
            yield Setting(
                ("hub", "extraFiles", key), {"mountPath": f"{TEMPLATES}/{relative}", **content}, ("hub_templates",)
            )


def _logo(hub: Hub, directory: str) -> Iterator[Setting]:
    path = os.path.join(directory, os.path.expanduser(hub["hub_logo"]))
    mount = LOGO + os.path.splitext(path)[1]
    with open(path, "rb") as file:
        content = base64.b64encode(file.read()).decode("ascii")
    yield Setting(("hub", "extraFiles", "logo"), {"mountPath": mount, "binaryData": content}, ("hub_logo",))
    yield setting("hub.config.JupyterHub.logo_file", mount, "hub_logo")
