# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does on the pages of a hub and in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser_hub import wait_until

PAGE = 30  # seconds
SERVER_START = 120
KERNEL = 60


class Browser:
    """A browser on a hub. Everything waits for what it needs, with a deadline."""

    def __init__(self, driver: Any, url: str, pictures: Path | None) -> None:
        self.driver = driver
        self.url = url
        self.pictures = pictures

    # --- any page -------------------------------------------------------------------------------

    def wait(self, predicate: Callable[[], Any], what: str, seconds: float = PAGE) -> Any:
        """What the predicate gives once it is true; a failure shows the page."""
        from selenium.common.exceptions import StaleElementReferenceException

        def settled() -> Any:
            try:
                return predicate()
            except StaleElementReferenceException:  # the page changed meanwhile
                return None

        try:
            return wait_until(settled, seconds, what)
        except BaseException:
            self.picture("failed")
            print(f"on {self.driver.current_url}:\n{self.text()[:2000]}")
            raise

    def open(self, path: str = "") -> None:
        """Open a page of the hub."""
        self.driver.get(self.url + path)

    def seen(self, selector: str) -> list[Any]:
        """All elements a person sees, by CSS selector."""
        return [each for each in self.driver.find_elements("css selector", selector) if each.is_displayed()]

    def see(self, selector: str, seconds: float = PAGE) -> Any:
        """The first such element, as soon as there is one to be seen."""
        return self.wait(lambda: self.seen(selector), f"{selector} is seen", seconds)[0]

    def click(self, element: Any) -> None:
        """Click where a person sees the element, below what stays in place when the page is scrolled."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def text(self) -> str:
        """All text of the page that a person sees."""
        return str(self.driver.find_element("css selector", "body").text)

    def at(self, path: str) -> bool:
        """Whether the address is this one of the hub."""
        return bool(self.driver.current_url.split("?")[0] == self.url + path)

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Make the window so large, in pixels of style sheets; that of a phone if so."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, scheme: str) -> None:
        """Say which colours the person prefers: light or dark ones."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def picture(self, name: str) -> None:
        """Keep a screenshot, if wanted."""
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    # --- the hub --------------------------------------------------------------------------------

    def log_in(self, user: str, password: str) -> None:
        """Fill in and send the log-in form; returns once another page is there."""
        name = self.see("#username_input")
        name.clear()
        name.send_keys(user)
        self.see("#password_input").send_keys(password)
        before = self.driver.find_element("css selector", "html").id
        self.see("#login_submit").click()
        self.wait(
            lambda: (
                self.driver.find_element("css selector", "html").id != before
                and self.driver.execute_script("return document.readyState") == "complete"
            ),
            "the answer to the log-in",
        )

    def log_out(self) -> None:
        """Log out at the hub."""
        self.open("hub/home")
        self.see("#logout").click()
        self.see("#login_submit, #login")

    def environments(self) -> dict[str, Any]:
        """The form's radio buttons by what is written beside them."""
        labels = self.seen("#hubfleet-profiles .form-check-label")
        return {each.text: self.driver.find_element("id", each.get_attribute("for")) for each in labels}

    def sizes(self) -> list[Any]:
        """Every menu of sizes that is seen."""
        return self.seen("#hubfleet-profiles select")

    # --- JupyterLab -----------------------------------------------------------------------------

    def new_notebook(self) -> None:
        """Open a notebook from the launcher; returns when its kernel is ready."""
        self.see(".jp-LauncherCard[data-category='Notebook']", SERVER_START).click()
        self.see(".jp-Notebook .cm-content", KERNEL)
        self.wait(self.kernel_is_ready, "the kernel is ready", KERNEL)

    def kernel_is_ready(self) -> bool:
        """Whether the notebook is connected to a kernel that waits for something to do."""
        # not the notebook's own sign: that says idle before there is a kernel
        return any("| Idle" in each.text for each in self.seen("#jp-main-statusbar"))

    def run_cell(self, code: str, output: str) -> str:
        """Type code into the last cell and run it; the text of its output, by CSS selector."""
        from selenium.webdriver import ActionChains, Keys

        cell = self.seen(".jp-Notebook .jp-CodeCell")[-1]
        cell.find_element("css selector", ".cm-content").click()
        ActionChains(self.driver).send_keys(code).perform()
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
        prompt = cell.find_element("css selector", ".jp-InputPrompt")
        self.wait(lambda: prompt.text.strip("[]:").isdecimal(), "the cell has run", KERNEL)
        shown = ".jp-OutputArea-output " + output
        self.wait(lambda: cell.find_elements("css selector", shown), f"the cell shows {output}")
        return str(cell.find_element("css selector", shown).text)

    def close_notes(self) -> None:
        """Close the notifications that JupyterLab shows to a new user."""
        for button in self.seen(".jp-Notification-Toast-Close"):
            button.click()
        self.wait(lambda: not self.seen(".Toastify__toast"), "notifications are closed")
