# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of an image are unpacked as a container engine does it, and never reach what is outside."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.sandbox import (
    SandboxError,
    remove_tree,
    resolved,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.base_image import (
    BaseImageError,
    unpack,
)


def layer(path: Path, *members: tuple[str, str | bytes | None], mode: int = 0o644) -> str:
    """Write a layer; members: path, and content of a file (bytes), target of a link (text), or None for a directory."""
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            if isinstance(content, bytes):
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
                continue
            entry.type = tarfile.DIRTYPE
            if isinstance(content, str):
                hard = content.startswith("=")
                entry.type, entry.linkname = (tarfile.LNKTYPE if hard else tarfile.SYMTYPE), content.lstrip("=")
            archive.addfile(entry)
    return str(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory of the image."""
    made = tmp_path / "root"
    made.mkdir()
    return made


def tree(root: Path) -> list[str]:
    """Return the paths below a directory."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_later_layers_replace_and_remove(root: Path, tmp_path: Path) -> None:
    first = layer(
        tmp_path / "1", ("etc", None), ("etc/a", b"1"), ("etc/b", b"1"), ("srv/x/y", b"1"), ("lib", "usr/lib")
    )
    second = layer(tmp_path / "2", ("etc/a", b"22"), ("etc/.wh.b", b""), ("srv/.wh..wh..opq", b""), ("srv/z", b"2"))
    unpack(first, str(root))
    unpack(second, str(root))
    assert tree(root) == ["etc", "etc/a", "lib", "srv", "srv/z"]
    assert (root / "etc/a").read_bytes() == b"22"


def test_compressed_layers(root: Path, tmp_path: Path) -> None:
    plain = Path(layer(tmp_path / "1", ("a", b"1"), ("b", "=a")))
    packed = tmp_path / "1.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    unpack(str(packed), str(root))
    assert (root / "a").samefile(root / "b")
    zstandard = pytest.importorskip("zstandard")
    packed.write_bytes(zstandard.compress(Path(layer(tmp_path / "2", ("c", b"1"))).read_bytes()))
    unpack(str(packed), str(root))
    assert tree(root) == ["a", "b", "c"]


def test_links_lead_where_they_do_inside_of_the_image(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    unpack(layer(tmp_path / "1", ("a", str(outside)), ("b", "../../../.."), ("a/x", b"1"), ("b/y", b"1")), str(root))
    assert list(outside.iterdir()) == []
    inside = root / str(outside).lstrip("/")
    assert (inside / "x").read_bytes() == b"1"
    assert (root / "y").read_bytes() == b"1"


@pytest.mark.parametrize(
    "members",
    [
        [("../x", b"1")],
        [("a/../../x", b"1")],
        [("a", "/"), ("a/../x", b"1")],
        [("a", "../.."), (".wh.a", b""), ("a/x", b"1")],
        [("/x", b"1")],
        [("a", "b"), ("b", "a"), ("a/x", b"1")],
        [("x/..", b"1")],
        [("a", "=../../../etc/hostname")],
        [("a", "=/missing")],
    ],
)
def test_nothing_is_written_outside(members: list[tuple[str, str | bytes | None]], root: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    path = layer(tmp_path / "1", *members)
    before = tree(tmp_path)
    try:
        unpack(path, str(root))
    except (BaseImageError, SandboxError):
        pass
    assert not Path("/x").exists()
    outside = os.stat("/etc/hostname")
    assert not any(os.path.samestat(each.stat(), outside) for each in root.rglob("*") if each.exists())
    found = [name for name in tree(tmp_path) if not name.startswith("root/")]
    assert found == [name for name in before if not name.startswith("root/")]


def test_no_program_runs_as_its_owner_and_all_can_be_removed(root: Path, tmp_path: Path) -> None:
    unpack(layer(tmp_path / "1", ("a", b"1"), mode=0o6511), str(root))
    unpack(layer(tmp_path / "2", ("d", None), ("d/b", b"1"), mode=0o000), str(root))
    assert oct((root / "a").stat().st_mode & 0o7777) == "0o711"
    assert os.access(root / "d", os.R_OK | os.W_OK | os.X_OK)


def test_a_file_takes_the_place_of_a_link_and_not_of_its_target(root: Path, tmp_path: Path) -> None:
    unpack(layer(tmp_path / "1", ("a", b"1"), ("b", "a")), str(root))
    unpack(layer(tmp_path / "2", ("b", b"2")), str(root))
    assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"1", b"2")


def test_damaged_layers_are_told(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(b"\x1f\x8bno")
    with pytest.raises(BaseImageError, match="cannot be unpacked"):
        unpack(str(path), str(root))


def test_opaque_directories_keep_what_their_own_layer_has(root: Path, tmp_path: Path) -> None:
    unpack(layer(tmp_path / "1", ("d/old", b"1"), (".wh.", b""), ("..wh.", b"1")), str(root))
    unpack(layer(tmp_path / "2", ("d", None), ("d/new", b"1"), ("d/.wh..wh..opq", b"")), str(root))
    assert tree(root) == ["..wh.", "d", "d/new"]


def test_whiteouts_of_links_leave_what_they_lead_to_alone(root: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o500)
    unpack(layer(tmp_path / "1", ("x", str(victim)), ("y", str(victim))), str(root))
    unpack(layer(tmp_path / "2", (".wh.x", b"")), str(root))
    remove_tree(str(root / "y"))
    assert tree(root) == []
    assert victim.stat().st_mode & 0o777 == 0o500


def test_links_that_do_not_end(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(SandboxError, match="do not end"):
        resolved(str(root), "a/c")
