# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was wrong with hubs before: it is told, and stops neither their import nor what comes after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import ImportRequest, import_fleet
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import (
    CHARTS,
    CODE,
    import_values,
    values_of,
    variables_of,
)

AUTHENTICATOR_CLASS = "hub.config.JupyterHub.authenticator_class"


def imported(directory: Path, config: dict[str, Any], **hub: Any) -> tuple[dict[str, Any], list[str]]:
    """Import a hub with this configuration; return its variables, and the reported problems."""
    values = {"hub": {"config": config, **hub}}
    problems = import_values(directory, json.dumps(values), hub="lab").report.problems
    assert values_of(directory / "fleet") == {"lab": values}
    return variables_of(directory / "fleet")["lab"], problems


@pytest.mark.parametrize("name", ["tmp", "DUMMY", "jupyterhub.auth.DummyAuthenticator", "old.TmpAuthenticator", None])
@pytest.mark.parametrize("trait", [{}, {"no_such_trait": 1}])
def test_who_lets_anybody_in_is_a_demonstration(tmp_path: Path, name: str | None, trait: dict[str, Any]) -> None:
    config = {"JupyterHub": {"authenticator_class": name}, "TmpAuthenticator": {"allow_all": True, **trait}}
    variables, problems = imported(tmp_path, config)
    assert variables["hub_demonstration"] is True
    assert [problem for problem in problems if "anybody" in problem] == [
        "lab: anybody can log in as anybody, as before (hub_demonstration: true); choose an authenticator"
    ]


def test_a_demonstration_that_nobody_may_use_is_tolerated(tmp_path: Path) -> None:
    variables, problems = imported(tmp_path, {"JupyterHub": {"authenticator_class": "tmp"}})
    assert variables["hub_ignored_problems"] == [AUTHENTICATOR_CLASS]
    assert any("nobody is allowed to log in" in problem for problem in problems)


def test_settings_that_come_from_elsewhere_are_to_be_brought(tmp_path: Path) -> None:
    config = {
        "JupyterHub": {"authenticator_class": "github"},
        "GitHubOAuthenticator": {"allowed_organizations": ["uni"]},
    }
    variables, problems = imported(tmp_path, config)
    assert variables["hub_pending_secrets"] == ["settings of its authenticator"]
    assert problems == ["lab: hub_authenticator_settings: client_id, client_secret are missing"]


def test_settings_that_may_be_in_the_cluster_are_not(tmp_path: Path) -> None:
    config = {
        "JupyterHub": {"authenticator_class": "github"},
        "GitHubOAuthenticator": {"allowed_organizations": ["uni"]},
    }
    variables, problems = imported(tmp_path, config, existingSecret="hub")
    assert "hub_pending_secrets" not in variables and problems == []


@pytest.mark.parametrize(
    "start", [b"\0GITCRYPT\0\xff\xfe", b"$ANSIBLE_VAULT;1.1;AES256\n313", b"age-encryption.org/v1\n\xff"]
)
def test_files_that_are_encrypted_as_a_whole(tmp_path: Path, start: bytes) -> None:
    paths = [tmp_path / "lab.yaml", tmp_path / "secrets" / "lab.yaml"]
    paths[1].parent.mkdir()
    paths[0].write_text("cull: {every: 7}", encoding="utf-8")
    paths[1].write_bytes(start)
    hub = import_fleet(ImportRequest(list(map(str, paths)), "z2jh", str(tmp_path / "fleet")), CODE, CHARTS).report.hubs[
        0
    ]
    assert (hub.files, hub.encrypted_files) == (["lab.yaml"], ["secrets/lab.yaml"])
