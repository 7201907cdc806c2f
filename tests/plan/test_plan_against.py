# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does this branch change? Inventories in real git repositories, compared with an earlier revision."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import Machine
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from plan_repository import BASE, Repository

ALL, MACHINE, CLOUD = (f"inventory/group_vars/{name}.yml" for name in ("all", "machine", "cloud"))
ALPHA, DELTA = "inventory/host_vars/alpha.yml", "inventory/host_vars/delta.yml"


def test_nothing_changed(repository: Repository) -> None:
    assert repository.changed() == {}
    assert {hub.hub for hub in repository.plan().hubs} == {"alpha", "beta", "gamma", "delta"}


def test_no_machine_is_asked(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine would say is the same in every revision, so nobody asks it."""

    def asked() -> None:
        raise AssertionError("the machine was asked")

    monkeypatch.setattr(Machine, "read", asked)
    monkeypatch.setattr(Platforms, "_machine", asked)
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: Other")
    assert set(repository.changed()) == {"alpha"}


def test_comments_and_order_change_nothing(repository: Repository) -> None:
    repository.write(
        {
            ALPHA: "# The first hub.\nhub_title: Alpha\n\nhub_port: 8100\n",
            "inventory/hosts.yml": """
all:
  children:
    production: {hosts: {delta: , beta: }}
    staging: {hosts: {gamma: , alpha: }}
    clusters:
      children:
        cloud: {hosts: {delta: , gamma: }}
        machine: {hosts: {beta: , alpha: }}
""",
            CLOUD: "".join(f"{line}  # said otherwise\n" for line in reversed(BASE[CLOUD].strip().splitlines())),
        }
    )
    assert repository.changed() == {}


def test_a_value_of_one_hub(repository: Repository) -> None:
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: The first one")
    plan = repository.plan()
    assert repository.changed() == {"alpha": ("update", ["configuration"])}
    alpha = next(hub for hub in plan.hubs if hub.hub == "alpha")
    assert (alpha.cluster, alpha.tier, alpha.url) == ("machine", "staging", "http://127.0.0.1:8100/alpha/")
    changed = [line for line in alpha.diff().splitlines() if line.startswith(("+", "-"))]
    assert '-  "title": "Alpha",' in changed
    assert '+  "title": "The first one",' in changed


def test_a_value_of_a_group(repository: Repository) -> None:
    """It reaches every hub below, and no other."""
    repository.replace(MACHINE, "[ada, ben]", "[ada]")
    assert repository.changed() == {name: ("update", ["configuration"]) for name in ("alpha", "beta")}


def test_a_value_of_all(repository: Repository) -> None:
    repository.replace(ALL, "memory: 4G", "memory: 8G")
    assert {name: action for name, (action, _reasons) in repository.changed().items()} == dict.fromkeys(
        ("alpha", "beta", "gamma", "delta"), "update"
    )


def test_a_file_of_templates(repository: Repository) -> None:
    """Content counts: the inventory itself says the same."""
    repository.add("templates/page.html", "<p>Hello</p>\n")
    assert repository.changed() == {name: ("update", ["templates or logo"]) for name in ("alpha", "beta")}
    repository.git("checkout", "--quiet", "templates")
    repository.write({"templates/error.html": "new"})
    assert set(repository.changed()) == {"alpha", "beta"}


def test_a_requirements_file(repository: Repository) -> None:
    """The environments of hubs on the machine are built from it; those on Kubernetes have images."""
    repository.write({"requirements.txt": "numpy==2.3.6\n"})
    changed = repository.changed()
    assert set(changed) == {"alpha", "beta"}
    assert "environments" in changed["alpha"][1]


def test_a_new_hub(repository: Repository) -> None:
    repository.replace(
        "inventory/hosts.yml", "{alpha: , beta: }}\n        cloud", "{alpha: , beta: , new: }}\n        cloud"
    )
    repository.replace("inventory/hosts.yml", "production: {hosts: {", "production: {hosts: {new: , ")
    repository.write({"inventory/host_vars/new.yml": "hub_port: 8300\n"})
    assert repository.changed() == {"new": ("create", ["new"])}
    hub = next(hub for hub in repository.plan().hubs if hub.hub == "new")
    assert hub.before == "" and '"hub": "new"' in hub.after


def test_a_deleted_hub(repository: Repository) -> None:
    """What it was is known from the revision; with --limit it is nobody's business."""
    repository.replace("inventory/hosts.yml", "cloud: {hosts: {gamma: , delta: }}", "cloud: {hosts: {gamma: }}")
    repository.replace("inventory/hosts.yml", "production: {hosts: {beta: , delta: }}", "production: {hosts: {beta: }}")
    (repository.root / DELTA).unlink()
    assert repository.changed() == {"delta": ("orphaned", ["left the inventory"])}
    hub = next(hub for hub in repository.plan().hubs if hub.hub == "delta")
    assert (hub.cluster, hub.tier, hub.url, hub.after) == ("cloud", "production", "https://delta.example.org/", "")
    assert repository.changed(limit="alpha") == {}


def test_another_tier_alone_is_no_change(repository: Repository) -> None:
    """A tier says when a hub is deployed, not what it is."""
    repository.replace("inventory/hosts.yml", "staging: {hosts: {alpha: , gamma: }}", "staging: {hosts: {gamma: }}")
    repository.replace("inventory/hosts.yml", "production: {hosts: {", "production: {hosts: {alpha: , ")
    assert repository.changed() == {}
    assert next(hub.tier for hub in repository.plan().hubs if hub.hub == "alpha") == "production"


def test_helm_values(repository: Repository) -> None:
    repository.replace(DELTA, "every: 240", "every: 600")
    assert repository.changed() == {"delta": ("update", ["values"])}
    delta = next(hub for hub in repository.plan().hubs if hub.hub == "delta")
    changed = [line for line in delta.diff().splitlines() if line[0] in "+-" and line[1] == " "]
    assert [line.split() for line in changed] == [["-", "every:", "240"], ["+", "every:", "600"]]


def test_layers_that_come_to_the_same(repository: Repository) -> None:
    """Which layer says it does not count, what Helm is given does."""
    repository.replace(DELTA, "hub_helm_values:\n  cull: {every: 240}\n", "")
    repository.add(CLOUD, "cluster_helm_values:\n  cull: {every: 240}\n")
    assert repository.changed() == {"gamma": ("update", ["values"])}


def test_chart_version(repository: Repository) -> None:
    repository.replace(CLOUD, "cluster_chart_version: 4.4.0", "cluster_chart_version: 4.3.5")
    assert repository.changed() == {name: ("update", ["chart"]) for name in ("gamma", "delta")}


def test_an_addon(repository: Repository) -> None:
    repository.add(DELTA, "hub_addons: {dask-gateway: {}}\n")
    assert repository.changed() == {"delta": ("update", ["values", "add-ons"])}


def test_limit(repository: Repository) -> None:
    repository.replace(MACHINE, "[ada, ben]", "[ada]")
    assert [hub.hub for hub in repository.plan(limit="alpha").hubs] == ["alpha"]
    assert set(repository.changed(limit="alpha")) == {"alpha"}
    assert repository.changed(limit="cloud") == {}


def test_other_revisions(repository: Repository) -> None:
    """Branches, tags and commits; between them only what differs in the end counts."""
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: Other")
    repository.commit()
    assert repository.changed("HEAD") == {}
    for revision in ("main", "v1", first, first[:10], "HEAD~1"):
        assert set(repository.changed(revision)) == {"alpha"}, revision
    repository.replace(ALPHA, "hub_title: Other", "hub_title: Alpha")
    repository.commit()
    assert repository.changed("main") == {}


def test_the_checkout_stays_as_it_is(repository: Repository) -> None:
    """Uncommitted changes count, and neither they nor anything of git is touched by that."""
    repository.replace(ALPHA, "hub_title: Alpha", "hub_title: Other")
    repository.write({"inventory/host_vars/beta.yml": "hub_port: 8201\n", "inventory/notes.txt": "mine"})
    repository.git("add", "inventory/host_vars/beta.yml")
    before = repository.git("status", "--porcelain")
    assert set(repository.changed()) == {"alpha", "beta"}
    assert repository.git("status", "--porcelain") == before
    assert repository.git("worktree", "list").count("\n") == 0


def test_variables_beside_the_inventory_alone(repository: Repository) -> None:
    """group_vars above the inventory are not read now, so they were not read then."""
    repository.write({"group_vars/all.yml": "hub_title: Not read\n"})
    repository.commit()
    repository.add("group_vars/all.yml", "hub_announcement: Not read either\n")
    assert repository.changed() == {}


def test_variables_beside_the_playbook(repository: Repository) -> None:
    """Where playbooks lie in the repository, the variables beside them are read: now, and as they were then."""
    repository.write({"playbooks/group_vars/machine.yml": "hub_announcement: Hello\n"})
    repository.commit()
    playbooks = repository.root / "playbooks"
    assert {hub.action for hub in repository.plan(playbooks=playbooks).hubs} == {"unchanged"}
    repository.write({"playbooks/group_vars/machine.yml": "hub_announcement: Goodbye\n"})
    changed = {hub.hub: hub for hub in repository.plan(playbooks=playbooks).hubs if hub.changes}
    assert set(changed) == {"alpha", "beta"}
    assert "Hello" in changed["alpha"].before and "Goodbye" in changed["alpha"].after


def test_linked_group_vars(repository: Repository) -> None:
    """group_vars at the top, and a link to them in the inventory."""
    shutil.move(repository.inventory / "group_vars", repository.root / "group_vars")
    (repository.inventory / "group_vars").symlink_to("../group_vars")
    assert repository.changed() == {}, "the same files elsewhere"
    repository.commit()
    repository.replace("group_vars/machine.yml", "[ada, ben]", "[ada]")
    assert set(repository.changed()) == {"alpha", "beta"}


@pytest.mark.parametrize("revision", ["nowhere", "--help", "HEAD~9", "main:inventory"])
def test_unknown_revision(revision: str, repository: Repository) -> None:
    with pytest.raises(PlatformError) as raised:
        repository.plan(revision)
    assert str(raised.value) == f"there is no git revision {revision!r} in {repository.root}; fetch it first"


def test_inventory_that_was_not_there_yet(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.root.mkdir()
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.write({"README.md": "Nothing yet.\n"})
    repository.commit()
    repository.write(BASE)
    with pytest.raises(PlatformError) as raised:
        repository.plan()
    assert str(raised.value) == "HEAD has no inventory"


def test_not_a_git_repository(repository: Repository) -> None:
    shutil.rmtree(repository.root / ".git")
    with pytest.raises(PlatformError) as raised:
        repository.plan()
    assert "not a git repository" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_revision_that_is_not_valid(repository: Repository) -> None:
    """What a broken revision would have made is not guessed."""
    repository.replace(ALPHA, "hub_port: 8100", "hub_prt: 8100")
    repository.commit()
    repository.replace(ALPHA, "hub_prt: 8100", "hub_port: 8100")
    with pytest.raises(PlatformError) as raised:
        repository.plan()
    message = str(raised.value)
    assert message.startswith("the inventory at HEAD is not valid: ")
    assert "\n" not in message


def test_two_hundred_hubs(repository: Repository) -> None:
    """As many on each platform; the change of a group is found in all of them."""
    many = {"machine": [f"m{number:03}" for number in range(100)], "cloud": [f"c{number:03}" for number in range(100)]}
    groups = "".join(f"        {name}: {{hosts: {{{', '.join(hubs)}}}}}\n" for name, hubs in many.items())
    tier = ", ".join(name for hubs in many.values() for name in hubs)
    repository.write(
        {
            "inventory/hosts.yml": f"all:\n  children:\n    clusters:\n      children:\n{groups}"
            f"    production: {{hosts: {{{tier}}}}}\n",
            **{
                f"inventory/host_vars/{name}.yml": f"hub_port: {9000 + 10 * int(name[1:])}\n"
                for name in many["machine"]
            },
            **{f"inventory/host_vars/{name}.yml": f"hub_domain: {name}.example.org\n" for name in many["cloud"]},
        }
    )
    repository.commit()
    repository.replace(CLOUD, "hub_allowed_users: [ada]", "hub_allowed_users: [ada, ben]")
    started = time.perf_counter()
    changed = repository.changed()
    print(f"200 hubs against a revision: {time.perf_counter() - started:.1f} s")
    assert changed == {name: ("update", ["values"]) for name in many["cloud"]}
