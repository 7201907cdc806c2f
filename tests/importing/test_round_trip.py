# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hubs, imported by the real playbook and read back by Ansible, have every value that they had."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from imported import PROJECT, differences, rendered, run_import, without_ours

FLEETS = PROJECT.parent / "shared" / "data" / "fleets" / "2i2c"
#: Another tree of the same kind may be tried by hand.
TREE = Path(os.environ.get("HUBFLEET_IMPORT_TREE", FLEETS))


class Loader(yaml.SafeLoader):
    """YAML without dates and numbers to the base of 60, which Helm does not know."""


Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"[-+]?(0b[01_]+|0[0-7_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*)$") if tag.endswith("int") else pattern)
        for tag, pattern in resolvers
        if not tag.endswith("timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Merge as Helm does: mappings key by key, all else whole."""
    result = dict(lower)
    for key, value in upper.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def with_text_keys(value: Any) -> Any:
    """Return a value with text for all keys, as JSON has it."""
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


def hubs_of(tree: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (cluster, hub) -> what its values files say of the chart."""
    found = {}
    for path in sorted(tree.glob("*/cluster.yaml")):
        cluster = yaml.load(path.read_text(encoding="utf-8"), Loader)
        for hub in cluster["hubs"]:
            values: dict[str, Any] = {}
            for name in hub["helm_chart_values_files"]:
                if "enc-" not in name and not name.endswith(".jsonnet"):
                    text = (path.parent / name).read_text(encoding="utf-8")
                    values = merged(values, with_text_keys(yaml.load(text, Loader) or {}))
            values = values.get("basehub", {}) if hub["helm_chart"] == "daskhub" else values
            found[cluster["name"], hub["name"]] = values.get("jupyterhub") or {}
    return found


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree, imported."""
    if not TREE.is_dir():
        pytest.skip(f"there is no {TREE}")
    directory = tmp_path_factory.mktemp("import")
    done = run_import(directory, source=str(TREE), format="2i2c", directory="my-fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "my-fleet"


def test_every_value_of_every_hub(fleet: Path) -> None:
    wanted = hubs_of(TREE)
    report = json.loads((fleet / "import-report.json").read_text(encoding="utf-8"))
    names = {(hub["source_cluster"], hub["source_hub"]): hub["name"] for hub in report["hubs"]}
    assert names.keys() == wanted.keys()
    values = rendered(fleet)
    assert sorted(values) == sorted(names.values())
    found = {
        hub: lines
        for hub, name in names.items()
        if (lines := differences(without_ours(values[name], wanted[hub]), wanted[hub]))
    }
    assert not found


def test_profile_lists_are_profiles(fleet: Path) -> None:
    listed = {hub for hub, values in hubs_of(TREE).items() if (values.get("singleuser") or {}).get("profileList")}
    report = json.loads((fleet / "import-report.json").read_text(encoding="utf-8"))
    typed = {(hub["source_cluster"], hub["source_hub"]) for hub in report["hubs"] if "hub_profiles" in hub["variables"]}
    assert len(listed) > 10
    assert listed - typed == set()


def test_second_import_changes_nothing(fleet: Path) -> None:
    done = run_import(fleet.parent, source=str(TREE), format="2i2c", directory="my-fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout


def test_encrypted_files_are_still_to_bring(fleet: Path) -> None:
    described = {
        f"{path.parent.name}/{name}"
        for path in TREE.glob("*/cluster.yaml")
        for hub in yaml.load(path.read_text(encoding="utf-8"), Loader)["hubs"]
        for name in hub["helm_chart_values_files"]
        if "enc-" in name
    }
    report = json.loads((fleet / "import-report.json").read_text(encoding="utf-8"))
    assert {name for hub in report["hubs"] for name in hub["encrypted_files"]} == described
