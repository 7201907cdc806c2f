# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts of a host nobody may see, by Ansible's own vaults and templates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible.template import Templar
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.mask import is_secret_text
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.private_lines import PrivateLines
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.secret_texts import SecretTexts, private_lines

SECRET = 'zebra "KEY" 9f2'
FIRST, SECOND = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "CYsNzWl2QyN0aGlzIGlzIG5vdCBhIGtleQ"
PEM = f"-----BEGIN PRIVATE KEY-----\n{FIRST}\n{SECOND}\n-----END PRIVATE KEY-----\n"

Variables = Callable[[str], tuple[dict[str, Any], dict[str, Any], DataLoader]]


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Returns a file's variables before and after templating; {SECRET} and {PEM} in it are encrypted."""
    secrets = [("default", VaultSecret(b"password"))]
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
    loader = DataLoader()
    loader.set_vault_secrets(secrets)

    def vaulted(text: str) -> str:
        return "!vault |\n" + "".join(f"  {line}\n" for line in VaultLib(secrets).encrypt(text).decode().splitlines())

    def read(text: str) -> tuple[dict[str, Any], dict[str, Any], DataLoader]:
        path = tmp_path / "all.yml"
        path.write_text(text.replace("{SECRET}", vaulted(SECRET + "\n")).replace("{PEM}", vaulted(PEM)))
        raw = loader.load_from_file(str(path), cache="none", trusted_as_template=True)
        templar = Templar(loader=loader, variables=raw)
        return (
            raw,
            {key: plain(templar.template(value)) for key, value in raw.items() if key.startswith("hub_")},
            loader,
        )

    return read


def texts_of(raw: dict[str, Any], worked_out: dict[str, Any], loader: DataLoader) -> frozenset[str]:
    """Return what is found to be secret."""
    return SecretTexts().of(raw, worked_out, lambda blank: Templar(loader=loader, variables=blank).template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ key | trim }}",
        "{{ key | trim | b64encode }}",
        "{{ key | trim | urlencode }}",
        "{{ key | trim | to_json }}",
        "{{ key | trim | hash('sha256') }}",
        "{{ other }}",
        "{{ lookup('vars', 'key') | trim | upper }}",
        "{{ lookup('vars', 'k' ~ 'ey') | trim | upper }}",
        "{{ (key | trim | split(' '))[2] }}",
    ],
)
def test_what_templates_make_of_a_secret(variables: Variables, template: str) -> None:
    raw, worked_out, loader = variables(
        f"hub_environment_variables:\n  T: {json.dumps(template)}\n  PLAIN: '{{{{ place }}}}'\n"
        + "place: 'at {{ town }}'\ntown: Rome\nother: '{{ key | trim | upper }}'\nkey: {SECRET}\n"
    )
    texts = texts_of(raw, worked_out, loader)
    made = worked_out["hub_environment_variables"]
    assert made["PLAIN"] == "at Rome" and "zebra" not in made["PLAIN"]
    assert is_secret_text(made["T"], texts)
    assert not is_secret_text("at Rome", texts)


def test_only_the_lines_with_a_secret(variables: Variables) -> None:
    raw, worked_out, loader = variables(
        "hub_jupyterhub_config: |\n  c.JupyterHub.port = {{ port }}\n  c.A.key = '{{ key | trim | b64encode }}'\n"
        "port: 8000\nkey: {SECRET}\n"
    )
    first, second = worked_out["hub_jupyterhub_config"].splitlines()
    texts = texts_of(raw, worked_out, loader)
    assert is_secret_text(second, texts) and not is_secret_text(first, texts)


def test_forms_of_a_secret_that_no_template_tells_of(variables: Variables) -> None:
    texts = texts_of(*variables("key: {SECRET}\npem: {PEM}\n"))
    assert is_secret_text(f"x={SECRET}", texts)
    assert is_secret_text(base64.b64encode(SECRET.encode()).decode(), texts)
    assert is_secret_text(FIRST, texts) and is_secret_text(f"  {SECOND}\n", texts)
    assert not is_secret_text("-----BEGIN PRIVATE KEY-----", texts)


def test_no_secret_no_texts(variables: Variables) -> None:
    assert not texts_of(*variables("hub_title: '{{ name }} at {{ town }}'\nname: A\ntown: Rome\n"))


def test_what_of_code_may_be_told(variables: Variables) -> None:
    """Lines that stand in the inventory as they are, and words of the others."""
    raw, worked_out, _loader = variables(
        "hub_jupyterhub_config: |\n  {{ shared }}\n  c.A.key = unknown({{ key | trim | quote }})\n  c.A.plain = 1\n"
        "shared: |\n  import os\n  x = lookup_of('{{ lookup('env', 'HOME') }}')\nkey: {SECRET}\n"
    )
    told = private_lines(raw, worked_out["hub_jupyterhub_config"])
    lines = worked_out["hub_jupyterhub_config"].splitlines()
    assert [lines[number - 1][:9] for number in told.numbers] == ["x = looku", "c.A.key ="]
    assert {"unknown", "lookup_of"} <= set(told.public_names) and not {"zebra", "KEY"} & set(told.public_names)


def test_plain_code_may_be_told(variables: Variables) -> None:
    raw, worked_out, _loader = variables("hub_jupyterhub_config: |\n  c.A.key = 1\nkey: {SECRET}\n")
    assert private_lines(raw, worked_out["hub_jupyterhub_config"]) == PrivateLines()
    raw, _worked_out, _loader = variables("hub_jupyterhub_config: {PEM}\n")
    assert private_lines(raw, PEM) == PrivateLines((1, 2, 3, 4))
