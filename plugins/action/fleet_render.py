# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_render."""

from __future__ import annotations

import os
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import RENDER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.install_files import (
    HEADER,
    INSTALL,
    InstallFiles,
    install_files,
    values_text,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)


class ActionModule(FleetAction):
    """Write the Helm values of hubs on Kubernetes; see the module's documentation."""

    ARGUMENTS = frozenset({"directory"})

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Write the files that differ, and return their names."""
        directory = self.argument("directory")
        if not directory:
            return {
                "failed": True,
                "msg": "render_directory is not set; name a directory for the files, such as -e render_directory=out",
            }
        directory = os.path.abspath(os.path.expanduser(str(directory)))
        rendered = self.platforms.able(hubs, RENDER)
        if not rendered:
            return {"failed": True, "msg": "none of the selected hubs is on Kubernetes; there is nothing to render"}
        made = {
            os.path.join(directory, hub.name): install_files(
                hub, self.platforms.values(hub).merged, self.platforms.charts.reference(hub), inventory.directory
            )
            for hub in rendered
        }
        _refuse_others(made)
        differing = [path for folder, content in made.items() for path in _differing(folder, content)]
        texts = {
            os.path.join(folder, name): text for folder, content in made.items() for name, text in content.texts.items()
        }
        result: dict[str, Any] = {
            "changed": bool(differing),
            "directory": directory,
            "hubs": [hub.name for hub in rendered],
            "files": [os.path.relpath(path, directory) for path in differing],
        }
        if self._task.diff:
            redactors = {os.path.join(directory, hub.name): hub.redactor for hub in rendered}
            result["diff"] = [_diff(path, texts.get(path, ""), redactors[os.path.dirname(path)]) for path in differing]
        if not self._task.check_mode:
            for folder, content in made.items():
                _write(folder, content)
        self._tell(rendered, directory, len(differing))
        if not task_vars.get("ansible_limit"):
            self._tell_left(directory, inventory)
        return result

    def _tell(self, hubs: list[Hub], directory: str, count: int) -> None:
        for hub in hubs:
            if hub["hub_pending_secrets"]:
                missing = ", ".join(hub["hub_pending_secrets"])
                display.display(f"{hub.name}: the secrets of {missing} are missing", color="yellow")
        verb = "would be written" if self._task.check_mode else "written"
        files = plural(count, "file") if count else "no files"
        display.display(f"{plural(len(hubs), 'hub')} in {directory}: {files} {verb}")

    def _tell_left(self, directory: str, inventory: FleetInput) -> None:
        """Print the directories of hubs that left the inventory; their install.sh would restore them."""
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            if name not in inventory.hosts and _is_ours(os.path.join(directory, name, INSTALL)):
                folder = os.path.join(directory, name)
                display.display(f"{name}: left the inventory; {folder} can be removed", color="yellow")


def _refuse_others(made: dict[str, InstallFiles]) -> None:
    """Refuse to overwrite files that render did not write."""
    paths = [os.path.join(folder, name) for folder, content in made.items() for name in content.texts]
    others = [path for path in paths if os.path.lexists(path) and not _is_ours(path)]
    if others:
        raise AnsibleActionFail(
            f"{', '.join(others)}: not written by this playbook; move it, or set another directory; nothing was written"
        )


def _is_ours(path: str) -> bool:
    """Tell whether a file has the header of a rendered one."""
    return HEADER.rstrip() in (_read(path) or "").split("\n")[:3]


def _differing(folder: str, made: InstallFiles) -> list[str]:
    """Return the paths of files to write, and of files to remove, such as those of an add-on that was removed."""
    paths = [
        os.path.join(folder, name) for name, text in made.texts.items() if _read(os.path.join(folder, name)) != text
    ]
    return paths + _left_over(folder, made)


def _left_over(folder: str, made: InstallFiles) -> list[str]:
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    ours = [os.path.join(folder, name) for name in names if name.endswith(".yaml") and name not in made.texts]
    return [path for path in ours if _is_ours(path)]


def _write(folder: str, made: InstallFiles) -> None:
    """Write a hub's files; values contain secrets, so only the owner can read them, independent of the umask."""
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        files.directory(folder, 0o700)
        for path in _left_over(folder, made):
            os.unlink(path)
        for name, text in made.texts.items():
            files.write(os.path.join(folder, name), text.encode(), 0o700 if name in made.executable else 0o600)
    except OSError as error:
        raise AnsibleActionFail(f"{error.filename or folder} cannot be written: {reason(error)}") from None


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def _diff(path: str, text: str, redactor: Redactor) -> dict[str, str]:
    """Return both sides for --diff, secrets masked: what is in the file, and what replaces it."""
    earlier = _read(path) or ""
    if path.endswith(".yaml"):
        earlier, text = _masked(earlier, text, redactor)
    else:
        earlier, text = redactor.mask_lines(earlier), redactor.mask_lines(text)
    return {"before": earlier, "after": text, "before_header": path, "after_header": path}


def _masked(earlier: str, text: str, redactor: Redactor) -> tuple[str, str]:
    """Return both sides of a values file, secrets masked."""
    try:
        found, problem = yaml.safe_load(earlier), ""
    except (yaml.YAMLError, ValueError):  # such as a date that does not exist
        found, problem = None, "(not YAML)\n"
    before, after = redactor.mask_change(found or {}, yaml.safe_load(text) or {})
    return problem or (values_text(before) if earlier else ""), values_text(after) if text else ""
