# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock file: what is written is read again, and what is damaged is told with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import ImagePin, ImagePins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import (
    Lock,
    LockError,
    StagingPins,
    lock_file,
    lock_text,
    read_lock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin

MAPS = Pin("../maps", "", "", "a" * 40, "b" * 40, "2026-11-30T09:15:00Z")
GEO = Pin(
    "https://example.org/geo.git", "2026.1", "environments/geo", "c" * 64, "d" * 64, "2026-01-02T03:04:05Z", "conda"
)


SCIENCE = ImagePin("example.org/hubs/science", "0123456789ab", f"sha256:{'e' * 64}", MAPS.date, "5.5.4", "4.6.6")
IMAGES = ImagePins({"docker.io/library/debian:12": f"sha256:{'f' * 64}"}, {(SCIENCE.image, SCIENCE.key): SCIENCE})
WITH_IMAGES = lock_text(Lock({}, IMAGES))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "environments.lock.yml"
    assert read_lock(str(path)) == Lock()
    path.write_text(lock_text(Lock({GEO.key: GEO, MAPS.key: MAPS}, IMAGES)))
    assert read_lock(str(path)) == Lock({GEO.key: GEO, MAPS.key: MAPS}, IMAGES)
    assert path.read_text() == lock_text(Lock({MAPS.key: MAPS, GEO.key: GEO}, IMAGES))


def test_pins_of_staging_hubs_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "environments.lock.yml"
    other = StagingPins(
        {MAPS.key: replace(MAPS, commit="9" * 40)}, {"docker.io/library/debian:12": f"sha256:{'1' * 64}"}
    )
    lock = Lock({MAPS.key: MAPS}, IMAGES, {}, other)
    path.write_text(lock_text(lock))
    assert read_lock(str(path)) == lock
    assert lock.of(staging=True).repositories[MAPS.key].commit == "9" * 40
    path.write_text(f"{lock_text(Lock({MAPS.key: MAPS}))}staging: []\n")
    with pytest.raises(LockError, match="staging is not a mapping"):
        read_lock(str(path))
    path.write_text(lock_text(Lock({}, ImagePins(), {}, StagingPins({MAPS.key: MAPS}))))
    with pytest.raises(LockError, match="an entry of staging has none in repositories"):
        read_lock(str(path))


def test_fleets_on_machines_have_no_place_for_images(tmp_path: Path) -> None:
    path = tmp_path / "environments.lock.yml"
    path.write_text(lock_text(Lock({MAPS.key: MAPS})))
    assert "images" not in path.read_text().partition("repositories:")[2]
    assert read_lock(str(path)) == Lock({MAPS.key: MAPS})


def test_it_lies_beside_an_inventory_directory_and_next_to_a_file() -> None:
    assert lock_file("/fleet/inventory/", whole=True) == "/fleet/environments.lock.yml"
    assert lock_file("/fleet", whole=False) == "/fleet/environments.lock.yml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", ":1 is damaged: it is not YAML"),
        ("", "version is None"),
        ("version: 2", "version is 2, and this release reads 1"),
        ("version: 1", "repositories is not a list"),
        ("version: 1\nrepositories: [a]", "entry 1 of repositories: repository is missing, or not"),
        (
            lock_text(Lock({MAPS.key: MAPS})).replace("a" * 40, "main"),
            "entry 1 of repositories: commit is missing",
        ),
        (
            lock_text(Lock({MAPS.key: MAPS})).replace("python", "julia"),
            "entry 1 of repositories: kind is missing, or not",
        ),
        (
            lock_text(Lock({MAPS.key: MAPS})) + lock_text(Lock({MAPS.key: MAPS})).partition("repositories:\n")[2],
            "two entries",
        ),
        (WITH_IMAGES.replace("e" * 64, "new"), "entry 1 of images: digest is missing, or not"),
        (WITH_IMAGES.replace("f" * 64, "new"), "entry 1 of bases: digest is missing, or not"),
        (WITH_IMAGES.replace("key: ", "kee: "), "entry 1 of images: key is missing, or not"),
        (WITH_IMAGES + WITH_IMAGES.partition("images:\n")[2], "two entries of images have the same image and key"),
        ("version: 1\nrepositories: []\nimages: {}", "images is not a list"),
        ("[" * 20_000, "is damaged"),
        ("\x00", "is damaged: "),
    ],
)
def test_damage_is_told(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "environments.lock.yml"
    path.write_text(text)
    with pytest.raises(LockError) as error:
        read_lock(str(path))
    assert message in str(error.value) and str(path) in str(error.value)
    assert "restore it from git" in str(error.value)
