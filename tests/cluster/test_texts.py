# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text arrives as it is written, though KubeSpawner formats it, Kubernetes expands it, and browsers read HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from cluster_hub import CLAIM_OF_HOMES, IMAGE, ClusterHub, Session
from hub_client import Browser

#: For KubeSpawner it has placeholders, for Kubernetes references to variables.
ODD = '{"theme": {x}} {username} {} $(HOME) $$ $HOME ${HOME} 100%'
ODD_PATH = "{braces}/$(HOME)/a$$b"
USER = "ada.lovelace+{x}@example.org"


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub with such text wherever people write it."""
    made = make_hub(
        hub_authenticator="dummy",
        hub_demonstration=True,
        hub_allowed_users=None,
        hub_allow_everyone=True,
        hub_title="R & <b>D</b>",
        hub_announcement='<a href="https://example.org">Maintenance</a> on {day}',
        hub_environment_catalogue={
            "odd": {
                "title": "R & <b>D</b>",
                "description": "x < y {x}",
                "image": IMAGE,
                "variables": {"OF_ENVIRONMENT": ODD},
                "interface": "/lab/tree/{username}",
            }
        },
        hub_environments=["odd"],
        hub_size_catalogue={"small": {"title": "RAM < 1 GB", "memory": "512M"}, "other": {"title": '"Other"'}},
        hub_sizes=["small", "other"],
        hub_unlisted_image=True,
        hub_environment_variables={"OF_HUB": ODD},
        hub_buckets={"BUCKET": "s3://bucket/{x}/$$"},
        hub_files={"odd": {"path": f"/srv/files/{ODD_PATH}", "content": ODD}},
        hub_volumes={"scratch": {"path": f"/srv/scratch/{ODD_PATH}", "volume": {"emptyDir": {}}}},
        hub_home_storage="claim",
        hub_home_claim="homes",
        hub_home_capacity=None,
        hub_home_subpath="homes/{username}",
        hub_shared_directories={"all": {"path": f"/srv/shared/{ODD_PATH}", "subpath": "shared/{username}"}},
        hub_helm_values={"singleuser": {"extraLabels": {"example.org/user": "{username}"}}},
    )
    made.kubernetes.kubectl("create", "namespace", made.namespace, check=False)
    made.kubernetes.kubectl("--namespace", made.namespace, "create", "--filename", "-", given=CLAIM_OF_HOMES)
    made.deploy()
    return made


@pytest.fixture(scope="module")
def session(hub: ClusterHub) -> Iterator[Session]:
    """A session of a user whose name has odd characters, too."""
    with hub.session(USER) as running:
        yield running


@pytest.mark.options("hub_environment_variables", "hub_environment_catalogue.variables", "hub_buckets", "hub_interface")
def test_variables_are_literal(session: Session) -> None:
    assert session.value("[os.environ['OF_HUB'], os.environ['OF_ENVIRONMENT']]") == [ODD, ODD]
    assert session.value("os.environ['BUCKET']") == f"s3://bucket/{{x}}/$$/{USER}"
    assert session.value("os.environ['JUPYTERHUB_DEFAULT_URL']") == f"/lab/tree/{USER}"
    assert session.value("os.environ['JUPYTERHUB_USER']") == USER


@pytest.mark.options("hub_files", "hub_volumes", "hub_shared_directories")
def test_paths_are_literal(session: Session) -> None:
    assert session.value(f"pathlib.Path({f'/srv/files/{ODD_PATH}'!r}).read_text().strip()") == ODD
    assert session.value(f"os.path.ismount({f'/srv/scratch/{ODD_PATH}'!r})")
    assert session.value(f"os.access({f'/srv/shared/{ODD_PATH}'!r}, os.W_OK)")


@pytest.mark.options("hub_home_storage", "hub_home_claim", "hub_home_subpath", "hub_helm_values")
def test_placeholders_are_replaced_where_they_are_documented(session: Session) -> None:
    pod = session.pod
    name = pod["metadata"]["labels"]["example.org/user"]
    assert re.fullmatch(r"ada-lovelace-x-[-a-z]+---[0-9a-f]{8}", name)
    mounts = {mount["mountPath"]: mount.get("subPath") for mount in session.container["volumeMounts"]}
    assert mounts["/home/jovyan"] == f"homes/{name}"
    assert mounts[f"/srv/shared/{ODD_PATH}"] == f"shared/{name}"
    assert session.value("os.access('/home/jovyan', os.W_OK)")


@pytest.mark.options("hub_title", "hub_announcement", "hub_unlisted_image", "hub_environment_catalogue.title")
def test_pages_show_titles_as_text(hub: ClusterHub) -> None:
    browser = Browser(hub)
    browser.request("hub/login")
    browser.request("hub/login", {"username": "ben", "password": "any"})
    status, page = browser.request("hub/spawn")
    assert status == 200, page
    cards = r"<label [^>]*form-check-label[^>]*>(.*?)</label>\s*(?:<div [^>]*form-text[^>]*>(.*?)</div>)?"
    assert re.findall(cards, page) == [
        ("R &amp; &lt;b&gt;D&lt;/b&gt;", "x &lt; y {x}"),
        ("Other image", ""),
    ]
    assert "RAM &lt; 1 GB</option>" in page and '"Other"</option>' in page
    assert '<a href="https://example.org">Maintenance</a> on {day}' in page


@pytest.mark.options("hub_unlisted_image")
def test_users_start_an_image_of_their_own(hub: ClusterHub) -> None:
    own = IMAGE.replace(":test", ":set-by-chartpress")
    with hub.session("ben", **{"profile": "other", "image--unlisted-choice": own, "size": "other"}) as session:
        assert session.container["image"] == own
        assert session.value("os.environ['OF_HUB']") == ODD
    message = hub.start_error("ben", **{"profile": "other", "image--unlisted-choice": "no-tag"})
    assert "image" in message


def test_sessions_are_what_validate_expects(hub: ClusterHub, session: Session) -> None:
    """The pods that are checked before a deploy are those that run."""
    done = hub.playbook("validate", "-e", "validate_render=true")
    assert done.returncode == 0, done.stdout
    assert "4 pods of sessions checked" in done.stdout
