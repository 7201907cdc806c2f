# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back up a hub: its homes first, then everything else, which makes it a backup."""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
from dataclasses import dataclass
from typing import Any

from ....common.text import plural
from ...errors import PlatformError
from ..api.client import Json
from ..apply.change import Change
from ..apply.database import CLAIM
from ..apply.deploy import chart_secrets
from ..lease import ClusterLock
from ..observe import read_release
from ..releases.records import HubSecret
from ..values.generated import complete
from ..values.layers import Values, over_defaults
from .pods import Task, hub_account, hub_image, session_account
from .volumes import Volume, batches, database_mount, database_node, volumes_of
from .workspace import Workspace

#: Files of a backup, beside the database and the manifest.
VALUES, GENERATED, RECORD = "config/values.json", "secrets/generated.json", "record.json"
_SETTINGS, _FACTS = "settings.json", "facts.json.gz"


@dataclass(frozen=True)
class Backups:
    """How the hubs of a cluster are backed up.

    settings: repository, password and so on, as the program of machines takes them; {} to work without a repository.
    image: with restic, "" where the hub's own has it. program: path -> text of its modules. defaults: of the hub's
    chart. values: of the inventory.
    """

    settings: dict[str, Any]
    image: str
    program: dict[str, str]
    defaults: Values
    values: Values

    def workspace(self, change: Change, purpose: str, given: dict[str, str], values: Values) -> Workspace:
        """Return where pods run for a purpose. given: name of a file in the backup -> content."""
        images = {"hub": hub_image(values), "restic": self.image if self.settings else ""}
        # names of keys in a Secret have no slashes
        files = {name.replace("/", "-"): text for name, text in given.items()}
        return Workspace(change, purpose, images, {_SETTINGS: json.dumps(self.settings), **files}, self.program)

    @property
    def expected(self) -> Values:
        """Return the values of the inventory over the defaults of the chart, for a hub that is not deployed."""
        return over_defaults(self.defaults, self.values)


@dataclass(frozen=True)
class Source:
    """What there is to save of a hub. values: over the defaults of its chart. given: files of the backup."""

    values: Values
    given: dict[str, str]
    manifest: dict[str, Any]
    volumes: list[Volume]

    def request(self, workspace: Workspace, **more: Any) -> Json:
        """Give a workspace what the manifest says of the hub, and return a request to the program."""
        # without a time, so that the same is the same
        packed = gzip.compress(json.dumps(self.manifest).encode(), mtime=0)
        facts = workspace.give(_FACTS, packed)
        return {"hub": workspace.change.place.hub, "given": sorted(self.given), "facts": facts, **more}


def source(change: Change, backups: Backups) -> Source:
    """Read what there is to save. Raises PlatformError where the hub is not deployed."""
    newest = change.observe().newest
    if newest is None:
        raise PlatformError("the hub is not deployed, so there is nothing to save")
    release = read_release(change.api, change.place, newest.number)
    return source_of(change, backups, release.config if release else {})


def source_of(change: Change, backups: Backups, given: Values) -> Source:
    """Read what there is to save of a hub with these values of its release."""
    secret = change.secret()
    _values, generated = complete(given, secret.generated, chart_secrets(change))
    values = over_defaults(backups.defaults, given)
    volumes = volumes_of(change.api, change.place.namespace, values) if backups.settings.get("homes", True) else []
    texts = {VALUES: json.dumps(given), GENERATED: json.dumps(generated)}
    if secret.newest:
        texts[RECORD] = json.dumps(dataclasses.asdict(secret.newest))
    manifest = {
        "cluster": change.place.cluster,
        "hub": change.place.hub,
        "collection": change.author["collection"],
        "isolation": "kubernetes",
        "database": _database(change),
        "volumes": [volume.as_dict() for volume in volumes],
        "folders": {},
    }
    return Source(values, texts, manifest, volumes)


