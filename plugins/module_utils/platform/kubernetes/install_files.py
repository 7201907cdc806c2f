# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that install a hub without this collection: Helm values, a script with the helm commands, and a Role for it."""

from __future__ import annotations

import functools
import os
import re
import shlex
from dataclasses import dataclass
from typing import Any

from ...schema.model import Hub
from .chart.content import ChartReference
from .role import ROLE_FILE, role_objects
from .values.addons import addon_releases
from .values.layers import Values
from .values.native_login import first_passwords_command, is_native
from .values.shared_password import has_generated_passwords, shared_passwords_command

#: Installs or upgrades the release of the hub; command: that does it.
_UPGRADE = """\
upgrade() {{
  {command}
}}

checksums() {{
  upgrade "$@" --dry-run=server 2>/dev/null | sed -n '/checksum\\//p'
}}

# The chart generates secrets that are not in the cluster, in each rendering others: two renderings differ then. Hub and
# proxy have to start from those in the cluster, or the next upgrade restarts both, and cuts the connections of users.
if [ "$(checksums "$@")" != "$(checksums "$@")" ]; then
  echo "Helm runs twice, since the chart generates secrets."
  upgrade "$@" --wait=false >/dev/null 2>&1 || true  # the second run says what is wrong
fi
upgrade "$@"
"""

HEADER = "# Made from the inventory by hubfleet.jupyterhub; change it there.\n"
INSTALL = "install.sh"


@functools.cache
def values_dumper() -> Any:
    """Return a YAML dumper whose output Helm reads unchanged: literal blocks, quoted numbers, no aliases."""
    import yaml  # only the controller writes values, and Ansible brings it along there

    class ValuesDumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: Any, value: str) -> Any:
        # Blocks cannot hold lines that end in blanks, tabs, or other control characters.
        block = "\n" in value and not re.search(r"[ \t]+\n|[\t\r\x00-\x08\x0b-\x1f\x7f-\x9f]", value)
        style = "|" if block else None
        if re.search("[\x85\u2028\u2029]", value):
            style = '"'  # line breaks to YAML 1.1, but none to YAML 1.2: escaped, both read them as they are
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    ValuesDumper.add_representer(str, text)
    # Numbers of YAML 1.2 and of Go that PyYAML takes for text, and would leave without quotes: 1e3, 0o17, .inf.
    number = re.compile(
        r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?\.(inf|nan)$|^0[oxb][\da-f_]+$", re.IGNORECASE
    )
    ValuesDumper.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    # To Go these are true and false, as YAML 1.1 has it; to PyYAML they are text.
    ValuesDumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))
    return ValuesDumper


def values_text(values: Values) -> str:
    """Return Helm values as a YAML document."""
    import yaml

    return HEADER + yaml.dump(
        values, Dumper=values_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=120
    )


@dataclass(frozen=True)
class InstallFiles:
    """The files of a hub: name -> text. Values may contain secrets; executable: names of scripts."""

    texts: dict[str, str]
    executable: frozenset[str] = frozenset({INSTALL})


def install_files(hub: Hub, values: Values, reference: ChartReference, directory: str) -> InstallFiles:
    """Return the files that install a hub with the helm command line alone, and the Role that this needs.

    directory: of the inventory; paths of add-ons' charts are relative to it.
    """
    texts = {"values.yaml": values_text(values)}
    command = _command(hub.release, hub.namespace, reference.chart, reference.version, reference.repository, "values")
    commands = [_UPGRADE.format(command=command)]
    for release in addon_releases(hub):
        texts[f"{release.addon}.values.yaml"] = values_text(release.values)
        commands.append(
            _command(
                release.name,
                hub.namespace,
                absolute_chart(release.chart, directory),
                release.version,
                release.repository,
                f"{release.addon}.values",
            )
        )
    if hub.cluster["cluster_permissions"] == "namespace":
        texts[ROLE_FILE] = values_text({"apiVersion": "v1", "kind": "List", "items": role_objects(hub)})
    texts[INSTALL] = _script(hub, [*commands, *_closing_words(hub, values)])
    return InstallFiles(texts)


def absolute_chart(chart: str, directory: str) -> str:
    """Return the absolute path of a chart, since the script runs elsewhere; names and URLs are unchanged."""
    is_path = "/" in chart and not chart.startswith("oci://")
    return os.path.abspath(os.path.join(directory, os.path.expanduser(chart))) if is_path else chart


def _command(release: str, namespace: str, chart: str, version: str, repository: str, values: str) -> str:
    words = ["helm", "upgrade", "--install", release, chart]
    if repository:
        words += ["--repo", repository]
    if not chart.startswith("/"):
        words += ["--version", version]
    words += ["--namespace", namespace, "--values", f"{values}.yaml"]
    return f'{shlex.join(words)} "$@"'


def _closing_words(hub: Hub, values: Values) -> list[str]:
    """Return commands that say how to read the passwords that the hub generates."""
    texts = []
    if is_native(values):
        texts.append(f"First passwords that people have not changed yet: {first_passwords_command(hub)}")
    if has_generated_passwords(hub, values):
        texts.append(f"Passwords of users and admins: {shared_passwords_command(hub)}")
    return [shlex.join(["echo", text]) for text in texts]


def _script(hub: Hub, commands: list[str]) -> str:
    head = [
        "#!/bin/sh",
        f"# Installs or upgrades the hub {hub.name}; needs helm, and access to the cluster.",
        HEADER.rstrip(),
        "set -eu",
    ]
    if hub["hub_pending_secrets"]:
        # Helm would replace a working hub by one without its secrets.
        missing = ", ".join(hub["hub_pending_secrets"])
        said = f"{hub.name} is not installed: these of its secrets are missing: {missing}"
        lines = [*head, f"echo {shlex.quote(said)} >&2", "exit 1"]
    else:
        lines = [*head, 'CDPATH=\'\' cd -- "$(dirname -- "$0")"', *commands]
    return "\n".join(lines) + "\n"
