# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub's history remembers, whatever interrupts the writing of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import history
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
    REPLACED,
)

CONTENT = {"hub.json": b"{}\n", "templates/page.html": b"page"}


@pytest.fixture
def layout(tmp_path: Path) -> HubLayout:
    """A hub's directory."""
    return HubLayout(str(tmp_path))


def fields(fingerprint: str = "f1", **more: Any) -> dict[str, Any]:
    """Return the fields of a record that a deploy gives."""
    return {
        "when": "2026-11-24T08:15:00Z",
        "who": "ada@desk",
        "collection": "0.2.0",
        "revision": "abc",
        "fingerprint": fingerprint,
        **more,
    }


def deployed(layout: HubLayout, fingerprint: str, result: str = CHECKED, **more: Any) -> int:
    """Remember a deploy that ended with a result; return its number."""
    record = history.begin(layout, fields(fingerprint, **more), {"hub.json": fingerprint.encode()})
    history.finish(layout, record.number, result)
    return record.number


def numbers(layout: HubLayout) -> list[int]:
    return [record.number for record in history.records(layout)]


def test_no_history(layout: HubLayout) -> None:
    assert history.records(layout) == []
    assert history.newest(layout) is None
    assert history.good_before(layout) is None


def test_records(layout: HubLayout) -> None:
    """What was written down is read again, the newest first."""
    first = history.begin(layout, fields(services=[{"role": "hub"}], builds=["python-1"], jupyterhub="5.4.0"), CONTENT)
    history.finish(layout, 1, CHECKED)
    second = history.begin(layout, fields("f2"), {"hub.json": b"other"})
    assert (first.number, first.result) == (1, APPLYING)
    found = history.records(layout)
    assert [record.number for record in found] == [2, 1]
    assert found[0] == second
    assert found[1].as_dict() == {**first.as_dict(), "result": CHECKED}
    assert history.texts(layout, 1) == CONTENT
    assert history.texts(layout, 2) == {"hub.json": b"other"}


def test_nobody_else_reads_it(layout: HubLayout) -> None:
    """Copies of configuration hold secrets."""
    previous = os.umask(0o022)
    history.begin(layout, fields(), CONTENT)
    os.umask(previous)
    for folder, _folders, names in os.walk(history.folder(layout)):
        assert os.stat(folder).st_mode & 0o077 == 0 or folder.endswith("templates"), folder
        assert all(os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o600 for name in names)


def test_numbers_go_on_after_old_ones_are_gone(layout: HubLayout) -> None:
    for count in range(12):
        deployed(layout, f"f{count}")
        history.forget(layout, 3)
    assert numbers(layout) == [12, 11, 10]


def test_interrupted_at_the_same_version_goes_on(layout: HubLayout) -> None:
    """With its number, and with the copy of the database from before: the database may be another one by now."""
    history.begin(layout, fields(when="first"), CONTENT)
    copy = Path(history.folder(layout), "1", "jupyterhub-5.4.0.sqlite")
    copy.write_bytes(b"before")
    history.finish(layout, 1, APPLYING, database=copy.name)
    again = history.begin(layout, fields(when="second"), CONTENT)
    assert (again.number, again.when, again.database) == (1, "second", copy.name)
    assert history.records(layout) == [again]
    assert copy.read_bytes() == b"before"
    assert history.texts(layout, 1) == CONTENT


@pytest.mark.parametrize(
    ("record", "content"),
    [
        (fields("f2"), CONTENT),
        (fields(back_to=7), CONTENT),
        (fields(), {"hub.json": b"same, said otherwise"}),
    ],
)
def test_interrupted_at_another_version(record: dict[str, Any], content: dict[str, bytes], layout: HubLayout) -> None:
    """Nothing of what was begun is lost."""
    history.begin(layout, fields(), CONTENT)
    assert history.begin(layout, record, content).number == 2
    assert history.texts(layout, 1) == CONTENT


@pytest.mark.parametrize("result", [APPLIED, CHECKED, FAILED, REPLACED])
def test_the_same_version_again(result: str, layout: HubLayout) -> None:
    """What ended is over: the next deploy of it is one of its own."""
    deployed(layout, "f1", result)
    assert history.begin(layout, fields("f1"), {"hub.json": b"f1"}).number == 2


class Killed(Exception):
    """As if the machine had lost its power."""


