# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts are found, downloaded whole or not at all, and read: from real servers of HTTP and OCI on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import (
    ChartError,
    ChartReference,
    read,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.download import (
    download,
    local_path,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.tiny_chart import (
    TINY,
    archive,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.web_server import (
    Web,
    digest,
)

VERSIONS = ("1.3.0", "1.2.3", "1.2.2", "0.9.0")

#: Does what ``helm pull`` does, with the answers of the test.
HELM = """#!{python}
import json, shutil, sys
with open({record!r}, "a") as file:
    file.write(json.dumps([*sys.argv[1:], sys.stdin.read()]) + "\\n")
if {error!r}:
    sys.exit({error!r})
if sys.argv[1] == "pull":
    shutil.copy({archive!r}, sys.argv[sys.argv.index("--destination") + 1])
"""


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture
def repository(web: Web) -> str:
    """The address of a repository that has the chart in four versions, at relative addresses."""
    entries = []
    for version in VERSIONS:
        content = archive(version)
        web.pages[f"/charts/files/tiny-{version}.tgz"] = content
        entries.append(
            {
                "apiVersion": "v2",
                "name": "tiny",
                "version": version,
                "urls": [f"files/tiny-{version}.tgz"],
                "digest": hashlib.sha256(content).hexdigest(),
            }
        )
    index(web, {"tiny": entries})
    return f"{web.address}/charts"


def index(web: Web, entries: dict[str, Any]) -> None:
    web.pages["/charts/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()


def entry(web: Web, **changes: Any) -> None:
    """Let the index have one version of the chart only, with changed fields."""
    fields = {"name": "tiny", "version": "1.2.3", "urls": ["files/tiny-1.2.3.tgz"], **changes}
    index(web, {"tiny": [{"apiVersion": "v2", **fields}]})


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def is_empty(cache: str) -> bool:
    """Whether a failed download left nothing, hidden or not."""
    return not os.path.exists(cache) or os.listdir(cache) == []


def stand_in(tmp_path: Path, error: str = "", content: bytes = b"") -> tuple[str, Path]:
    """Return a command that stands in for helm, and the file it records its arguments in."""
    command, record, packed = tmp_path / "helm", tmp_path / "record", tmp_path / "tiny-1.2.3.tgz"
    packed.write_bytes(content or archive())
    command.write_text(HELM.format(python=sys.executable, record=str(record), error=error, archive=str(packed)))
    command.chmod(0o755)
    return str(command), record


pytestmark = pytest.mark.usefixtures("quiet_library")


@pytest.fixture
def quiet_library(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """What the library prints would be in the middle of Ansible's output."""
    yield
    assert capfd.readouterr().err == ""


def test_downloaded_chart_stays_in_the_cache(web: Web, repository: str, cache: str) -> None:
    reference = ChartReference("tiny", "1.2.3", repository)
    assert local_path(reference, cache) is None
    path = download(reference, cache)
    assert Path(path).read_bytes() == web.pages["/charts/files/tiny-1.2.3.tgz"]
    assert os.listdir(cache) == [os.path.basename(path)]
    assert os.path.basename(path).startswith("tiny-1.2.3-")
    assert local_path(reference, cache) == path
    assert local_path(ChartReference("tiny", "1.2.3", f"{repository}/"), cache) == path

    web.asked.clear()
    assert download(reference, cache) == path
    assert web.asked == []


def test_same_name_and_version_elsewhere_is_another_chart(repository: str, cache: str) -> None:
    download(ChartReference("tiny", "1.2.3", repository), cache)
    assert local_path(ChartReference("tiny", "1.2.3", "https://charts.example.org"), cache) is None
    assert local_path(ChartReference("tiny", "1.2.2", repository), cache) is None


def test_version_is_exact(repository: str, cache: str) -> None:
    assert read(download(ChartReference("tiny", "0.9.0", repository), cache)).version == "0.9.0"
    with pytest.raises(ChartError, match="needs an exact version, not ''"):
        download(ChartReference("tiny", "", repository), cache)
    with pytest.raises(ChartError, match="returned tiny 1.2.3 instead of tiny 1.2$"):
        download(ChartReference("tiny", "1.2", repository), cache)


@pytest.mark.parametrize("name, version", [("tiny", "1.2.33"), ("tiny", "main"), ("tinny", "1.2.3")])
def test_unknown_name_or_version_is_reported(web: Web, repository: str, cache: str, name: str, version: str) -> None:
    with pytest.raises(ChartError) as error:
        download(ChartReference(name, version, repository), cache)
    place = f"{web.address}/charts"
    assert str(error.value).startswith(f"{name} {version} cannot be downloaded from {place}: ")
    assert "\n" not in str(error.value)
    assert is_empty(cache)


def test_chart_must_be_the_one_of_the_reference(web: Web, repository: str, cache: str) -> None:
    reference = ChartReference("tiny", "1.2.3", repository)
    web.pages["/charts/files/tiny-1.2.3.tgz"] = archive("1.2.4")
    with pytest.raises(ChartError, match="returned tiny 1.2.4 instead of tiny 1.2.3"):
        download(reference, cache)
    assert is_empty(cache)
    web.pages["/charts/files/tiny-1.2.3.tgz"] = archive("1.2.3")
    assert read(download(reference, cache)).name == "tiny"


@pytest.mark.parametrize("path", ["/charts/index.yaml", "/charts/files/tiny-1.2.3.tgz"])
def test_interrupted_download_leaves_nothing(web: Web, repository: str, cache: str, path: str) -> None:
    web.cut[path] = 100
    reference = ChartReference("tiny", "1.2.3", repository)
    with pytest.raises(ChartError, match="unexpected EOF"):
        download(reference, cache)
    assert is_empty(cache)
    assert local_path(reference, cache) is None
    web.cut.clear()
    assert os.path.exists(download(reference, cache))


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"<html>: [", "is not a valid chart repository .*YAML"),
        (b"hello", "is not a valid chart repository"),
        (b"apiVersion: v1\nentries: {tiny: [{name: tiny, version: 1.2.3}]}", "cannot be downloaded from"),
        (
            b"apiVersion: v1\nentries: {tiny: [{name: tiny, version: 1.2.3, urls: ['file:///etc/passwd']}]}",
            "cannot be downloaded from .*repo not found",
        ),
        (
            b"apiVersion: v1\nentries: {tiny: [{name: tiny, version: 1.2.3, urls: ['index.yaml']}]}",
            "cannot be downloaded from|created no archive",
        ),
        (None, "index.yaml : 404 Not Found"),
    ],
)
def test_invalid_repository_is_reported(
    web: Web, repository: str, cache: str, content: bytes | None, expected: str
) -> None:
    web.pages.pop("/charts/index.yaml")
    if content:
        web.pages["/charts/index.yaml"] = content
    with pytest.raises(ChartError, match=expected) as error:
        download(ChartReference("tiny", "1.2.3", repository), cache)
    assert "\n" not in str(error.value)
    assert is_empty(cache)


def test_unreachable_repository_is_reported(web: Web, cache: str) -> None:
    web.close()
    with pytest.raises(ChartError, match=f"127.0.0.1:{web.port}.* cannot be reached: .*refused"):
        download(ChartReference("tiny", "1.2.3", web.address), cache)


@pytest.mark.parametrize(
    "chart, repository, expected",
    [
        ("tiny", "", "needs the http\\(s\\) URL of its repository"),
        ("tiny", "file:///srv/charts", "needs the http\\(s\\) URL of its repository"),
        ("jupyterhub/tiny", "https://charts.example.org", "set the chart's name 'tiny'"),
        ("/nowhere/tiny", "", "there is no chart at /nowhere/tiny"),
    ],
)
def test_invalid_reference_is_reported(cache: str, chart: str, repository: str, expected: str) -> None:
    with pytest.raises(ChartError, match=expected):
        download(ChartReference(chart, "1.2.3", repository), cache)


def test_version_cannot_leave_the_cache(repository: str, cache: str) -> None:
    with pytest.raises(ChartError, match="needs an exact version"):
        download(ChartReference("tiny", "../../1.2.3", repository), cache)


def test_cache_that_cannot_be_written_is_reported(repository: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChartError, match="charts cannot be stored in .*: a file is where the path needs a directory"):
        download(ChartReference("tiny", "1.2.3", repository), str(tmp_path / "file" / "cache"))


def test_password_goes_to_the_repository_only_and_into_no_message(
    web: Web, other: Web, repository: str, cache: str
) -> None:
    login = repository.replace("http://", "http://ada:p%40ss@")
    reference = ChartReference("tiny", "1.2.3", login)
    elsewhere = other.address.replace("127.0.0.1", "localhost")
    web.moved["/charts/files/tiny-1.2.3.tgz"] = f"{elsewhere}/moved.tgz"
    other.pages["/moved.tgz"] = web.pages["/charts/files/tiny-1.2.3.tgz"]
    path = download(reference, cache)
    expected = f"Basic {base64.b64encode(b'ada:p@ss').decode()}"
    assert web.logins["/charts/index.yaml"] == web.logins["/charts/files/tiny-1.2.3.tgz"] == expected
    assert other.logins == {"/moved.tgz": None}
    assert "ada" not in path and "ss" not in os.path.basename(path)

    entry(web, urls=[f"{elsewhere}/elsewhere.tgz?token=p%40ss"])
    os.unlink(path)
    with pytest.raises(ChartError) as error:
        download(reference, cache)
    assert other.logins["/elsewhere.tgz?token=p%40ss"] is None
    assert f"{elsewhere}/elsewhere.tgz : 404 Not Found" in str(error.value)
    assert "ss" not in str(error.value) and "ada" not in str(error.value)
    with pytest.raises(ChartError) as error:
        download(ChartReference("tiny", "9", login), cache)
    assert "ss" not in str(error.value) and "ada" not in str(error.value)


def test_helm_downloads_where_it_is_installed(repository: str, web: Web, cache: str, tmp_path: Path) -> None:
    helm, record = stand_in(tmp_path)
    path = download(ChartReference("tiny", "1.2.3", repository), cache, helm)
    assert read(path).version == "1.2.3"
    (arguments,) = map(json.loads, record.read_text().splitlines())
    assert arguments[:3] == ["pull", "--version", "1.2.3"]
    assert arguments[-4:-1] == ["tiny", "--repo", repository]
    assert web.asked == []
    assert os.listdir(cache) == [os.path.basename(path)]


def test_helm_reads_the_password_from_a_pipe(repository: str, cache: str, tmp_path: Path) -> None:
    """Everyone on a machine sees the arguments of programs."""
    helm, record = stand_in(tmp_path)
    path = download(ChartReference("tiny", "1.2.3", repository.replace("http://", "http://ada:p%40ss@")), cache, helm)
    add, pull = map(json.loads, record.read_text().splitlines())
    assert add[:4] == ["repo", "add", "repository", repository] and add.pop() == "p@ss"
    assert pull[:3] == ["pull", "--version", "1.2.3"] and "repository/tiny" in pull
    assert "--password-stdin" in add and not any("ss@" in word or word == "p@ss" for word in (*add, *pull))
    # Nothing that helm keeps about the repository outlives the download.
    assert os.listdir(cache) == [os.path.basename(path)]
    state = [word for word in add if word.startswith("--repository-")]
    assert len(state) == 2 and all(cache in word and word in pull for word in state)


def test_error_of_helm_is_reported_in_one_line(repository: str, cache: str, tmp_path: Path) -> None:
    helm, _record = stand_in(tmp_path, error="Error: no\nsuch luck at http://ada:pass@host/chart?token=x")
    with pytest.raises(ChartError, match="tiny 1.2.3 cannot be downloaded from .*: no such luck at http://host/chart$"):
        download(ChartReference("tiny", "1.2.3", repository), cache, helm)
    assert is_empty(cache)


def test_other_version_from_helm_is_refused(repository: str, cache: str, tmp_path: Path) -> None:
    """Helm takes a version such as 1.2 as a range."""
    helm, _record = stand_in(tmp_path, content=archive("1.2.9"))
    with pytest.raises(ChartError, match="returned tiny 1.2.9 instead of tiny 1.2.3"):
        download(ChartReference("tiny", "1.2.3", repository), cache, helm)
    assert is_empty(cache)


@pytest.fixture
def registry(web: Web) -> str:
    """The address of a chart in an OCI registry (https://github.com/opencontainers/distribution-spec)."""
    content, config = archive(), json.dumps({"name": "tiny", "version": "1.2.3"}).encode()
    layer = {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": digest(content)}
    settings = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(config)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {**settings, "size": len(config)},
            "layers": [{**layer, "size": len(content)}],
        }
    ).encode()
    web.pages["/v2/"] = b"{}"
    for blob in (content, config):
        web.pages[f"/v2/team/tiny/blobs/{digest(blob)}"] = blob
    for tag in ("1.2.3", digest(manifest)):
        web.pages[f"/v2/team/tiny/manifests/{tag}"] = manifest
        web.types[f"/v2/team/tiny/manifests/{tag}"] = "application/vnd.oci.image.manifest.v1+json"
    return f"oci://127.0.0.1:{web.port}/team/tiny"


