# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook explain tells where a value comes from: file and line, what it overrides, and never a secret."""

from __future__ import annotations

import re

import pytest
from kubernetes_fleet import KubernetesFleet

MAPS, CLOUD, ALL = "host_vars/maps.yml", "group_vars/cloud.yml", "group_vars/all.yml"


def explained(fleet: KubernetesFleet, option: str, *arguments: str, hub: str = "maps") -> list[str]:
    """Return what is said of an option of one hub, runs of blanks made one."""
    done = fleet.run("explain", "--limit", hub, "-e", f"explain_option={option}", *arguments)
    assert done.status == 0, done.output
    return [re.sub(r" +", " ", line.strip()) for line in done.said]


def refused(fleet: KubernetesFleet, option: str, hub: str = "maps") -> str:
    done = fleet.run("explain", "--limit", hub, "-e", f"explain_option={option}")
    assert done.status != 0
    return done.output


def test_option(fleet: KubernetesFleet) -> None:
    assert explained(fleet, "hub_idle_timeout") == [
        "maps: hub_idle_timeout = 2h",
        f"{fleet.line(MAPS, 'hub_idle_timeout')} 2h",
        f"{fleet.line(ALL, 'hub_idle_timeout')} 30m (overridden)",
        "default 1h (overridden)",
    ]


def test_value_of_a_template(fleet: KubernetesFleet) -> None:
    token = "{{ hub_services[0].api_token }}"
    fleet.add(MAPS, f'hub_title: "Hub {{{{ inventory_hostname | upper }}}}"\nhub_announcement: "{token}"\n')
    assert explained(fleet, "hub_title")[:2] == [
        "maps: hub_title = Hub MAPS",
        f"{fleet.line(MAPS, 'hub_title')} Hub {{{{ inventory_hostname | upper }}}}",
    ]
    assert explained(fleet, "hub_announcement")[:2] == [
        "maps: hub_announcement = ***",
        f"{fleet.line(MAPS, 'hub_announcement')} {token}",
    ]


def test_option_from_the_command_line(fleet: KubernetesFleet) -> None:
    found = explained(fleet, "hub_idle_timeout", "-e", "hub_idle_timeout=5m")
    assert found[:2] == ["maps: hub_idle_timeout = 5m", "-e on the command line 5m"]
    assert found[2].endswith("2h (overridden)")
    key = explained(fleet, "cull.timeout", "-e", "hub_idle_timeout=5m")
    assert key[:2] == ["maps: cull.timeout = 300", "-e on the command line hub_idle_timeout: 300"]


def test_key_of_the_chart_that_an_option_sets(fleet: KubernetesFleet) -> None:
    assert explained(fleet, "cull.timeout") == [
        "maps: cull.timeout = 7200",
        f"{fleet.line(MAPS, 'hub_idle_timeout')} hub_idle_timeout: 7200",
        "default of the chart 3600 (overridden)",
    ]
    assert explained(fleet, "hub.concurrentSpawnLimit")[1] == "default of the collection hub_concurrent_spawn_limit: 64"


def test_key_with_dots_that_several_layers_set(fleet: KubernetesFleet) -> None:
    key = "hub.annotations.example.org/team"
    assert explained(fleet, key) == [
        f"maps: {key} = cloud",
        f"{fleet.line(CLOUD, 'annotations:')} cluster_helm_values.{key}: cloud",
        f"{fleet.line(CLOUD, 'hub: {annotations')} fleet_helm_values.{key}: fleet (overridden)",
    ]


def test_part_of_a_list(fleet: KubernetesFleet) -> None:
    assert explained(fleet, "singleuser.profileList[1].slug") == [
        "maps: singleuser.profileList[1].slug = r",
        f"{fleet.line(ALL, 'hub_environments')} hub_environments: r",
    ]
    assert "there is no '7' in singleuser.profileList of the chart; it has 2 entries" in refused(
        fleet, "singleuser.profileList[7].slug"
    )


def test_what_only_the_chart_says_has_no_other_place(fleet: KubernetesFleet) -> None:
    assert explained(fleet, "singleuser.memory.limit") == [
        "maps: singleuser.memory.limit = null",
        "default of the chart null",
    ]


