# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a deployed hub, and a headless browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_hub import DeployedHub
from browser_pages import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH, HEIGHT = 1280, 800


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --screenshots."""
    parser.addoption(
        "--screenshots",
        metavar="DIR",
        default=os.environ.get("HUBFLEET_SCREENSHOTS"),
        help="keep screenshots of the browser there (or set HUBFLEET_SCREENSHOTS)",
    )


@pytest.fixture(scope="session")
def programs() -> tuple[str, str]:
    """Paths of the browser and its driver; skips, saying so, where something is missing."""
    pytest.importorskip("selenium", reason="needs the Python package selenium")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        missing = " and ".join(name for name, path in (("chromium", browser), ("chromedriver", driver)) if not path)
        pytest.skip(f"needs {missing} (Debian packages chromium and chromium-driver)")
    if os.geteuid() != 0 and shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap, or root")
    return browser, driver


@pytest.fixture(scope="module")
def hub(programs: tuple[str, str]) -> Iterator[DeployedHub]:
    """A hub that was deployed for these tests, and is removed after them."""
    directory = Path(tempfile.mkdtemp(prefix="hubfleet-browser-"))
    directory.chmod(0o711 if os.geteuid() == 0 else 0o700)  # users' accounts pass through
    deployed = DeployedHub(directory)
    try:
        deployed.play("deploy")
        yield deployed
    finally:
        try:
            deployed.remove()
        finally:
            deployed.delete_accounts()
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def open_browser(
    programs: tuple[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Browser]]:
    """Opens browsers with empty profiles at a hub; without JavaScript if asked for."""
    from selenium import webdriver

    opened: list[Any] = []

    def run(url: str, javascript: bool = True, *flags: str) -> Browser:
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        for flag in (*FLAGS, *flags, f"--user-data-dir={tmp_path / f'profile{len(opened)}'}"):
            options.add_argument(flag)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's own does not work for root
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        service = webdriver.ChromeService(executable_path=programs[1], log_output=str(tmp_path / "driver.log"))
        driver: Any = webdriver.Chrome(options=options, service=service)
        opened.append(driver)
        pictures = request.config.getoption("--screenshots")
        browser = Browser(driver, url, Path(pictures) if pictures else None)
        browser.resize(WIDTH, HEIGHT)
        return browser

    try:
        yield run
    finally:
        for driver in opened:
            driver.quit()


@pytest.fixture
def browser(hub: DeployedHub, open_browser: Callable[..., Browser]) -> Browser:
    """A browser at the deployed hub."""
    return open_browser(hub.url)
