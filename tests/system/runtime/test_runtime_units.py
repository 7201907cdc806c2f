# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs no hub: profiles, the form, names, log rotation, errors of the launcher."""

from __future__ import annotations

import asyncio
import copy
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hubfleet_runtime import log_files, names, ports, processes, profiles
from hubfleet_runtime.isolation import bubblewrap
from hubfleet_runtime.start_page import StartPage
from runtime_rig import PROFILES, SIZES
from runtime_tools import FILES, Tools
from traitlets.config import Config

BUILT = ["python", "broken", "r"]
UNLISTED = {
    "image": {
        "display_name": "Image",
        "choices": {},
        "unlisted_choice": {
            "enabled": True,
            "validation_regex": "[a-z]+",
            "validation_message": "small letters",
            "kubespawner_override": {"image": "{value}"},
        },
    }
}


def test_nothing_asked_gives_the_defaults() -> None:
    chosen = profiles.choose(PROFILES, {}, BUILT)
    assert chosen["image"] == "python" and chosen["mem_limit"] == 1 << 30
    assert chosen["environment"] == {"COURSE": "1"}
    assert profiles.choose([], {}, BUILT) == {}


def test_an_option_wins_over_its_profile_and_environments_merge() -> None:
    listed = copy.deepcopy(PROFILES)
    large = listed[0]["profile_options"]["size"]["choices"]["large"]
    large["kubespawner_override"] = {"default_url": "/tree", "environment": {"THREADS": 4}}
    chosen = profiles.choose(listed, {"profile": "python", "size": "large"}, BUILT)
    assert chosen["default_url"] == "/tree"
    assert chosen["environment"] == {"COURSE": "1", "THREADS": "4"}
    assert listed[0]["kubespawner_override"]["environment"] == {"COURSE": "1"}


def test_the_first_profile_and_choice_are_the_default() -> None:
    listed: list[dict[str, Any]] = [
        {
            "display_name": "My Course!",
            "profile_options": {"size": {"choices": {"a": {"kubespawner_override": {"mem_limit": "2G"}}, "b": {}}}},
        },
        {"display_name": "Other"},
    ]
    assert profiles.choose(listed, None) == {"mem_limit": "2G"}
    assert profiles.choose(listed, {"profile": "my-course", "size": "b"}) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "perl"}, "unknown profile 'perl'; possible: python, broken"),
        ({"size": "huge"}, "size: unknown choice 'huge'; possible: small, large"),
        ({"size": ["small"]}, "size: unknown choice ['small']; possible: small, large"),
        ({"profile": "broken", "size": "small"}, "unknown option 'size'; possible: profile"),
        (
            {"size--unlisted-choice": "x"},
            "size: an unlisted choice is not possible; possible: small, large",
        ),
    ],
)
def test_a_wrong_choice_lists_what_there_is(options: dict[str, Any], message: str) -> None:
    with pytest.raises(profiles.ChoiceError) as caught:
        profiles.choose(PROFILES, options, BUILT)
    assert str(caught.value) == message


