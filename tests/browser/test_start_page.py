# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start page of both platforms with 40 environments, 6 sizes and 3 extras, in a real browser."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe import violations
from browser_pages import Browser
from start_page_hub import ENVIRONMENTS, SIZES, StartPageHub

pytest.importorskip("jupyterhub", reason="needs JupyterHub beside pytest")
pytest.importorskip("kubespawner", reason="needs KubeSpawner beside pytest")

PHONE = (360, 740)
CARD = "#hubfleet-profiles .card"


@pytest.fixture(scope="module", params=["server", "kubernetes"])
def choices(request: pytest.FixtureRequest, programs: tuple[str, str]) -> Iterator[StartPageHub]:
    directory = Path(tempfile.mkdtemp(prefix="hubfleet-start-page-"))
    hub = StartPageHub(directory, request.param)
    try:
        hub.wait()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def person(choices: StartPageHub, open_browser: Callable[..., Browser]) -> Callable[..., Browser]:
    """Logs somebody in, and opens the start page."""

    def enter(name: str, javascript: bool = True) -> Browser:
        browser = open_browser(choices.url, javascript)
        browser.open("hub/spawn")
        browser.log_in(name, "any")
        browser.see(CARD)
        return browser

    return enter


def card(browser: Browser, title: str) -> Any:
    """Return the card of an environment."""
    (found,) = (each for each in browser.seen(CARD) if title in each.text)
    return found


def choose(browser: Browser, title: str, **chosen: str) -> None:
    """Choose an environment, and what is seen of these options."""
    from selenium.webdriver.support.ui import Select

    browser.click(card(browser, title).find_element("css selector", "label.form-check-label"))
    for option, value in chosen.items():
        (menu,) = (
            each for each in browser.seen(f"{CARD} select") if each.get_attribute("name").endswith(f"--{option}")
        )
        Select(menu).select_by_value(value)


def start(browser: Browser) -> None:
    """Send the form."""
    browser.click(browser.see("#spawn_form button[type=submit]"))


def started_by(hub: StartPageHub, browser: Browser, name: str, count: int = 1) -> dict[str, Any]:
    """Return what the hub would have started for somebody the last time."""

    def mine() -> list[dict[str, Any]]:
        found = [each for each in hub.started() if each["user"] == name]
        return found if len(found) == count else []

    found: list[dict[str, Any]] = browser.wait(mine, "the start is recorded")
    return found[-1]


def made_of(hub: StartPageHub, name: str, memory: int, extras: str) -> tuple[Any, ...]:
    """Return what a choice comes to on the platform."""
    image = f"registry.example.org/{name}:1" if hub.platform == "kubernetes" else name
    return image, memory * 2**30, extras


def result(started: dict[str, Any]) -> tuple[Any, ...]:
    """Return the same of what would have been started."""
    return started["image"], int(started["memory"]), started["extras"]


def test_everything_is_there_in_the_order_of_the_inventory(person: Callable[..., Browser]) -> None:
    browser = person("order")
    titles = [each.text.splitlines()[0] for each in browser.seen(CARD)]
    assert titles[:3] == ["Plain Python", "Course 07 & <lab>", "Course 14 & <lab>"]
    assert len(titles) == ENVIRONMENTS
    second = card(browser, "Course 07")
    assert "Software of the course 07 of the coast, with <b>maps</b>" in second.text
    link = second.find_element("css selector", "a")
    assert link.get_attribute("href") == "https://coast.example.org/env-07"
    assert browser.driver.execute_script("return arguments[0].naturalWidth > 0", second.find_element("tag name", "img"))
    browser.click(second.find_element("tag name", "summary"))
    assert "numpy==2.3.5\ncourse07==1.0" in second.text
    choose(browser, "Course 07")
    size, extras, _version = browser.seen(f"{CARD} select")
    assert len(size.find_elements("tag name", "option")) == SIZES
    assert len(extras.find_elements("tag name", "option")) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_nobody_meets_barriers(person: Callable[..., Browser], scheme: str, width: str) -> None:
    browser = person("barriers")
    browser.prefer(scheme)
    if width == "phone":
        browser.resize(*PHONE, mobile=True)
    browser.open("hub/spawn")
    browser.see(CARD)
    assert browser.driver.execute_script("return document.documentElement.dataset.bsTheme") == scheme
    for detail in browser.driver.find_elements("css selector", "details"):
        browser.driver.execute_script("arguments[0].open = true", detail)
    assert violations(browser.driver) == []
    wide = "return document.documentElement.scrollWidth > window.innerWidth"
    assert not browser.driver.execute_script(wide), "the page can be scrolled to the side"
    button = browser.see("#spawn_form button[type=submit]")
    bottom = browser.driver.execute_script("return arguments[0].getBoundingClientRect().bottom", button)
    assert bottom <= browser.driver.execute_script("return window.innerHeight"), "the button is out of sight"
    browser.picture(f"start-page-{scheme}-{width}")