def test_mapping_is_told_with_all_that_sets_parts_of_it(fleet: KubernetesFleet) -> None:
    found = explained(fleet, "hub.config.GitHubOAuthenticator")
    key = "hub.config.GitHubOAuthenticator"
    secret = f"hub_authenticator_settings.client_secret -> {key}.client_secret: ***"
    assert f"{fleet.line(CLOUD, 'client_secret')} {secret}" in found
    address = "https://maps.example.org/hub/oauth_callback"
    assert f"{fleet.line(MAPS, 'hub_domain')} hub_domain -> {key}.oauth_callback_url: {address}" in found
    assert not any("(overridden)" in line for line in found)


def test_variable_that_sets_several_keys_is_told_with_each(fleet: KubernetesFleet) -> None:
    where = f"{fleet.line(CLOUD, 'hub_allowed_organizations')} hub_allowed_organizations"
    found = [line for line in explained(fleet, "hub.config") if line.startswith(where)]
    key = "hub.config.GitHubOAuthenticator"
    assert sorted(line.removeprefix(f"{where} -> ") for line in found) == [
        f'{key}.allowed_organizations: ["university"]',
        f'{key}.scope: ["read:org"]',
    ]


@pytest.mark.parametrize(
    "option",
    [
        "hub_authenticator_settings",
        "hub.config.GitHubOAuthenticator.client_secret",
        "hub.config",
        "hub.db.password",
        "hub",
        "hub.services.grader.apiToken",
        "cluster_helm_values",
        "hub_helm_values",
        "singleuser.extraFiles.key.stringData",
    ],
)
def test_secrets_are_stars(fleet: KubernetesFleet, option: str) -> None:
    """That none is printed is looked at wherever a playbook runs; at -vvv results are printed as well."""
    found = explained(fleet, option, "-vvv")
    text = "\n".join(found)
    assert "***" in text or option in ("hub", "hub.config")


def test_encrypted_text_is_hidden_wherever_it_stands(fleet: KubernetesFleet) -> None:
    token = fleet.inventory.joinpath(CLOUD).read_text().partition("api_token: ")[2].partition("\n")[0]
    fleet.add(MAPS, f"  hub: {{labels: {{odd: {token}}}}}\nhub_announcement: {token}\n")
    for option in ("hub.labels.odd", "hub.labels", "hub_announcement", "hub.templateVars.announcement"):
        assert "***" in explained(fleet, option)[0]
    assert "***" in explained(fleet, "hub_helm_values")[0]


def test_unknown_names_are_told_with_the_nearest(fleet: KubernetesFleet) -> None:
    assert "there is no option 'hub_idle_timeut'; did you mean 'hub_idle_timeout'?" in refused(fleet, "hub_idle_timeut")
    assert "there is no 'annotation' in hub of the chart; did you mean 'annotations'?" in refused(
        fleet, "hub.annotation"
    )
    assert "there is no 'singelusr' of the chart; did you mean 'singleuser'?" in refused(fleet, "singelusr.memory")


def test_all_options_of_a_hub_as_a_table(fleet: KubernetesFleet) -> None:
    found = explained(fleet, "")
    assert found[0] == "maps:"
    assert f"hub_idle_timeout 2h {fleet.line(MAPS, 'hub_idle_timeout')}" in found
    assert "hub_concurrent_spawn_limit 64 default" in found and not [line for line in found if "hub_port" in line]
    secrets = next(line for line in found if line.startswith("hub_authenticator_settings "))
    assert "***" in secrets
    # what the inventory sets comes first
    places = [line.endswith(" default") for line in found[1:]]
    assert places == sorted(places)


def test_hub_on_a_machine_has_options_only(fleet: KubernetesFleet) -> None:
    assert explained(fleet, "hub_port", hub="local")[1] == f"{fleet.line('group_vars/machine.yml', 'hub_port')} 8000"
    message = "'cull.timeout' is not an option, and hubs on this platform have no chart with such a key"
    assert message in refused(fleet, "cull.timeout", hub="local")


def test_environment_variables_that_sound_like_secrets_are_hidden(fleet: KubernetesFleet) -> None:
    fleet.add(MAPS, "hub_environment_variables: {MY_PASSWORD: pwpw, EDITOR: vi}\n")
    found = explained(fleet, "hub_environment_variables")
    assert found[0] == 'maps: hub_environment_variables = {"MY_PASSWORD": "***", "EDITOR": "vi"}'
    assert explained(fleet, "singleuser.extraEnv.MY_PASSWORD")[0] == "maps: singleuser.extraEnv.MY_PASSWORD = ***"