def test_an_unlisted_choice_must_match_wholly_and_be_built() -> None:
    listed = [{"slug": "any", "profile_options": UNLISTED}]
    assert profiles.choose(listed, {"image--unlisted-choice": "r"}, BUILT) == {"image": "r"}
    for value, message in (
        ("r/../../x", "small letters"),
        ("julia", "unknown environment 'julia'"),
        (7, "small letters"),
    ):
        with pytest.raises(profiles.ChoiceError, match=message):
            profiles.choose(listed, {"image--unlisted-choice": value}, BUILT)
    with pytest.raises(profiles.ChoiceError, match="is required as image--unlisted-choice"):
        profiles.choose(listed, {}, BUILT)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (
            {"slug": "a", "kubespawner_override": {"node_selector": {}}},
            "'node_selector' is not supported on a server",
        ),
        (
            {"slug": "a", "kubespawner_override": {"image": "julia"}},
            "'julia' is not built on this machine",
        ),
        (
            {"slug": "a", "kubespawner_override": {"mem_limit": "lots"}},
            "expected bytes, or a string such as '2G'",
        ),
        (
            {"slug": "a", "kubespawner_override": {"environment": {"A": {"valueFrom": 1}}}},
            "text values only",
        ),
        ({"slug": "a", "profile_options": {"size": {}}}, "there are no choices"),
        ({"slug": "python"}, "a unique slug or display_name"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(profile: dict[str, Any], message: str) -> None:
    with pytest.raises(profiles.ProfileError, match=message):
        profiles.validate([*PROFILES, profile], BUILT)


def test_fields_of_the_form_become_options() -> None:
    fields = {
        "profile": ["python"],
        "profile-option-python--size": ["large"],
        "_xsrf": ["x"],
        "profile-option-broken--size": ["small"],
        "profile-option-python--other": [""],
    }
    assert profiles.options_from_form(fields) == {"profile": "python", "size": "large"}
    assert profiles.options_from_form({}) == {}


def start_page(listed: list[dict[str, Any]], chosen: dict[str, Any] | None = None) -> str:
    """Return the form of a profile list; chosen: the user options of the last start."""
    template = FILES / "runtime" / "hubfleet_runtime" / "templates" / "start_page.html"
    return StartPage.render(str(template), profiles.initialized(listed), chosen)


def test_the_form() -> None:
    html = start_page(PROFILES, {"profile": "python", "size": "large"})
    assert "Python &lt;3" in html and "Python <3" not in html
    assert '<option value="large" selected>Large – 2 GB</option>' in html
    assert html.count(" checked>") == 1
    assert 'name="profile-option-python--size"' in html
    assert " checked>" in start_page(PROFILES, {"profile": "gone"})
    assert start_page([{"slug": "only", "profile_options": {"size": {"choices": {"small": {}}}}}]) == ""
    assert start_page([]) == ""
    assert start_page([{"slug": "only", "profile_options": {"size": {"choices": SIZES}}}])


def test_a_typed_value_is_remembered_as_text() -> None:
    typed = start_page(
        [{"slug": "any", "profile_options": UNLISTED}], {"profile": "any", "image--unlisted-choice": '"<'}
    )
    assert 'value="&#34;&lt;"' in typed
    assert 'value=""' in start_page(
        [{"slug": "any", "profile_options": UNLISTED}], {"profile": "gone", "image--unlisted-choice": "r"}
    )


def test_only_texts_are_html_where_a_spawner_has_it() -> None:
    profile = {
        "slug": "a<",
        "display_name": "A &amp; <b>B</b>",
        "link": "https://a.example.org/?a=1&b='\"",
        "default": True,
    }
    html = start_page(StartPage.marked_as_html([profile, {"slug": "c", "display_name": "C"}]))
    assert "A &amp; <b>B</b></label>" in html
    assert 'value="a&lt;"' in html and "?a=1&amp;b=&#39;&#34;" in html


@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner"])
@pytest.mark.parametrize("own", ["", "options_form", *StartPage.OWN_TEMPLATES])
def test_a_form_of_the_operator_stays(section: str, own: str) -> None:
    configured = Config(KubeSpawner={"profile_list": [{"display_name": "A"}]})
    if own:
        section = "KubeSpawner" if own in StartPage.OWN_TEMPLATES else section
        configured[section][own] = "" if own == "options_form" else ["/templates"]
    before = copy.deepcopy(configured.KubeSpawner)
    StartPage.configure(configured, "template")
    assert (configured.KubeSpawner == before) == bool(own)
    without = Config()
    StartPage.configure(without, "template")
    assert not without.KubeSpawner


def test_a_choice_that_is_gone_does_not_stay_where_nothing_can_be_chosen() -> None:
    configured = Config(KubeSpawner={"profile_list": {"a": {"display_name": "A", "slug": "a", "default": True}}})
    StartPage.configure(configured, "template")
    saved = SimpleNamespace(user_options={"profile": "gone"})
    spawner = SimpleNamespace(
        profile_list=configured.KubeSpawner.profile_list,
        orm_spawner=saved,
        _get_initialized_profile_list=lambda profiles: profiles,
    )
    assert asyncio.run(configured.KubeSpawner.options_form(spawner)) == ""
    assert saved.user_options is None


@pytest.mark.parametrize("saved", [{"profile": ["python"]}, {"profile": "python", "size": {"a": 1}}, {"profile": None}])
def test_saved_choices_of_any_kind(saved: dict[str, Any]) -> None:
    assert start_page(PROFILES, saved).count(" checked>") == 1


def test_a_typed_value_counts_only_where_one_can_be_typed() -> None:
    html = start_page(PROFILES, {"profile": "python", "size--unlisted-choice": "x"})
    assert '<option value="small" selected>' in html


def test_odd_keys_of_profiles() -> None:
    odd = {"slug": "a", "packages": 5, "icon": 7, "link": "JavaScript:alert(1)"}
    html = start_page([odd, {"slug": "b", "link": "/hub/home"}])
    assert "JavaScript:" not in html and "<img" not in html and 'href="/hub/home"' in html


def test_names_are_safe_and_never_shared() -> None:
    users = [
        "alice",
        "Alice",
        "a.b",
        "a-b",
        "a_b",
        "..",
        "/etc",
        "x" * 300,
        "o---x",
        "zoë@example.org",
        "lost+found",
        "",
    ]
    slugs = [names.slug(user) for user in users]
    assert len(set(slugs)) == len(users)
    assert all("/" not in slug and not slug.startswith(".") and len(slug) < 60 for slug in slugs)
    assert names.slug("alice") == "alice"
    assert names.server_slug("a", "b") != names.server_slug("a+b", "")
    keys = {names.server_id(Path(hub), user, server) for hub in "ab" for user in users for server in ("", "x")}
    assert len(keys) == 4 * len(users) and all(len(key) <= 61 for key in keys)
    made = {names.account_name(state, hub, user) for state in ("/a", "/b") for hub in ("h", "i") for user in users}
    assert len(made) == 4 * len(users) and all(len(name) <= 32 for name in made)


def test_a_log_over_the_limit_is_rotated_under_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    log = log_files.open_log(path)
    for number in range(6):
        os.write(log, b"%d" % number * 90 + b"\nend\n")
        log_files.rotate(path, limit=64)
    os.write(log, b"after\n")
    os.close(log)
    assert path.read_text() == "after\n"
    older = sorted(each.name for each in tmp_path.iterdir())
    assert older == ["hub.log", "hub.log.1", "hub.log.2", "hub.log.3"]
    assert (tmp_path / "hub.log.1").stat().st_size == 64
    assert (tmp_path / "hub.log.1").read_text().startswith("5")
    assert all(each.stat().st_mode & 0o077 == 0 for each in tmp_path.iterdir())


def test_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    assert log_files.last_lines(path, 5) == []
    path.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert log_files.last_lines(path, 2) == ["line 998", "line 999"]
    assert log_files.last_lines(path, 100, within=30)[0].startswith("line ")
    before = path.stat().st_size
    with path.open("a") as stream:
        stream.write("no such program\n")
    assert log_files.last_lines(path, 100, start=before) == ["no such program"]
    assert log_files.last_lines(path, 100, start=before + 1000) == []


def test_the_sandbox_shows_a_python_outside_the_system(tmp_path: Path) -> None:
    settings = tmp_path / "pyvenv.cfg"
    assert bubblewrap.bind_python(tmp_path) == []
    settings.write_text("home = /usr/bin\nversion = 3.11\n")
    assert bubblewrap.bind_python(tmp_path) == []
    (tmp_path / "link").symlink_to(tmp_path / "python")
    settings.write_text(f"home = {tmp_path}/link/bin\n")
    shown = bubblewrap.bind_python(tmp_path)
    assert shown[1::3] == [f"{tmp_path}/link", f"{tmp_path}/python"]


def test_ports_of_servers_are_not_those_of_connections_and_are_promised_once() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    promised: set[int] = set()
    for _server in range(100):
        promised.add(ports.free_port(promised))
    assert len(promised) == 100
    assert first <= 10000 or all(1024 < port < first for port in promised)
    with socket.socket() as other:
        other.bind(("127.0.0.1", promised.pop()))
        everything_else = set(range(1024, first)) - {other.getsockname()[1]}
        assert ports.free_port(everything_else) != other.getsockname()[1]


def test_a_zombie_does_not_live() -> None:
    child = subprocess.Popen(["true"])
    try:
        while (found := processes.stat(child.pid)) and found.state != "Z":
            pass
        assert processes.identity(child.pid) == ""
    finally:
        child.wait()
    assert processes.identity(os.getpid()) and processes.identity(0) == ""


def launch(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher with this Python."""
    program = FILES / "runtime" / "hubfleet_runtime" / "launch.py"
    return subprocess.run(
        check=False,
        args=[
            sys.executable,
            str(program),
            "--directory",
            str(directory),
            "--service",
            "hub",
            "--digest",
            "x",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_the_launcher_says_what_is_wrong(tmp_path: Path) -> None:
    for arguments, code, text in (
        (["--secret", "A=../x", "--", "true"], 78, "a file name in secrets/"),
        (["--secret", "A=missing", "--", "true"], 78, "No such file"),
        (
            ["--account", "no-such-account", "--", "/bin/true"],
            78,
            "the account no-such-account does not exist",
        ),
        (["--", "/no/such/program"], 78, "No such file"),
    ):
        done = launch(tmp_path, *arguments)
        assert done.returncode == code and text in done.stderr, done.stderr
        assert text in (tmp_path / "logs" / "hub.log").read_text()
    assert launch(tmp_path).returncode == 2


def test_the_launcher_cleans_up_and_hands_over(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "word").write_text("hush\n")
    code = (
        "import os, sys; print(sorted(map(int, os.listdir('/proc/self/fd'))), os.environ['WORD'], "
        "oct(os.umask(0)), os.getcwd(), os.environ['HUBFLEET_DIRECTORY'])"
    )
    done = launch(tmp_path, "--secret", "WORD=word", "--", sys.executable, "-c", code)
    assert done.returncode == 0 and not done.stdout
    text = (tmp_path / "logs" / "hub.log").read_text()
    assert f"hush 0o77 {tmp_path} {tmp_path}" in text
    # standard streams, the lock, and the listing itself
    assert text.startswith("[0, 1, 2, ") and text.count(",") <= 5


RESTORE = """
import sys
sys.path.insert(0, sys.argv[1])
from hubfleet_runtime.spawner import ServerSpawner
spawner = ServerSpawner(environments={"python": "/x"}, environment={"A": "config"}, mem_limit="1G")
configured = spawner.environment
spawner.apply_overrides({"mem_limit": "2G", "environment": {"B": "choice"}})
assert spawner.mem_limit == 2 << 30 and spawner.environment == {"A": "config", "B": "choice"}
spawner.apply_overrides({"cpu_limit": 2.0})
assert spawner.mem_limit == 1 << 30 and spawner.cpu_limit == 2
assert spawner.environment == {"A": "config"}
assert configured == {"A": "config"}
spawner.apply_overrides({})
assert spawner.cpu_limit is None
"""


def test_a_choice_is_for_one_start_only(tools: Tools) -> None:
    subprocess.run([tools.hub / "bin" / "python", "-c", RESTORE, str(tools.code)], check=True)