def killed_after(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Let the machine die before it writes another file than the first ``writes``."""
    left = iter(range(writes))
    write = files.write

    def dying(*arguments: Any, **more: Any) -> bool:
        if next(left, None) is None:
            raise Killed
        return write(*arguments, **more)

    monkeypatch.setattr(files, "write", dying)


def test_interrupted_begin(layout: HubLayout) -> None:
    """The history stays what it was until the new record is whole, wherever the writing stops."""
    deployed(layout, "f1")
    before = history.records(layout)
    survived = 0
    for writes in range(10):
        with pytest.MonkeyPatch.context() as patch:
            killed_after(patch, writes)
            try:
                history.begin(layout, fields("f2"), CONTENT)
            except Killed:
                survived += 1
                assert history.records(layout) == before
                continue
        break
    assert survived == len(CONTENT) + 1, "every file, and the record"
    assert numbers(layout) == [2, 1]
    assert history.texts(layout, 2) == CONTENT
    assert sorted(os.listdir(history.folder(layout))) == ["1", "2"], "nothing half written is left"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"number": 2}', '"text"'])
def test_half_written_records_are_none(text: str, layout: HubLayout) -> None:
    deployed(layout, "f1")
    deployed(layout, "f2")
    Path(history.folder(layout), "2", "record.json").write_text(text)
    assert numbers(layout) == [1]
    assert history.begin(layout, fields("f3"), CONTENT).number == 3, "its number is not used again"


def test_other_names_are_no_records(layout: HubLayout) -> None:
    deployed(layout, "f1")
    for name in ("2.new", "notes", "3"):
        Path(history.folder(layout), name).mkdir()
    assert numbers(layout) == [1]


def test_records_of_a_later_release(layout: HubLayout) -> None:
    """What this one does not know is left alone."""
    deployed(layout, "f1")
    path = Path(history.folder(layout), "1", "record.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))
    assert numbers(layout) == [1]


def test_finish(layout: HubLayout) -> None:
    """Only the one record changes, and only in what is said."""
    deployed(layout, "f1")
    deployed(layout, "f2")
    before = {record.number: record.as_dict() for record in history.records(layout)}
    history.finish(layout, 1, REPLACED, database="copy")
    after = {record.number: record.as_dict() for record in history.records(layout)}
    assert after == {1: {**before[1], "result": REPLACED, "database": "copy"}, 2: before[2]}
    history.finish(layout, 9, CHECKED)
    assert numbers(layout) == [2, 1], "a record that is gone is not made again"


# --- What to go back to


@pytest.mark.parametrize(
    ("deploys", "expected"),
    [
        ([("f1", CHECKED)], None),
        ([("f1", CHECKED), ("f2", APPLYING)], 1),
        ([("f1", APPLIED), ("f2", FAILED)], 1),
        ([("f1", CHECKED), ("f2", FAILED), ("f3", APPLYING)], 1),
        ([("f1", FAILED), ("f2", APPLYING)], None),
        ([("f1", CHECKED), ("f2", CHECKED), ("f3", CHECKED)], 2),
        # The same version, deployed again, is no earlier one.
        ([("f1", CHECKED), ("f2", CHECKED), ("f2", FAILED)], 1),
        # Gone back already: further back the next time.
        ([("f1", CHECKED), ("f2", CHECKED), ("f3", REPLACED), ("f2", APPLIED)], 1),
    ],
)
def test_good_before(deploys: list[tuple[str, str]], expected: int | None, layout: HubLayout) -> None:
    for fingerprint, result in deploys:
        deployed(layout, fingerprint, result)
    found = history.good_before(layout)
    assert (found.number if found else None) == expected


@pytest.mark.parametrize(
    ("deploys", "expected"),
    [
        ([("f1", FAILED)], False),
        ([("f1", CHECKED), ("f2", FAILED)], False),
        # It ran; the deploy after that changed nothing, and is not to be blamed.
        ([("f1", CHECKED), ("f2", CHECKED), ("f2", FAILED)], True),
        ([("f1", CHECKED), ("f2", CHECKED), ("f2", FAILED), ("f2", FAILED)], True),
        ([("f1", CHECKED), ("f2", CHECKED), ("f2", APPLYING), ("f2", FAILED)], True),
        # It never ran, whether or not its first deploy was interrupted.
        ([("f1", CHECKED), ("f2", APPLYING), ("f2", FAILED)], False),
        ([("f1", CHECKED), ("f2", FAILED), ("f2", FAILED)], False),
        # It ran, but the hub was another version since.
        ([("f2", CHECKED), ("f1", CHECKED), ("f2", FAILED)], False),
    ],
)
def test_ran_already(deploys: list[tuple[str, str]], expected: bool, layout: HubLayout) -> None:
    for fingerprint, result in deploys:
        deployed(layout, fingerprint, result)
    assert history.ran_already(layout) is expected


def test_good_before_is_never_forgotten(layout: HubLayout) -> None:
    """However many failed deploys come after it."""
    deployed(layout, "good")
    for count in range(20):
        deployed(layout, f"bad{count}", FAILED)
        history.forget(layout, 2)
        found = history.good_before(layout)
        assert found is not None and found.number == 1
        assert history.texts(layout, 1) == {"hub.json": b"good"}
    assert numbers(layout) == [21, 20, 1]


def test_databases_that_lead_back_are_never_forgotten(layout: HubLayout) -> None:
    """Going back to the first needs the copy that the second made."""
    deployed(layout, "good", jupyterhub="5.4.0")
    deployed(layout, "new", FAILED, jupyterhub="5.5.0", database="jupyterhub-5.4.0.sqlite")
    for count in range(5):
        deployed(layout, f"bad{count}", FAILED, jupyterhub="5.5.0")
        history.forget(layout, 2)
    assert numbers(layout) == [7, 6, 2, 1]
    deployed(layout, "at last", jupyterhub="5.5.0")
    deployed(layout, "next", jupyterhub="5.5.0")
    history.forget(layout, 2)
    assert numbers(layout) == [9, 8], "what leads further back than that is old"


@pytest.mark.parametrize("keep", [0, -1, 1])
def test_the_newest_is_never_forgotten(keep: int, layout: HubLayout) -> None:
    for count in range(3):
        deployed(layout, f"f{count}", FAILED)
    history.forget(layout, keep)
    assert numbers(layout) == [3]
