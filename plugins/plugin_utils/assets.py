# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the collection's files that go to machines and clusters, in the controller."""

from __future__ import annotations

import functools
import json
import os

import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import EnvironmentFiles
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartCode,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (
    Assets,
)

ROLES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "roles"))
FILES = os.path.join(ROLES, "cluster", "files")

#: What is recorded of each version of the chart, and of JupyterHub.
RECORDED_CHARTS = os.path.join(ROLES, "hub", "files", "charts")
RECORDED_JUPYTERHUB = os.path.join(ROLES, "hub", "files", "jupyterhub")

#: What roles/hub/files/extra_config/users.py imports.
USERS_MODULES = tuple(f"hubfleet_runtime/{name}.py" for name in ("__init__", "access", "users_api"))


@functools.cache
def assets() -> Assets:
    """Return the locks and the packages hubfleet_runtime and hubfleet_environment."""
    return Assets(
        locks=_texts(os.path.join(FILES, "locks"), (".txt", ".json")),
        runtime=_texts(os.path.join(FILES, "runtime"), (".py", ".html", ".cjs")),
        environment=_texts(os.path.join(FILES, "environment"), (".py", ".sh", "bashrc")),
        conda=_texts(os.path.join(FILES, "conda"), (".py",)),
        jupyterhub_records=RECORDED_JUPYTERHUB,
    )


@functools.cache
def collection_version() -> str:
    """Return the version of this collection: of an installed one from its manifest, of a checkout from galaxy.yml."""
    root = os.path.dirname(ROLES)
    try:
        with open(os.path.join(root, "MANIFEST.json"), encoding="utf-8") as file:
            return str(json.load(file)["collection_info"]["version"])
    except (OSError, ValueError, KeyError):
        pass
    try:
        with open(os.path.join(root, "galaxy.yml"), encoding="utf-8") as file:
            return str(yaml.safe_load(file)["version"])
    except (OSError, yaml.YAMLError, KeyError):
        return ""


@functools.cache
def chart_code() -> ChartCode:
    """Return our Python that runs inside of hubs on Kubernetes."""
    texts = _texts(os.path.join(ROLES, "hub", "files", "extra_config"), (".py",))
    runtime = {path: text for path, text in assets().runtime.items() if _is_for_charts(path)}
    names = ("allowed_groups", "access", "user_expiry", "shared_password", "idle_time", "start_page")
    own = {name: assets().runtime[f"hubfleet_runtime/{name}.py"] for name in names}
    own |= {name: texts[f"{name}.py"] for name in ("native_login", "profile_order", "users")}
    own["titled_page"] = assets().runtime["hubfleet_runtime/templates/titled_page.html"]
    own["start_page_template"] = assets().runtime["hubfleet_runtime/templates/start_page.html"]
    users_package = {path: assets().runtime[path] for path in USERS_MODULES}
    return ChartCode(package=runtime, users_package=users_package, **own)


@functools.cache
def environment_files() -> EnvironmentFiles:
    """Return what of the collection goes into images of environments."""
    repo2docker = _texts(os.path.join(FILES, "repo2docker"), (".py",))
    return EnvironmentFiles(assets().locks, assets().environment, repo2docker)


@functools.cache
def backup_program() -> dict[str, str]:
    """Return the program of pods that back up hubs on Kubernetes: path -> text of its modules."""
    names = ("__init__", "files", "names", "backup/__init__", "backup/content", "backup/restic")
    package = {f"hubfleet_runtime/{name}.py": assets().runtime[f"hubfleet_runtime/{name}.py"] for name in names}
    return {**package, **_texts(os.path.join(ROLES, "hub", "files", "backup"), (".py",))}


def _is_for_charts(path: str) -> bool:
    """Return whether a file of the runtime works inside of hubs on Kubernetes, too."""
    package, _slash, name = path.partition("/")
    folder, _slash, _name = name.rpartition("/")
    return package == "hubfleet_runtime" and (
        name in ("__init__.py", "files.py", "names.py") or folder.split("/")[0] == "native_login"
    )


def chart_cache() -> str:
    """Return the directory that downloaded charts are kept in."""
    return _cache("charts")


def repository_cache() -> str:
    """Return the directory that git repositories of environments are kept in."""
    return _cache("repositories")


def image_cache() -> str:
    """Return the directory of base images, and of images while they are built."""
    return _cache("images")


def _cache(name: str) -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "hubfleet", name)


def _texts(directory: str, endings: tuple[str, ...]) -> dict[str, str]:
    """Return relative path -> text of the files below ``directory``."""
    found = {}
    for folder, _folders, names in os.walk(directory):
        for name in sorted(names):
            if name.endswith(endings):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, directory)] = file.read()
    return dict(sorted(found.items()))