def test_chart_comes_from_an_oci_registry(web: Web, registry: str, cache: str) -> None:
    reference = ChartReference(registry, "1.2.3")
    path = download(reference, cache)
    assert read(path).name == "tiny"
    assert os.listdir(cache) == [os.path.basename(path)] and os.path.basename(path).startswith("tiny-1.2.3-")
    web.asked.clear()
    assert download(reference, cache) == path
    assert web.asked == []
    with pytest.raises(ChartError, match=f"tiny 9.9.9 cannot be downloaded from {registry}: ") as error:
        download(ChartReference(registry, "9.9.9"), cache)
    assert "\n" not in str(error.value)


def test_helm_is_needed_in_some_form(
    registry: str, repository: str, cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "helm_python", None)
    for reference in (ChartReference(registry, "1.2.3"), ChartReference("tiny", "1.2.3", repository)):
        with pytest.raises(ChartError, match="needs helm on PATH, or the Python package helm-python-sdk: pip install"):
            download(reference, cache)
    helm, record = stand_in(tmp_path)
    assert read(download(ChartReference(registry, "1.2.3"), cache, helm)).version == "1.2.3"
    pull = json.loads(record.read_text())
    assert pull[:3] == ["pull", "--version", "1.2.3"] and pull[-3:] == [registry, "--plain-http", ""]


def test_path_is_at_hand(tmp_path: Path, cache: str) -> None:
    packed = tmp_path / "tiny.tgz"
    packed.write_bytes(archive())
    for path in (str(TINY), str(packed)):
        assert local_path(ChartReference(path), cache) == download(ChartReference(path), cache) == path
    assert local_path(ChartReference("/nowhere/tiny"), cache) is None
    assert not os.path.exists(cache)
