# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person on a hub: from the log-in page to the output of a cell, in a real browser."""

from __future__ import annotations

from browser_hub import DeployedHub
from browser_pages import SERVER_START, Browser

REFUSED = "Invalid username or password"
PLOT = """\
import numpy as np, matplotlib.pyplot as plt
x = np.linspace(0, 12, 400)
plt.figure(figsize=(7, 2.6))
for k in range(5): plt.plot(x, np.sin(x + k / 2) * (5 - k))"""
LIMIT = """\
import os
print(os.environ["JUPYTER_IMAGE"], int(os.environ["MEM_LIMIT"]) // 2**20, "MiB")"""


def test_the_hub_shows_its_title_and_announcement(hub: DeployedHub, browser: Browser) -> None:
    browser.open()
    assert browser.see(".announcement").text == hub.announcement
    assert hub.title in browser.driver.title
    assert hub.title in browser.text()


def test_wrong_password_and_strangers_are_refused(hub: DeployedHub, browser: Browser) -> None:
    browser.open()
    for user, password in ((hub.user, hub.password() + "x"), ("stranger", hub.password())):
        browser.log_in(user, password)
        assert browser.see(".login_error").text == REFUSED
    browser.open("hub/spawn")
    browser.see("#login_submit")
    assert browser.at("hub/login")


def test_from_log_in_to_the_output_of_a_cell(hub: DeployedHub, browser: Browser) -> None:
    browser.open()
    browser.log_in(hub.user, hub.password())
    assert browser.at("hub/spawn")
    choose(browser)
    browser.picture("choose")
    browser.see("#spawn_form button[type=submit]").click()

    browser.wait(lambda: browser.at(f"user/{hub.user}/lab"), "JupyterLab opens", SERVER_START)
    browser.new_notebook()
    # matplotlib is in the chosen environment only
    browser.run_cell(PLOT, "img")
    assert browser.run_cell(LIMIT, "pre") == "science 4096 MiB"
    browser.close_notes()
    browser.picture("lab")

    browser.log_out()
    browser.open(f"user/{hub.user}/lab")
    browser.see("#login_submit")
    assert browser.at("hub/login")


def choose(browser: Browser) -> None:
    """Choose the second environment in the second size; only its own sizes are offered."""
    from selenium.webdriver.support.ui import Select

    environments = browser.environments()
    assert list(environments) == ["Python", "Scientific Python"]
    assert environments["Python"].is_selected()
    (first,) = browser.sizes()
    assert "python--size" in first.get_attribute("name")

    environments["Scientific Python"].click()
    browser.wait(lambda: not first.is_displayed(), "sizes of the other environment are hidden")
    (menu,) = browser.sizes()
    assert "science--size" in menu.get_attribute("name")
    sizes = Select(menu)
    assert [option.text for option in sizes.options] == ["Small – 1 GB of memory", "Large – 4 GB of memory"]
    assert sizes.first_selected_option == sizes.options[0]
    sizes.select_by_index(1)
