"""Create the pictures of recs ui in docs/screenshots from a real run: python -m scripts.screenshots_ui.

Starts a local stack, lets the example executor fill it, and looks at what `recs ui` serves in Chromium.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from examples.executor.execution import Execution
from examples.executor.run import yesterday
from infra.local import local_stack
from scripts.screenshots import FOLDER, INCIDENT, chromium, fill

Pages = tuple[Browser, str]  # and the address that `recs ui` printed
DESKTOP = {"viewport": {"width": 1280, "height": 960}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "color_scheme": "dark"}


def main() -> None:
    """Fill a stack and create the pictures."""
    program = chromium()
    if program is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with local_stack(port=0) as stack, sync_playwright() as playwright:
        day = yesterday()
        fill(stack, day)
        replay = Execution(INCIDENT, replay=True, day=day).execution_id
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with serving() as address:
            review(browser, address)
            capture((browser, address), "ui-incidents", "/", DESKTOP)
            capture((browser, address), "ui-incident", f"/incident/{INCIDENT}", DESKTOP, scroll=".beside")
            capture((browser, address), "ui-review", f"/incident/{INCIDENT}", DESKTOP, scroll="#reviews")
            capture((browser, address), "ui-diff", f"/diff?before={replay}", DESKTOP)
            capture((browser, address), "ui-stats", "/stats?since=7d", DESKTOP, scroll="#course-title")
            capture((browser, address), "ui-phone", f"/incident/{INCIDENT}", PHONE)
            capture((browser, address), "ui-follow", f"/follow/{INCIDENT}", {**DESKTOP, "color_scheme": "dark"})
        browser.close()


@contextmanager
def serving() -> Iterator[str]:
    """Run `recs ui` until the end of the block, and yield the address that it prints."""
    command = [sys.executable, "-m", "recommendation_cli", "ui", "--no-browser", "--review"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ, text=True) as process:
        try:
            if process.stdout is not None:
                yield process.stdout.readline().strip()
        finally:  # leaving the block waits for the process
            process.terminate()


def review(browser: Browser, address: str) -> None:
    """Write a review of the incident, and of what each consensus concluded, with the page's own forms."""
    page = browser.new_page()
    page.goto(address)
    incident = f"{address.partition('/?')[0]}/incident/{INCIDENT}"
    for number, verdict in enumerate(("partly", "helpful")):
        page.goto(incident)
        page.locator("tr", has=page.locator("th", has_text="consensus")).get_by_role("link", name="consensus").nth(
            number
        ).click()
        page.get_by_text("Review it").click()
        page.get_by_label(verdict).check()
        page.get_by_role("button", name="Store the review").click()
        page.get_by_text(f"verdict: {verdict}").wait_for()
    page.goto(incident)
    page.get_by_text("Say what it was").click()
    page.get_by_label("Root cause").fill("Consul's streaming contended on one channel under high load.")
    page.get_by_label("Resolved by").fill("Switching streaming off, and replacing the hardware of the leaders.")
    page.get_by_role("button", name="Store the review").click()
    page.get_by_text("resolved by:").wait_for()
    page.close()


def capture(pages: Pages, name: str, path: str, window: dict[str, Any], scroll: str = "") -> None:
    """Create the picture of one page."""
    print(f"{name}.png", flush=True)
    browser, address = pages
    context = browser.new_context(**window)
    page = context.new_page()
    page.goto(address)
    page.goto(address.partition("/?")[0] + path)
    if path.startswith("/follow"):
        page.locator("#feed > li").first.wait_for()
    if scroll:
        page.locator(scroll).scroll_into_view_if_needed()
        page.evaluate("selector => document.querySelector(selector).scrollIntoView()", scroll)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
