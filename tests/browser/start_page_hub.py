# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real JupyterHub with the start page of a platform, and more choices than a person wants to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    chart_values,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import profile_list
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import FILES, chart_code
from browser_hub import free_ports, wait_until

ENVIRONMENTS, SIZES = 40, 6
MOUNTED = "/usr/local/share/jupyterhub/hubfleet"
#: KubeSpawner wants to know a cluster, although it asks it nothing here.
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "none", "user": {}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
}
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><circle cx="2" cy="2" r="2" fill="#06c"/></svg>\n'
EXTRAS = {
    "display_name": "Extras",
    "choices": {
        name: {"display_name": name.title(), "kubespawner_override": {"environment": {"EXTRAS": name}}}
        for name in ("none", "tides", "winds")
    },
}


VERSION = {
    "display_name": "Version",
    "choices": {"one": {"display_name": "One"}},
    "unlisted_choice": {
        "enabled": True,
        "display_name": "Its number",
        "display_name_in_choices": "Another one",
        "validation_regex": "^[0-9]+$",
        "validation_message": "a number",
        "kubespawner_override": {"environment": {"VERSION": "{value}"}},
    },
}


class StartPageHub:
    """Started and stopped by tests; ``record`` has a line for each server that it would have started."""

    def __init__(self, directory: Path, platform: str) -> None:
        self.directory, self.platform = directory, platform
        self.record = directory / "record"
        first = free_ports(2)
        self.url = f"http://127.0.0.1:{first + 1}/coast/"
        hub = definition(platform, directory)
        made = self._kubernetes(hub) if platform == "kubernetes" else self._server(hub)
        for profile in made["profile_list"]:
            profile.setdefault("profile_options", {})["extras"] = EXTRAS
        made["profile_list"][1]["profile_options"]["version"] = VERSION
        given = {
            "platform": platform,
            "record": str(self.record),
            "port": first,
            "hub_port": first + 1,
            "base_url": "/coast/",
            **made,
        }
        (directory / "kubeconfig").write_text(json.dumps(KUBECONFIG), encoding="utf-8")
        variables = {
            "START_PAGE_HUB": json.dumps(given),
            "PYTHONPATH": os.path.join(FILES, "runtime"),
            "KUBECONFIG": str(directory / "kubeconfig"),
            "POD_NAMESPACE": "none",
        }
        config = Path(__file__).with_name("start_page_config.py")
        with (directory / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=directory,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until the hub answers."""
        wait_until(self._is_healthy, 60, "the hub answers")

    def _is_healthy(self) -> bool:
        assert self.process.poll() is None, (self.directory / "hub.log").read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{self.url}hub/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the hub, and show its log if a test failed."""
        self.process.terminate()
        self.process.wait(30)
        print((self.directory / "hub.log").read_text(encoding="utf-8")[-20000:])

    def started(self) -> list[dict[str, Any]]:
        """Return what would have been started, in order."""
        return [json.loads(line) for line in self.record.read_text().splitlines()] if self.record.exists() else []

    def _server(self, hub: Hub) -> dict[str, Any]:
        """Return what a machine makes of the hub, and write the template of its pages."""
        pages = self.directory / "pages"
        pages.mkdir()
        (pages / "page.html").write_text(chart_code().titled_page, encoding="utf-8")
        return {"profile_list": profile_list(hub), "template_paths": [str(pages)]}

    def _kubernetes(self, hub: Hub) -> dict[str, Any]:
        """Return the same from the chart's values, and write the files that the chart mounts."""
        text = json.dumps(chart_values(hub, str(self.directory), chart_code()).merged)
        values = json.loads(text.replace(MOUNTED, f"{self.directory}/pod"))
        for file in values["hub"]["extraFiles"].values():
            path = Path(file["mountPath"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["stringData"], encoding="utf-8")
        code = {
            key: text for key, text in values["hub"]["extraConfig"].items() if "start-page" in key or "order" in key
        }
        return {
            "profile_list": values["singleuser"]["profileList"],
            "template_paths": values["hub"]["templatePaths"],
            "extra_config": code,
        }


def definition(platform: str, directory: Path) -> Hub:
    """Return one hub for either platform. Names are not in the order of the alphabet."""
    (directory / "icon.svg").write_text(ICON, encoding="utf-8")
    names = [f"env-{(7 * number) % ENVIRONMENTS:02}" for number in range(ENVIRONMENTS)]
    catalogue: dict[str, dict[str, Any]] = {
        name: {
            "title": f"Course {name[-2:]} & <lab>",
            "description": f"Software of the course {name[-2:]} of the coast, with <b>maps</b>",
            "packages": ["numpy==2.3.5", f"course{name[-2:]}==1.0"],
            "link": f"https://coast.example.org/{name}",
            "icon": "icon.svg",
        }
        for name in names
    }
    catalogue["env-00"]["title"] = "Plain Python"
    catalogue["env-00"]["packages"] = []
    sizes = {f"s{number}": {"title": f"Size {number}", "memory": f"{number + 1}G"} for number in range(SIZES)}
    options = {
        "cluster_platform": platform,
        "hub_authenticator": "shared-password",
        "hub_allowed_users": ["ada"],
        "hub_environment_catalogue": catalogue,
        "hub_environments": names,
        "hub_size_catalogue": sizes,
        "hub_sizes": list(sizes),
        **(
            {"hub_home_storage": "none", "cluster_image_registry": "registry.example.org/hubs"}
            if platform == "kubernetes"
            else {"hub_port": 8000}
        ),
    }
    host = HostInput("coast", options, frozenset({"staging"}))
    fleet, problems = validate(FleetInput({"coast": host}, {"cluster": ["coast"]}, str(directory), lock=None))
    found = [problem.line() for problem in problems.of(["coast"])]
    assert found == [], found
    hub = fleet.hubs["coast"]
    if platform == "kubernetes":
        hub.environments[:] = [replace(each, image=f"registry.example.org/{each.name}:1") for each in hub.environments]
    return hub
