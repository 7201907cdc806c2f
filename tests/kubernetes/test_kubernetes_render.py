# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook render writes what helm needs, once, for its owner only, and shows no secret."""

from __future__ import annotations

import stat

import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.install_files import (
    HEADER,
)
from kubernetes_fleet import SECRETS, KubernetesFleet, vaulted

FILES = [
    "maps/dask-gateway.values.yaml",
    "maps/install.sh",
    "maps/values.yaml",
    "maps-staging/install.sh",
    "maps-staging/values.yaml",
]


def test_check_mode_writes_nothing_and_says_what_it_would(fleet: KubernetesFleet) -> None:
    before = fleet.content()
    done = fleet.render("--check", "--diff")
    assert (done.status, done.changed) == (0, True)
    assert f"2 hubs in {fleet.out}: 5 files would be written" in done.said
    assert "+      client_secret: '***'" in done.said
    assert "+    concurrentSpawnLimit: 64" not in done.said and "+  concurrentSpawnLimit: 64" in done.said
    assert not fleet.out.exists()
    assert fleet.content() == before


def test_files_are_written_once(fleet: KubernetesFleet) -> None:
    first = fleet.render()
    assert (first.status, first.changed) == (0, True)
    assert first.said == [f"2 hubs in {fleet.out}: 5 files written"]
    rendered = fleet.rendered()
    assert list(rendered) == FILES
    values = yaml.safe_load(rendered["maps/values.yaml"])
    assert values["hub"]["config"]["GitHubOAuthenticator"]["client_secret"] == SECRETS["client"]
    assert values["hub"]["annotations"] == {"example.org/team": "cloud", "example.org/room": "1"}
    assert values["cull"]["timeout"] == 7200
    assert SECRETS["file"] not in rendered["maps-staging/values.yaml"]

    times = {path: path.stat().st_mtime_ns for path in fleet.out.rglob("*")}
    again = fleet.render("--diff")
    assert (again.status, again.changed) == (0, False)
    assert again.said == [f"2 hubs in {fleet.out}: no files written"]
    assert {path: path.stat().st_mtime_ns for path in fleet.out.rglob("*")} == times


def test_only_the_owner_can_read_them(fleet: KubernetesFleet) -> None:
    fleet.out.mkdir()
    fleet.out.chmod(0o755)
    (fleet.out / "maps").mkdir()
    values = fleet.out / "maps" / "values.yaml"
    values.write_text(f"{HEADER}old: true\n")
    values.chmod(0o644)
    fleet.render()
    modes = {str(path.relative_to(fleet.out)): stat.S_IMODE(path.stat().st_mode) for path in fleet.out.rglob("*")}
    assert modes == {
        **{name: 0o700 if name.endswith(".sh") else 0o600 for name in FILES},
        "maps": 0o700,
        "maps-staging": 0o700,
    }
    assert stat.S_IMODE(fleet.out.stat().st_mode) == 0o755  # it may be anything, such as a home


def test_what_changes_is_shown_without_secrets(fleet: KubernetesFleet) -> None:
    fleet.render()
    fleet.add("group_vars/cloud.yml", "hub_interface: notebook\n")
    before = fleet.rendered()
    done = fleet.render("--limit", "maps", "--check", "--diff", "-vvv")
    assert done.changed
    assert "-  defaultUrl: /lab" in done.said and "+  defaultUrl: /tree" in done.said
    assert [line for line in done.said if line.startswith(("+", "-")) and "***" in line] == []
    assert fleet.rendered() == before


def test_what_a_secret_was_before_is_hidden(fleet: KubernetesFleet) -> None:
    """Nothing of the inventory knows it anymore, once another one is encrypted in its place, or none."""
    fleet.add("host_vars/maps-staging.yml", f"hub_allowed_users: [ada]\nmaps_word: {vaulted('word-of-old')}\n")
    fleet.add(
        "host_vars/maps-staging.yml",
        "hub_jupyterhub_config: \"word = '{{ maps_word }}'\"\n"
        f"hub_helm_values: {{hub: {{labels: {{odd: {vaulted('odd-of-old')}, gone: {vaulted('gone-of-old')}}}}}}}\n",
    )
    fleet.render()
    path = fleet.inventory / "host_vars" / "maps-staging.yml"
    path.write_text(
        f"{path.read_text().partition('hub_allowed_users')[0]}maps_word: {vaulted('word-of-new')}\n"
        "hub_idle_timeout: 3h\nhub_jupyterhub_config: \"word = '{{ maps_word }}'\"\n"
        f"hub_helm_values: {{hub: {{labels: {{odd: {vaulted('odd-of-new')}}}}}}}\n"
    )
    done = fleet.render("--diff", "-vvv")
    assert done.changed and "of-new" in fleet.rendered()["maps-staging/values.yaml"]
    assert "of-old" not in done.output and "of-new" not in done.output
    assert "-    gone: '***'" in done.said
    assert "-  timeout: 1800" in done.said and "+  timeout: 10800" in done.said


