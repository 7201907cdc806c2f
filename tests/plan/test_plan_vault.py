# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted values are compared as they stand: nobody here knows a password, and none is asked for."""

from __future__ import annotations

import pytest
from plan_repository import Repository, vaulted

MACHINE, CLOUD = (f"inventory/group_vars/{name}.yml" for name in ("machine", "cloud"))
ALPHA, GAMMA, DELTA = (f"inventory/host_vars/{name}.yml" for name in ("alpha", "gamma", "delta"))

GITHUB = """
hub_url: https://alpha.example.org/
hub_authenticator: github
hub_authenticator_settings: {{client_id: abc, client_secret: {secret}}}
hub_allowed_organizations: [university]
"""

#: Where it stands: the file, what is added to it (SECRET stands for the encrypted value), the hubs and what differs.
PLACES = {
    "a mapping, on the machine": (
        ALPHA,
        GITHUB.format(secret="SECRET"),
        {"alpha": ["secrets"]},
    ),
    "a mapping in a list": (
        ALPHA,
        "hub_services: [{name: grader, url: 'http://127.0.0.1:9000/', api_token: SECRET}]\n",
        {"alpha": ["secrets"]},
    ),
    "a text": (
        ALPHA,
        "hub_jupyterhub_config: SECRET\n",
        {"alpha": ["hub_jupyterhub_config"]},
    ),
    "a variable of users' servers": (
        ALPHA,
        "hub_environment_variables: {MIRROR: SECRET}\n",
        {"alpha": ["configuration"]},
    ),
    "a mapping of a group, on Kubernetes": (
        CLOUD,
        "cluster_helm_values: {hub: {db: {type: mysql, password: SECRET}}}\n",
        {"delta": ["values"], "gamma": ["values"]},
    ),
    "the settings of a login, on Kubernetes": (
        GAMMA,
        GITHUB.format(secret="SECRET").replace("hub_url: https://alpha.example.org/\n", ""),
        {"gamma": ["values"]},
    ),
    "a list, on Kubernetes": (
        GAMMA,
        "hub_services: [{name: grader, api_token: SECRET}]\n",
        {"gamma": ["values"]},
    ),
    "the place of a number, on Kubernetes": (
        GAMMA,
        "hub_helm_values: {cull: {timeout: SECRET}}\n",
        {"gamma": ["values"]},
    ),
    "the place of one of a few words, on Kubernetes": (
        GAMMA,
        "hub_helm_values: {singleuser: {image: {pullPolicy: SECRET}}}\n",
        {"gamma": ["values"]},
    ),
    "the place of a mapping, on Kubernetes": (
        GAMMA,
        "hub_helm_values: {singleuser: {extraEnv: {A: SECRET}, nodeSelector: SECRET}}\n",
        {"gamma": ["values"]},
    ),
    "the place of a trait that is a number": (
        GAMMA,
        "hub_helm_values: {hub: {config: {JupyterHub: {active_server_limit: SECRET}}}}\n",
        {"gamma": ["values"]},
    ),
    "a template in the place of a number": (
        GAMMA,
        "own_secret: SECRET\nhub_helm_values: {cull: {timeout: '{{ own_secret }}'}}\n",
        {"gamma": ["values"]},
    ),
    "an add-on": (
        GAMMA,
        "hub_addons: {dask-gateway: {values: {gateway: {auth: {simple: {password: SECRET}}}}}}\n",
        {"gamma": ["add-ons"]},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_vaulted(place: str, repository: Repository) -> None:
    """The same ciphertext is no change, another one is; neither is shown, nor needs a password."""
    file, text, expected = PLACES[place]
    base = (repository.root / file).read_text(encoding="utf-8")
    first, second = vaulted("hunter2"), vaulted("hunter3")
    repository.add(file, text.replace("SECRET", first))
    repository.commit()
    assert repository.changed() == {}
    repository.write({file: base + text.replace("SECRET", second)})
    assert repository.changed() == {hub: ("update", reasons) for hub, reasons in expected.items()}
    shown = repository.plan().as_json() + repository.plan().markdown()
    assert "ANSIBLE_VAULT" not in shown


def test_how_it_is_wrapped_does_not_count(repository: Repository) -> None:
    """A block and a quoted text with the same ciphertext are the same value."""
    quoted = vaulted("hunter2")
    repository.add(ALPHA, f"hub_announcement: {quoted}\n")
    repository.commit()
    lines = quoted.removeprefix('!vault "').removesuffix('"').split("\\n")
    block = "!vault |\n" + "".join(f"    {line}\n" for line in lines if line)
    repository.replace(ALPHA, f"hub_announcement: {quoted}\n", f"hub_announcement: {block}")
    assert repository.changed() == {}


def test_from_plain_to_vaulted(repository: Repository) -> None:
    repository.add(ALPHA, "hub_announcement: Hello\n")
    repository.commit()
    repository.replace(ALPHA, "hub_announcement: Hello", f"hub_announcement: {vaulted('Hello')}")
    assert repository.changed() == {"alpha": ("update", ["configuration"])}


@pytest.mark.parametrize(
    "text",
    [
        "hub_idle_timeout: SECRET\n",
        "hub_admins: SECRET\n",
        "hub_allow_everyone: SECRET\n",
        "hub_sizes: [{name: own, memory: SECRET}]\n",
        "hub_environment_variables: SECRET\n",
        "hub_bind: SECRET\n",
    ],
)
def test_what_must_be_read_is_said(text: str, repository: Repository) -> None:
    """Nobody can tell what these come to."""
    repository.add(ALPHA, text.replace("SECRET", vaulted("hunter2")))
    problems = repository.problems()
    assert len(problems) == 1
    assert "is encrypted, although it is not a secret" in problems[0]
    assert problems[0].startswith("host_vars/alpha.yml:3: alpha: hub_")


@pytest.mark.parametrize(
    "text",
    [
        "hub_announcement: '{{ vault_word }}'\n",
        "hub_announcement: 'The word is {{ vault_word }}.'\n",
        "hub_announcement: '{{ vault_words.first }}'\n",
        "hub_announcement: '{{ vault_list[0] }}'\n",
        "hub_announcement: '{{ vault_again }}'\n",
        "hub_environment_variables: {A: '{{ vault_word }}', B: plain, C: '{{ inventory_hostname }}'}\n",
        "hub_environment_variables: {A: WORD, C: '{{ inventory_hostname }}'}\n",
        "hub_environment_variables: {A: WORD, C: \"{{ hostvars['beta'].hub_port }}\"}\n",
    ],
)
def test_templates_of_vaulted_values(text: str, repository: Repository) -> None:
    """The usual way: variables of the vault, and templates that name them, alone or in a text, or beside others."""

    def write(word: str) -> None:
        repository.write(
            {
                "inventory/group_vars/machine/vault.yml": f"vault_word: {word}\nvault_words: {{first: {word}}}\n"
                f"vault_list: [{word}]\nvault_again: '{{{{ vault_word }}}}'\n",
                ALPHA: base + text.replace("WORD", word),
            }
        )

    machine = (repository.root / MACHINE).read_text(encoding="utf-8")
    (repository.root / MACHINE).unlink()
    repository.write({"inventory/group_vars/machine/main.yml": machine})
    base = (repository.root / ALPHA).read_text(encoding="utf-8")
    first = vaulted("hunter2")
    write(first)
    repository.commit()
    assert repository.changed() == {}
    write(vaulted("hunter3"))
    assert repository.changed() == {"alpha": ("update", ["configuration"])}