def test_search(person: Callable[..., Browser]) -> None:
    from selenium.webdriver import Keys

    browser = person("search")
    field = browser.see("#hubfleet-search-text")
    field.send_keys("COAST course1")
    # what is chosen stays in sight
    browser.wait(lambda: len(browser.seen(CARD)) == 11, "eleven are left")
    assert browser.see("#hubfleet-search [role=status]").text == f"10 of {ENVIRONMENTS}"
    field.send_keys("2", Keys.ENTER)
    browser.wait(lambda: len(browser.seen(CARD)) == 2, "two are left")
    assert browser.at("hub/spawn")
    choose(browser, "Course 12")
    field.clear()
    field.send_keys("nothing like this")
    browser.wait(lambda: len(browser.seen(CARD)) == 1, "one is left")
    assert "Course 12" in browser.seen(CARD)[0].text


@pytest.mark.parametrize("javascript", [True, False])
def test_a_choice_is_started_and_remembered(
    choices: StartPageHub, person: Callable[..., Browser], javascript: bool
) -> None:
    name = "with" if javascript else "without"
    browser = person(name, javascript)
    assert bool(browser.seen("#hubfleet-search")) == javascript
    assert len(browser.seen(f"{CARD} select")) == 2  # of what is preselected
    choose(browser, "Course 21", size="s4", extras="tides")
    assert len(browser.seen(f"{CARD} select")) == 2
    start(browser)
    assert result(started_by(choices, browser, name)) == made_of(choices, "env-21", 5, "tides")

    browser.open("hub/spawn")
    size, extras = (each.get_attribute("value") for each in browser.seen(f"{CARD} select"))
    assert (size, extras) == ("s4", "tides")
    start(browser)
    assert result(started_by(choices, browser, name, 2)) == made_of(choices, "env-21", 5, "tides")


def test_what_is_typed(choices: StartPageHub, person: Callable[..., Browser]) -> None:
    browser = person("typing")
    choose(browser, "Course 07")
    assert not browser.seen(f"{CARD} input[type=text]")
    choose(browser, "Course 07", version="")
    field = browser.see(f"{CARD} input[type=text]")
    field.send_keys("x1")
    # what does not fit is not sent, unless it is hidden
    start(browser)
    assert browser.see(f"{CARD} input:invalid") == field
    field.clear()
    field.send_keys("17")
    start(browser)
    assert started_by(choices, browser, "typing")["version"] == "17"
    browser.open("hub/spawn")
    assert browser.see(f"{CARD} input[type=text]").get_attribute("value") == "17"
    browser.see(f"{CARD} input[type=text]").send_keys("x")
    choose(browser, "Course 14")
    start(browser)
    assert started_by(choices, browser, "typing", 2)["version"] is None


def test_a_choice_is_whole_on_the_way_back(choices: StartPageHub, open_browser: Callable[..., Browser]) -> None:
    """Without the cache of whole pages, browsers restore fields after scripts have run."""
    browser = open_browser(choices.url, True, "--disable-features=BackForwardCache")
    browser.open("hub/spawn")
    browser.log_in("back", "any")
    browser.see(CARD)
    choose(browser, "Course 14", size="s3")
    browser.open("hub/token")
    browser.see("#request-token-form")
    browser.driver.back()
    browser.see(CARD)
    start(browser)
    assert result(started_by(choices, browser, "back")) == made_of(choices, "env-14", 4, "none")


def test_who_follows_a_link_starts_its_choice(
    choices: StartPageHub, person: Callable[..., Browser], open_browser: Callable[..., Browser]
) -> None:
    teacher = person("teacher")
    target = f"{choices.url}hub/user-redirect/git-pull?repo=https%3A%2F%2Fgit.example.org%2Fcourse"
    teacher.open(f"hub/spawn?next={quote(target, safe='')}")
    choose(teacher, "Course 35", size="s2", extras="winds")
    teacher.click(teacher.see("#hubfleet-link summary"))
    link = teacher.see("#hubfleet-link input").get_attribute("value")
    assert link.startswith(f"{choices.url}hub/spawn?profile=env-35&"), link

    student = open_browser(choices.url)
    student.driver.get(link)
    student.log_in("student", "any")
    assert result(started_by(choices, student, "student")) == made_of(choices, "env-35", 3, "winds")
    assert quote("git-pull?repo=", safe="") in link


@pytest.mark.parametrize("query", ["profile=gone", "profile=env-35&profile-option-env-35--size=gone"])
def test_a_link_to_what_is_gone_shows_the_start_page(
    choices: StartPageHub, person: Callable[..., Browser], query: str
) -> None:
    browser = person("late")
    browser.open(f"hub/spawn?{query}")
    assert browser.see(".spawn-error-msg").text
    assert len(browser.seen(CARD)) == ENVIRONMENTS
    assert not [each for each in choices.started() if each["user"] == "late"]