def test_encrypted_text_is_hidden_wherever_it_stands(fleet: KubernetesFleet) -> None:
    """Also where nothing but its encryption says that it is a secret, and inside of other text."""
    token = fleet.inventory.joinpath("group_vars/cloud.yml").read_text().partition("api_token: ")[2].partition("\n")[0]
    fleet.add("host_vars/maps-staging.yml", f"maps_word: {token}\n")
    fleet.add(
        "host_vars/maps-staging.yml",
        "hub_jupyterhub_config: \"word = '{{ maps_word }}'\"\n"
        f"hub_helm_values: {{hub: {{labels: {{odd: {token}}}}}}}\n",
    )
    done = fleet.render("--diff", "-vvv")
    assert (done.status, done.changed) == (0, True)
    assert "+    odd: '***'" in done.said
    written = fleet.rendered()["maps-staging/values.yaml"]
    assert f"odd: {SECRETS['token']}" in written and f"word = '{SECRETS['token']}'" in written


def test_verbose_output_has_no_secret(fleet: KubernetesFleet) -> None:
    done = fleet.render("-vvvv")
    assert done.status == 0
    assert SECRETS["client"] in fleet.rendered()["maps/values.yaml"]


def test_an_addon_that_is_gone_takes_its_file_along(fleet: KubernetesFleet) -> None:
    fleet.render()
    own = fleet.out / "maps" / "mine.values.yaml"
    own.write_text("kept: true\n")
    path = fleet.inventory / "host_vars" / "maps.yml"
    path.write_text(path.read_text().replace("hub_addons:\n  dask-gateway: {}\n", ""))
    would = fleet.render("--check")
    assert would.said == [f"2 hubs in {fleet.out}: 3 files would be written"]
    assert "maps/dask-gateway.values.yaml" in fleet.rendered()
    fleet.render()
    rendered = fleet.rendered()
    assert "maps/dask-gateway.values.yaml" not in rendered
    assert "dask-gateway" not in rendered["maps/install.sh"] + rendered["maps/values.yaml"]
    assert rendered["maps/mine.values.yaml"] == "kept: true\n"
    assert not fleet.render().changed


def test_limit_renders_these_hubs_only(fleet: KubernetesFleet) -> None:
    done = fleet.render("--limit", "maps-staging")
    assert done.said == [f"1 hub in {fleet.out}: 2 files written"]
    assert list(fleet.rendered()) == FILES[3:]


def test_without_limit_the_hubs_on_machines_are_left_out(fleet: KubernetesFleet) -> None:
    done = fleet.run("render", "-e", f"render_directory={fleet.out}")
    assert (done.status, done.said) == (0, [f"2 hubs in {fleet.out}: 5 files written"])
    assert list(fleet.rendered()) == FILES


def test_what_cannot_be_done_is_said(fleet: KubernetesFleet) -> None:
    machine = fleet.run("render", "--limit", "local", "-e", f"render_directory={fleet.out}")
    assert machine.status != 0
    assert "none of the selected hubs is on Kubernetes; there is nothing to render" in machine.output
    nowhere = fleet.run("render", "--limit", "maps")
    assert nowhere.status != 0
    assert "render_directory is not set; name a directory for the files" in nowhere.output
    fleet.out.write_text("a file")
    in_the_way = fleet.render()
    assert in_the_way.status != 0
    assert str(fleet.out) in in_the_way.output and "Traceback" not in in_the_way.output


def test_missing_secrets_are_told(fleet: KubernetesFleet) -> None:
    fleet.add("host_vars/maps.yml", "hub_pending_secrets: [enc-maps.secret.yaml]\n")
    done = fleet.render("--limit", "maps")
    assert done.said[0] == "maps: the secrets of enc-maps.secret.yaml are missing"
    assert done.status == 0


def test_files_of_others_are_not_replaced(fleet: KubernetesFleet) -> None:
    for name in ("values.yaml", "install.sh"):
        own = fleet.out / "maps-staging" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text("mine: true\n")
        for arguments in ([], ["--check"]):
            done = fleet.render(*arguments)
            assert done.status != 0
            assert f"{own}: not written by this playbook" in " ".join(done.output.split())
        assert list(fleet.rendered().values()) == ["mine: true\n"]
        own.unlink()


def test_what_is_left_of_hubs_is_told(fleet: KubernetesFleet) -> None:
    fleet.render()
    (fleet.out / "maps").rename(fleet.out / "roads")
    (fleet.out / "notes").mkdir()
    assert not any("roads" in line for line in fleet.render().said), "a part of the fleet does not tell"
    done = fleet.run("render", "-e", f"render_directory={fleet.out}")
    assert done.said[1:] == [f"roads: left the inventory; {fleet.out / 'roads'} can be removed"]


def test_a_broken_hub_is_not_rendered(fleet: KubernetesFleet) -> None:
    fleet.add("host_vars/maps.yml", "    uids: 5\n")
    done = fleet.render("--limit", "maps")
    place = fleet.line("host_vars/maps.yml", "uids")
    assert done.said[0].startswith(f"{place}: maps: hub_helm_values.singleuser.uids: is not a key of the chart")
    assert done.status != 0
    assert not fleet.out.exists()


def test_what_is_wrong_with_the_directory_is_said_once(fleet: KubernetesFleet) -> None:
    fleet.out.write_text("")
    done = fleet.render()
    assert done.status != 0 and f'"msg": "{fleet.out} cannot be written: something else has this name"' in done.output