def save(change: Change, backups: Backups, replaced: bool = False) -> dict[str, Any]:
    """Back up a hub, and return what the program of machines answers; records it beside the release.

    replaced: whether a restore is about to replace the hub.
    """
    change.renew()
    started = time.monotonic()
    found = source(change, backups)
    hub = change.place.hub
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    account = session_account(found.values)
    with backups.workspace(change, "backup", found.given, found.values) as workspace:
        tasks = [
            Task(
                f"homes-{number}",
                "save-homes",
                json.dumps({"hub": hub, "backup": name, "folders": paths_of(batch)}),
                account,
                homes=batch,
                node=batch[0].node,
            )
            for number, batch in enumerate(batches(found.volumes), 1)
        ]
        total = len(tasks)
        if found.volumes:
            change.report(f"saving {plural(len(found.volumes), 'volume')} with homes")
        saved = workspace.run_all(tasks, lambda done: change.report(f"saved homes, part {done} of {total}"))
        for answer in saved:
            found.manifest["folders"].update(answer["folders"])
        request = found.request(workspace, backup=name, replaced=replaced)
        main = workspace.run(main_task(change, found, "save", json.dumps(request)))
    answer = {
        "id": main["id"],
        "when": main["when"],
        "new": sum(each["new"] for each in (main, *saved)),
        "total": sum(each["total"] for each in (main, *saved)),
        "seconds": round(time.monotonic() - started, 1),
        "unread": [line for each in (main, *saved) for line in each["unread"]][:10],
    }
    _note(change, answer)
    return {**answer, "summary": summary(answer, database_mount(found.values) is not None)}


def list_backups(change: Change, backups: Backups) -> Json:
    """Return the backups of a hub, the newest last, and a summary if there are none."""
    namespace = change.place.namespace
    if change.api.find(f"/api/v1/namespaces/{namespace}") is None:
        raise PlatformError(f"no pod can look into the repository: there is no namespace {namespace}; restore makes it")
    task = Task("list", "list", json.dumps({"hub": change.place.hub}), hub_account(backups.expected))
    with backups.workspace(unlocked(change), "list", {}, backups.expected) as workspace:
        return workspace.run(task)


def unlocked(change: Change) -> Change:
    """Return the same where nothing of the hub is changed, so that no lock is held."""
    return dataclasses.replace(change, lock=ClusterLock(change.api, [], change.place.cluster))


def paths_of(volumes: list[Volume]) -> list[str]:
    """Return the folders of volumes below the mounts of a pod."""
    return [path for volume in volumes for path in volume.paths]


def main_task(change: Change, found: Source, command: str, request: str) -> Task:
    """Return what saves everything but homes; the claim of the database can only be mounted where the hub has it."""
    return Task(
        "hub",
        command,
        request,
        hub_account(found.values),
        database=database_mount(found.values),
        node=database_node(change.api, change.place.namespace, CLAIM),
    )


def _database(change: Change) -> dict[str, Any]:
    """Return what a restore has to know of the claim of the database."""
    claim = change.api.find(f"/api/v1/namespaces/{change.place.namespace}/persistentvolumeclaims/{CLAIM}")
    if claim is None:
        return {}
    spec = claim["spec"]
    return {"capacity": spec["resources"]["requests"]["storage"], "modes": spec["accessModes"]}


def _note(change: Change, answer: dict[str, Any]) -> None:
    """Record a backup beside the release, for status."""
    secret: HubSecret = change.secret()
    secret.backup = answer["when"]
    secret.write(change.keep)


def summary(answer: dict[str, Any], with_database: bool = True) -> str:
    """Describe a backup in one line, as the program of machines does."""
    unread = f", {len(answer['unread'])} or more files could not be read" if answer["unread"] else ""
    sizes = f"{_size(answer['total'])}, {_size(answer['new'])} added to the repository"
    elsewhere = "" if with_database else "; its database is not in the cluster, and has to be backed up where it is"
    return f"backed up: {sizes}, {answer['seconds']:.0f} s{unread}{elsewhere}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
