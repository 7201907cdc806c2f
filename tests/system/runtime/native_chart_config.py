# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JupyterHub's configuration from values of the chart, in the order of the chart's own configuration file.

Source: jupyterhub/files/hub/jupyterhub_config.py of zero-to-jupyterhub; what needs Kubernetes is left out.
"""

# ruff: noqa: F821
# pylint: disable=undefined-variable
import json
import os

values = json.loads(os.environ["CHART_VALUES"])
ports = json.loads(os.environ["CHART_PORTS"])
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"
c.JupyterHub.bind_url = f"http://127.0.0.1:{ports['public']}/"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{ports['hub']}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{ports['proxy_api']}"
c.ConfigurableHTTPProxy.command = json.loads(os.environ["CHART_PROXY"])
c.JupyterHub.spawner_class = "simple"
for trait, key in (("template_paths", "templatePaths"), ("template_vars", "templateVars")):
    if values["hub"].get(key) is not None:
        setattr(c.JupyterHub, trait, values["hub"][key])
c.JupyterHub.cookie_secret = bytes.fromhex("0f" * 32)
c.JupyterHub.services = []
c.JupyterHub.load_roles = [{"name": name, **role} for name, role in values["hub"].get("loadRoles", {}).items()]
for name, section in values["hub"]["config"].items():
    c[name].update(section)
for _name, code in sorted(values["hub"]["extraConfig"].items()):
    exec(code)
