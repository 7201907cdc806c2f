# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of hubs whose secrets are in odd places, and are changed by templates."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib
from bad_inventories import SECRETS, Case, validated_inventory

WORD, PIN, PASSWORD, DEEP = "zebra\"9f2'\\key", "471147", "pair-secret-1", "deep-secret-9"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nCYsNzWl2QyN0aGlzIGlz\n-----END PRIVATE KEY-----\n"
#: What must not be shown: the secrets, and what templates below make of them.
HIDDEN = [
    *(WORD, PIN, PASSWORD, DEEP, "PAIR-SECRET", "yebra", "zebra%22", "MIIEvQ", "CYsNzWl"),
    *(base64.b64encode(text.encode()).decode() for text in (WORD, PEM, f"x:{PASSWORD}")),
]
VARIABLES = """
word: <WORD>
pin: <PIN>
pem: <PEM>
pair: {user: ben-of-the-pair, password: <PASSWORD>}
hub_environment_variables:
  A: "{{ word }}"
  B: "{{ word | b64encode }}"
  C: "{{ pin }}"
  D: "{{ pem | b64encode }}"
  E: "prefix-{{ pair.password | upper }}"
  F: "{{ ('x:' ~ pair.password) | b64encode }}"
  G: "{{ pair.user }}"
hub_announcement: "call {{ pin }}"
hub_jupyterhub_config: |
  c.JupyterHub.log_level = 20
  k = {{ pem | to_json }}
  j = '{{ word | urlencode }}'
  {% for line in pem.splitlines() %}
  # {{ line }}
  {% endfor %}
"""
VALUES = """
hub_helm_values:
  hub:
    labels: "{{ {'l': pair.password} }}"
    extraConfig: {mine: "x = '{{ word | regex_replace('z', 'y') }}'"}
    annotations: {a: "{{ pin }}", b: "{{ pair.user }}"}
  custom: {nested: [[<DEEP>], {k: "{{ pem }}"}]}
"""


def vaulted(text: str) -> str:
    """Return a text as a value of YAML that is encrypted, in one line."""
    return '!vault "' + VaultLib(SECRETS).encrypt(text).decode().replace("\n", "\\n") + '"'


@pytest.mark.parametrize(
    ("base", "own", "visible"),
    [
        (
            "base",
            "hub_port: 8100\n",
            ['"G": "ben-of-the-pair"', "c.JupyterHub.log_level = 20", '"announcement": "***"'],
        ),
        ("base_kubernetes", f"hub_domain: alpha.example.org\n{VALUES}", ["G: ben-of-the-pair", "b: ben-of-the-pair"]),
    ],
)
def test_secrets_are_masked_in_what_is_shown(base: str, own: str, visible: list[str], inventory: Path) -> None:
    text = own + VARIABLES
    for name, secret in {"WORD": WORD, "PIN": PIN, "PEM": PEM, "PASSWORD": PASSWORD, "DEEP": DEEP}.items():
        text = text.replace(f"<{name}>", vaulted(secret))
    Case("", {"host_vars/alpha.yml": text}, [], base).write(inventory)
    found = validated_inventory(inventory, "alpha")
    assert [problem.line() for problem in found.problems] == []
    hub = found.fleet.hubs["alpha"]
    shown = found.platforms.of(hub).describe(hub).show()
    assert [secret for secret in HIDDEN if secret in shown] == []
    assert [text for text in visible if text not in shown] == []
    assert "alpha" in shown
