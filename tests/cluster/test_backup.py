# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of a hub through its life: made while a user works, tested, and restored where the hub is gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from cluster_hub import CLAIM_OF_HOMES, Session
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet
from rest_repository import RestRepository

#: An image with restic, which the nodes have.
IMAGE = "docker.io/restic/restic:test"
PASSWORD = "of the backups only"
HUB, TEAM = "backup-lab", "backup-team"

pytestmark = pytest.mark.slow


class Vault:
    """A fleet of one hub with backups, where ada has a file and a token."""

    def __init__(self, fleet: KubernetesFleet, repository: Path) -> None:
        self.fleet, self.repository = fleet, repository
        self.token = ""

    def verb(self, name: str, *words: str) -> str:
        """Run a playbook that has to succeed; return what it printed."""
        done = self.run(name, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook; words: extra variables, and options of ansible-playbook."""
        extra = [part for word in words for part in (("-e", word) if "=" in word and word[0] != "-" else (word,))]
        done = self.fleet.playbook(name, *extra)
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def work(self) -> None:
        """Let ada write a file, and create a token."""
        hub = self.fleet.hub(HUB)
        with hub.session("ada") as session:
            session.run("import os, pathlib; pathlib.Path('work.txt').write_text('of ada')")
            session.run("open('big', 'wb').write(os.urandom(2_000_000))")
        self.token = str(hub.api("POST", "users/ada/tokens", {"note": "mine"})[1]["token"])

    def left(self, namespace: str) -> list[str]:
        """Return what backups left in a namespace."""
        found = []
        for kind in ("pods", "secrets", "configmaps"):
            items = self.kubernetes.objects(namespace, kind, "--selector", "hubfleet.jupyterhub/backup-of")
            found += [f"{kind}/{item['metadata']['name']}" for item in items]
        return found

    @property
    def kubernetes(self) -> Kubernetes:
        """Return the cluster."""
        return self.fleet.kubernetes["backups"]


@pytest.fixture(scope="module")
def vault(
    kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Vault]:
    """The deployed fleet, where ada has worked."""
    server = yaml.safe_load(kubernetes.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    machine = re.sub(r"\.2$", ".1", str(urlsplit(server).hostname))
    repository = tmp_path_factory.mktemp("backups") / "repository"
    fleet = make_fleet(backups=kubernetes)
    with RestRepository(repository, machine) as address:
        backups = {"repository": address, "image": IMAGE, "password": "{{ lookup('env', 'BACKUP_PASSWORD') }}"}
        fleet.clusters["backups"].update({f"cluster_backup_{key}": value for key, value in backups.items()})
        fleet.environment["BACKUP_PASSWORD"] = PASSWORD
        fleet.add_hub(HUB)
        made = Vault(fleet, repository)
        made.verb("deploy")
        made.work()
        yield made


@pytest.mark.options("cluster_backup_repository", "cluster_backup_password", "cluster_backup_image")
@pytest.mark.options("cluster_backup_keep", "cluster_backup_keep.last", "cluster_backup_keep.daily")
def test_backups_through_the_life_of_a_hub(vault: Vault) -> None:
    """Back up, test, remove and restore a hub; each part goes on from what the parts before it left."""
    check_mode_saves_nothing(vault)
    backups_add_what_is_new(vault)
    old_backups_are_removed_with_their_homes(vault)
    a_drill_that_was_killed_is_cleared_by_the_next(vault)
    a_hub_that_is_there_stays(vault)
    data_is_removed_after_a_copy_was_made(vault)
    a_restore_that_was_killed_goes_on(vault)
    a_hub_that_exists_is_replaced_on_request(vault)


def test_homes_that_share_a_claim(vault: Vault) -> None:
    """A backup has the folders of this hub alone; a drill does not touch the claim."""
    storage = {"hub_home_storage": "claim", "hub_home_claim": "homes", "hub_home_subpath": "team/{username}"}
    vault.fleet.add_hub(TEAM, hub_home_capacity=None, **storage)
    make_claim(vault)
    vault.verb("deploy", "--limit", TEAM)
    with vault.fleet.hub(TEAM).session("ada") as session:
        session.run("import pathlib; pathlib.Path('work.txt').write_text('of ada')")
    assert f"{TEAM} backed up: " in vault.verb("backup", "--limit", TEAM)
    told = " ".join(vault.verb("drill", "--limit", TEAM).split())
    assert " is good: " in told, told
    vault.fleet.hubs[TEAM]["hub_namespace"] += "-b"
    vault.kubernetes.kubectl("create", "namespace", vault.fleet.namespace(TEAM))
    missing = vault.run("restore", "--limit", TEAM)
    assert missing.returncode == 2 and "the claim homes of homes does not exist" in missing.stdout, missing.stdout
    make_claim(vault)
    vault.verb("restore", "--limit", TEAM)
    with vault.fleet.hub(TEAM).session("ada") as session:
        assert session.value("pathlib.Path('work.txt').read_text()") == "of ada"
        session.run("pathlib.Path('more.txt').write_text('x')")


def make_claim(vault: Vault) -> None:
    """Make the namespace of the hub and its claim of homes, as an operator does."""
    namespace = vault.fleet.namespace(TEAM)
    vault.fleet.write()  # so that the namespace is removed in the end
    vault.kubernetes.kubectl("create", "namespace", namespace, check=False)
    vault.kubernetes.kubectl("--namespace", namespace, "apply", "--filename", "-", given=CLAIM_OF_HOMES)


def check_mode_saves_nothing(vault: Vault) -> None:
    assert f"{HUB} would be backed up" in vault.verb("backup", "--check")
    assert not vault.repository.exists()
    assert f"{HUB} has no backups in rest:" in vault.verb("backup", "backup_list=true")


def backups_add_what_is_new(vault: Vault) -> None:
    """Also while a user has the volume, which can only be mounted on one node."""
    assert new_bytes(vault.verb("backup", "-vvvv")) >= 2_000_000
    with vault.fleet.hub(HUB).session("ada"):
        assert new_bytes(vault.verb("backup")) < 1_000_000
    listed = vault.verb("backup", "backup_list=true")
    assert len(re.findall(r"[0-9a-f]{8}  20\d\d-", listed)) == 2
    assert re.search(rf"^{HUB} .* checked +20\d\d-[\w:-]+Z$", vault.verb("status"), re.MULTILINE)
    assert vault.left(vault.fleet.namespace(HUB)) == []
    assert "nothing to change" in vault.verb("deploy")


def old_backups_are_removed_with_their_homes(vault: Vault) -> None:
    cluster = vault.fleet.clusters["backups"]
    cluster["cluster_backup_keep"] = {"last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    vault.verb("backup")
    assert len(list((vault.repository / "snapshots").iterdir())) == 2
    del cluster["cluster_backup_keep"]


def a_drill_that_was_killed_is_cleared_by_the_next(vault: Vault) -> None:
    namespace = f"{vault.fleet.namespace(HUB)}-drill"
    started = vault.fleet.start("drill")
    wait_for("a pod of the drill", lambda: vault.kubernetes.objects(namespace, "pods"), patience=120)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    told = " ".join(vault.verb("drill").split())
    assert re.search(r"is good: \d users, \d+ files; restored in \d+ s, check passed in \d+ s", told), told
    assert not vault.kubernetes.kubectl("get", "namespace", namespace, "--ignore-not-found")
    assert "nothing to change" in vault.verb("deploy")


def a_hub_that_is_there_stays(vault: Vault) -> None:
    result = vault.run("restore", "--limit", HUB)
    assert result.returncode == 2 and f"hub {HUB} exists already; it is not overwritten" in result.stdout


def data_is_removed_after_a_copy_was_made(vault: Vault) -> None:
    namespace = vault.fleet.namespace(HUB)
    directory = vault.repository.parent / "exports"
    sure = (f"remove_hubs={HUB}", "remove_data=true", f"remove_export_directory={directory}")
    told = vault.verb("remove", "--limit", HUB, *sure)
    (copy,) = directory.iterdir()
    assert f"a copy of its data is kept in {copy}" in " ".join(told.split())
    with tarfile.open(copy / "hub.tar.gz") as archive:
        names = set(archive.getnames())
        assert {f"{HUB}/jupyterhub.sqlite", f"{HUB}/secrets/generated.json", f"{HUB}/config/values.json"} <= names
    with tarfile.open(copy / "homes-1.tar.gz") as archive:
        work = archive.extractfile("homes/claim-ada/work.txt")
        assert work and work.read() == b"of ada"
    assert copy.stat().st_mode & 0o777 == 0o700
    listed = ("get", "namespace", namespace, "--ignore-not-found")
    wait_for("the namespace to go", lambda: not vault.kubernetes.kubectl(*listed), patience=120)


def a_restore_that_was_killed_goes_on(vault: Vault) -> None:
    """Into another namespace."""
    hub = vault.fleet.hubs[HUB]
    hub["hub_namespace"] = namespace = f"{hub['hub_namespace']}-b"
    started = vault.fleet.start("restore", "--limit", HUB)
    wait_for("a claim", lambda: vault.kubernetes.objects(namespace, "persistentvolumeclaims"), patience=120)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    told = " ".join(vault.verb("restore", "--limit", HUB).split())
    assert f"{HUB} is as in the backup" in told, told
    client = vault.fleet.hub(HUB)
    assert client.request("GET", f"{client.url}hub/api/user", vault.token)[0] == 200
    with client.session("ada") as session:
        assert session.value("[pathlib.Path('work.txt').read_text(), os.stat('big').st_size]") == ["of ada", 2_000_000]
    assert vault.left(namespace) == []
    assert "nothing to change" in vault.verb("deploy")


def a_hub_that_exists_is_replaced_on_request(vault: Vault) -> None:
    hub = vault.fleet.hub(HUB)
    replace = ("--limit", HUB, f"restore_replace={HUB}")
    hub.start_server("ada")
    Session(hub, "ada", "").run("import os; open('later.txt', 'w').close(); os.remove('work.txt')")
    refused = vault.run("restore", *replace)
    assert refused.returncode == 2 and "would end the sessions of ada" in refused.stdout
    told = " ".join(vault.verb("restore", *replace, "restore_end_sessions=true").split())
    kept = re.search(r"the replaced hub is kept in the backup ([0-9a-f]{8})", told)
    assert kept, told
    hub = vault.fleet.hub(HUB)
    with hub.session("ada") as session:
        found = session.value("sorted(path.name for path in pathlib.Path('.').glob('*.txt'))")
        assert "work.txt" in found and "later.txt" not in found
    assert hub.request("GET", f"{hub.url}hub/api/user", vault.token)[0] == 200
    listed = vault.verb("backup", "backup_list=true")
    assert kept[1] in listed


def new_bytes(printed: str) -> float:
    """Return how many bytes a backup added."""
    found = re.search(rf"{HUB} backed up: \d+ \w+, (\d+) (B|kB|MB) added to the repository", printed)
    assert found, printed
    return int(found[1]) * {"B": 1, "kB": 1e3, "MB": 1e6}[found[2]]
