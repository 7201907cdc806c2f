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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.secret_texts import SecretTexts, private_lines

SECRET = 'zebra "KEY" 9f2'
FIRST, SECOND = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "CYsNzWl2QyN0aGlzIGlzIG5vdCBhIGtleQ"
PEM = f"-----BEGIN PRIVATE KEY-----\n{FIRST}\n{SECOND}\n-----END PRIVATE KEY-----\n"

Variables = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Returns variables of files before and after templating; {SECRET}, {PEM} and {NUMBER} are encrypted."""
    secrets = [("default", VaultSecret(b"password"))]
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
    loader = DataLoader()
    loader.set_vault_secrets(secrets)

    def vaulted(text: str) -> str:
        return '!vault "' + VaultLib(secrets).encrypt(text).decode().replace("\n", "\\n") + '"'

    def read(text: str, *files: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        path = tmp_path / "all.yml"
        for name, secret in (("SECRET", SECRET + "\n"), ("PEM", PEM), ("NUMBER", "4711")):
            text = text.replace(f"{{{name}}}", vaulted(secret))
        path.write_text(text)
        raw = {}
        for each in (path, *files):
            raw |= loader.load_from_file(str(each), cache="none", trusted_as_template=True)
        template = Templar(loader=loader, variables=raw).template
        return raw, {key: plain(template(value)) for key, value in raw.items() if key.startswith("hub_")}

    return read


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
    raw, worked_out = variables(
        f"hub_environment_variables:\n  T: {json.dumps(template)}\n  PLAIN: '{{{{ place }}}}'\n"
        + "place: 'at {{ town }}'\ntown: Rome\nother: '{{ key | trim | upper }}'\nkey: {SECRET}\n"
    )
    texts = SecretTexts().of(raw, worked_out)
    made = worked_out["hub_environment_variables"]
    assert made["PLAIN"] == "at Rome" and "zebra" not in made["PLAIN"]
    assert is_secret_text(made["T"], texts)
    assert not is_secret_text("at Rome", texts)


def test_lines_that_stand_in_a_template_are_no_secret(variables: Variables) -> None:
    raw, worked_out = variables(
        "hub_jupyterhub_config: |\n  c.JupyterHub.port = 8000\n  c.A.key = '{{ key | trim | b64encode }}'\n"
        "key: {SECRET}\n"
    )
    first, second = worked_out["hub_jupyterhub_config"].splitlines()
    texts = SecretTexts().of(raw, worked_out)
    assert is_secret_text(second, texts) and not is_secret_text(first, texts)


SETTINGS = """
settings: {town: Rome, key: {SECRET}, options: {deep: 1}}
town: Rome
port: 8000
other: "{{ settings.key | trim }}"
whole: "{{ settings }}"
"""


@pytest.mark.parametrize(
    "template",
    [
        "{{ inventory_hostname }}",
        "https://{{ inventory_hostname }}.{{ town }}.example.org/",
        "{{ settings.town }}",
        "{{ settings['town'] | upper }}",
        "{{ settings.options.deep + port }}",
        "{% if town == 'Rome' %}Staging {% endif %}of {{ town }}",
        "{{ inventory_hostname.split('-')[0] | default(town) }}",
        "{{ ['a', town] | join(' and ') }}",
        "{{ town if port > 80 else settings.town }}",
    ],
)
def test_what_names_no_secret_is_shown(variables: Variables, template: str) -> None:
    """Neither a variable beside an encrypted one in a mapping, nor a name, nor an address."""
    raw, worked_out = variables(f"inventory_hostname: maps-staging\nhub_title: {json.dumps(template)}\n{SETTINGS}")
    assert not is_secret_text(worked_out["hub_title"], SecretTexts().of(raw, worked_out))


@pytest.mark.parametrize(
    "template",
    [
        "{{ settings.key | trim | reverse }}",
        "{{ settings['key'] | trim | upper }}",
        "{{ settings[name] | trim | upper }}",
        "{{ settings | dict2items | map(attribute='value') | join(' ') | upper }}",
        "{{ settings.get('key') | upper }}",
        "{{ (settings.values() | list)[1] | upper }}",
        "{{ whole.key | upper }}",
        "{{ other | reverse }}",
        "{{ missing | default(other | upper) }}",
        "{{ 'first' if settings.key is match('z.*') else 'second' }}",
        "{% for part in settings.key.split(' ') %}{{ part | upper }}-{% endfor %}",
        "{% set part = settings.key %}{{ part | upper }}",
        "{{ vars['k' ~ 'ey'] | default('unknown') }}",
        "{{ hostvars['maps'].key | default('unknown') }}",
        "{{ lookup('env', 'HOME') }}",
        "{{ query('env', 'HOME') | first }}",
        "{{ lookup('pipe', 'echo made-elsewhere') }}",
    ],
)
def test_what_may_name_a_secret_is_masked(variables: Variables, template: str) -> None:
    raw, worked_out = variables(
        f"hostvars: {{maps: {{}}}}\nvars: {{}}\nname: key\nhub_title: {json.dumps(template)}\n{SETTINGS}"
    )
    assert is_secret_text(worked_out["hub_title"], SecretTexts().of(raw, worked_out))


def test_parts_of_what_one_template_makes(variables: Variables) -> None:
    """Where it makes a list or a mapping, what stands in the inventory in plain text as well is no secret."""
    raw, worked_out = variables(
        "hub_environment_variables: \"{{ usual | combine({'T': key | trim | upper, 'N': key | length}) }}\"\n"
        "hub_admins: \"{{ [key | trim | lower, 'ada'] + others }}\"\nothers: [ben]\n"
        "usual: {LANG: de_DE.UTF-8, EDITOR: vi}\nkey: {SECRET}\n"
    )
    assert Redactor(secret_texts=lambda: SecretTexts().of(raw, worked_out)).mask(worked_out) == {
        "hub_environment_variables": {"LANG": "de_DE.UTF-8", "EDITOR": "vi", "T": "***", "N": "***"},
        "hub_admins": ["***", "***", "ben"],
    }


def test_secrets_in_odd_places(variables: Variables) -> None:
    """In lists of lists, as keys, as numbers, inside of other text, escaped, and in base64."""
    raw, worked_out = variables("hub_list: [[{SECRET}]]\nkey: {SECRET}\nnumber: {NUMBER}\npem: {PEM}\n")
    redactor = Redactor(secret_texts=lambda: SecretTexts().of(raw, worked_out))
    assert redactor.mask(worked_out) == {"hub_list": [["***"]]}
    assert redactor.mask({SECRET: 1, "a": {f"x {SECRET}": [2]}}) == {"***": 1, "a": {"***": [2]}}
    assert redactor.mask([4711, "4711", 47110, f"a{SECRET}b"]) == ["***", "***", 47110, "***"]
    written = [json.dumps(f"a {SECRET}"), repr(SECRET), base64.b64encode(PEM.encode()).decode()]
    assert redactor.mask(written) == ["***", "***", "***"]
    assert redactor.mask_lines(f"a = 1\n  key = '{FIRST}'\n{SECOND}\n") == "a = 1\n***\n***\n"


def test_files_that_are_encrypted(variables: Variables, tmp_path: Path) -> None:
    """All scalars in them are secret, numbers too; and what a plugin decrypted before Ansible read it, such as SOPS."""
    path = tmp_path / "vault.yml"
    path.write_text("word: of-the-vault\npin: 4711\nlist: [{deep: 1234}]\nflag: true\n")
    raw, worked_out = variables("hub_title: '{{ word }}'\n", path)
    path.write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    raw |= DataLoader().load("token: of-the-plugin\n")
    texts = SecretTexts().of(raw, worked_out)
    assert all(is_secret_text(text, texts) for text in ("of-the-vault", 4711, 1234, "of-the-plugin"))
    assert not is_secret_text("true", texts) and not is_secret_text(True, texts)


def test_forms_of_a_secret_that_no_template_tells_of(variables: Variables) -> None:
    texts = SecretTexts().of(*variables("key: {SECRET}\npem: {PEM}\n"))
    assert is_secret_text(f"x={SECRET}", texts)
    assert is_secret_text(base64.b64encode(SECRET.encode()).decode(), texts)
    assert is_secret_text(FIRST, texts) and is_secret_text(f"  {SECOND}\n", texts)
    assert not is_secret_text("-----BEGIN PRIVATE KEY-----", texts)


def test_no_secret_no_texts(variables: Variables) -> None:
    assert not SecretTexts().of(*variables("hub_title: '{{ name }} at {{ town }}'\nname: A\ntown: Rome\n"))


def test_what_of_code_may_be_told(variables: Variables) -> None:
    """Lines that stand in the inventory as they are, and words of the others."""
    raw, worked_out = variables(
        "hub_jupyterhub_config: |\n  {{ shared }}\n  c.A.key = unknown({{ key | trim | quote }})\n  c.A.plain = 1\n"
        "shared: |\n  import os\n  x = lookup_of('{{ lookup('env', 'HOME') }}')\nkey: {SECRET}\n"
    )
    told = private_lines(raw, worked_out["hub_jupyterhub_config"])
    lines = worked_out["hub_jupyterhub_config"].splitlines()
    assert [lines[number - 1][:9] for number in told.numbers] == ["x = looku", "c.A.key ="]
    assert {"unknown", "lookup_of"} <= set(told.public_names) and not {"zebra", "KEY"} & set(told.public_names)


def test_plain_code_may_be_told(variables: Variables) -> None:
    raw, worked_out = variables("hub_jupyterhub_config: |\n  c.A.key = 1\nkey: {SECRET}\n")
    assert private_lines(raw, worked_out["hub_jupyterhub_config"]) == PrivateLines()
    raw, _worked_out = variables("hub_jupyterhub_config: {PEM}\n")
    assert private_lines(raw, PEM) == PrivateLines((1, 2, 3, 4))
