"""The page of `recs ui` in Debian's Chromium, through Playwright. Skipped without Chromium, except in CI."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.local.serving import serving
from recommendation_cli.ui.access import TOKEN
from recommendation_cli.ui.links import execution_path, incident_path, query_path, recommendation_path
from recommendation_cli.ui.site import Site
from tests.support.browser import CHROMIUM, needs_chromium
from tests.support.fakes.recommendation_table import IndexedDynamoDb, Item, item, recommendation_id
from tests.support.fakes.reviewer import ReviewersAccount
from tests.support.servers.http_server import HttpConnection, HttpServer
from tests.support.ui import HeldAtTheEnd, replayed, running_ui, ui_site

PATIENCE = 30_000  # milliseconds, on a busy machine
ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style></pre></svg></title><svg onload=\"document.title='owned'\">",
    '"><iframe srcdoc="<script>parent.document.title=\'owned\'</script>">',
    "javascript:document.title='owned'",
    "\u202egnp.exe\u2066\u200b%2F..",
)

pytestmark = [pytest.mark.timeout(300), needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each opens windows of its own. A name of an attacker's leads to this machine."""
    flags = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        running.close()


@contextmanager
def _window(browser: Browser, site: Site, base: str, **options: Any) -> Iterator[Page]:
    """Yield a window that has opened the address with the token. Whatever the browser complains of fails the test."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(f"{base}/?{TOKEN}={site.access.token}")
    yield page
    assert complaints == []
    context.close()


def _hostile(attack: str) -> Item:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(25):
        inner[attack] = inner = {}
    return item(
        "knowledge-rag",
        incident_id=attack,
        execution_id=attack,
        recommendation={attack: attack, "deep": deep, "list": list(range(1_000)), "long": "y" * 100_000},
        reasoning=attack + " " + "x" * 100_000 + " z" * 20_000,
        citations=[{"title": attack, "url": "javascript:document.title='owned'"}, {attack: attack}],
        metadata={"status": attack, "error": attack, "model": attack, "agentVersion": attack},
        confidence=attack,
    )


def test_nothing_that_an_agent_wrote_runs_or_changes_the_page(browser: Browser) -> None:
    """HTML, scripts, reordering characters, long words and deep nesting; the browser has nothing to block either."""
    table = list(map(_hostile, ATTACKS))
    site = ui_site(IndexedDynamoDb(table), may_review=True)
    with running_ui(site) as base, _window(browser, site, base) as page:
        for attack, stored in zip(ATTACKS, table, strict=True):
            identity = recommendation_id(stored)
            for path in (
                incident_path(attack),
                execution_path(attack),
                recommendation_path(identity),
                query_path("/search", text="z", incident=attack),
            ):
                _open_unharmed(page, base + path)
        for path in ("/", "/stats", "/follow", query_path("/diff", before=ATTACKS[0], after=ATTACKS[1])):
            _open_unharmed(page, base + path)


def _open_unharmed(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    expect(page).not_to_have_title("owned")
    assert page.locator("iframe, main script, main img, [onload], [onerror]").count() == 0
    assert page.locator('a[href^="javascript"]').count() == 0
    assert "\u202e" not in page.content()


def _incidents() -> list[Item]:
    other = item("consensus", incident_id="incident-8", execution_id="execution-8", age=timedelta(hours=2))
    return [*replayed(), other]


PAGES = (
    "/",
    "/incident/incident-7",
    "/execution/execution-1",
    "/recommendation/rec-incident-7-consensus-2026-01-31T12:00:00Z",
    "/diff?before=execution-2",
    "/search?text=deploy",
    "/stats",
    "/follow",
)


def test_everything_but_following_works_without_javascript(browser: Browser) -> None:
    """From the list to a recommendation, to a comparison, to a search, by links and forms alone."""
    site = ui_site(IndexedDynamoDb(_incidents()))
    with running_ui(site) as base, _window(browser, site, base, java_script_enabled=False) as page:
        page.get_by_role("link", name="incident-7").click()
        page.get_by_role("link", name="what it changed").click()
        expect(page.get_by_text("confidence fell from 0.87 to 0.5")).to_be_visible()
        page.get_by_label("Go to").fill("execution-1")
        page.get_by_role("button", name="Go", exact=True).click()
        page.get_by_role("article").first.get_by_role("link", name="knowledge-rag").click()
        expect(page.get_by_text("✓ verified")).to_be_visible()
        page.get_by_role("link", name="Search", exact=True).click()
        page.get_by_label("Text").fill("index is")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("mark")).to_have_text(["index is"])
        page.get_by_role("link", name="Follow", exact=True).click()
        expect(page.get_by_text("Following needs JavaScript")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_can_be_read(browser: Browser, scheme: str) -> None:
    """Nothing sticks out sideways, texts have a contrast of 4.5 to 1 (WCAG 1.4.3), and fields have names."""
    site = ui_site(ReviewersAccount(_incidents()), may_review=True)
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    with running_ui(site) as base, _window(browser, site, base, **phone) as page:
        for path in PAGES:
            page.goto(base + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.evaluate(_FAINT_TEXTS) == [], path
            assert page.evaluate(_NAMELESS_FIELDS) == [], path
            assert page.evaluate(_UNLABELLED_FAILURES) == [], path
            for landmark in ("banner", "main", "contentinfo"):
                expect(page.get_by_role(landmark)).to_have_count(1)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)


_FAINT_TEXTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = numbers(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility() || element.closest("svg, .skip")) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${element.tagName} ${element.textContent.trim().slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
# Where a table's head is hidden, the colour alone would say what these cells are (WCAG 1.4.1).
_UNLABELLED_FAILURES = """() => [".incidents td:nth-child(6):not(:empty)", ".executions-list td:nth-child(4)"]
  .flatMap((cells) => [...document.querySelectorAll(cells)])
  .filter((cell) => getComputedStyle(cell, "::before").content !== '"not successful: "')
  .map((cell) => cell.outerHTML)"""
_NAMELESS_FIELDS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
  .filter((field) => !field.labels?.length && !field.ariaLabel).map((field) => field.outerHTML)"""


def test_a_page_shows_how_far_it_is_while_it_is_read(browser: Browser) -> None:
    """One line at a time, and the newest incidents so far, until all of it is there."""
    table = HeldAtTheEnd(_incidents())
    table.go_on.set()
    site = table.site()
    with running_ui(site) as base, _window(browser, site, base) as page:
        table.go_on.clear()
        try:
            page.goto(f"{base}/", wait_until="commit")
            expect(page.locator(".progress > div").last).to_be_visible()
            expect(page.locator(".progress a:visible")).to_have_count(2)
            expect(page.locator(".progress > :visible")).to_have_count(1)
        finally:
            table.go_on.set()
        expect(page.locator("main > table.incidents a")).to_have_count(2)
        expect(page.locator(".progress")).to_be_hidden()
        page.keyboard.press("j")
        expect(page.locator(".chosen")).to_be_visible()


def test_a_printed_incident_has_neither_controls_nor_an_empty_section(browser: Browser) -> None:
    """Paper has no use for forms; a section that only has one is left out."""
    site = ui_site(ReviewersAccount(_incidents()), may_review=True)
    with running_ui(site) as base, _window(browser, site, base) as page:
        page.goto(f"{base}/incident/incident-7")
        expect(page.get_by_role("heading", name="What was found out afterwards")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator("input, button, select, textarea").filter(visible=True)).to_have_count(0)
        expect(page.get_by_role("heading", name="What was found out afterwards")).to_be_hidden()
        expect(page.get_by_role("heading", name="What each agent said")).to_be_visible()


def test_following_a_long_incident_says_what_is_not_listed(browser: Browser) -> None:
    """A feed keeps its last thousand recommendations."""
    site = ui_site(IndexedDynamoDb([item(age=timedelta(seconds=number)) for number in range(1_010)]))
    with running_ui(site) as base, _window(browser, site, base) as page:
        page.goto(f"{base}/follow/incident-7")
        gap = page.get_by_text("10 recommendations before the next one are not listed here")
        expect(gap).to_have_count(1, timeout=PATIENCE)
        expect(page.locator("#feed > [data-entry]")).to_have_count(1_000, timeout=PATIENCE)


def test_shortcuts_move_open_and_explain(browser: Browser) -> None:
    """They do nothing while one types."""
    site = ui_site(IndexedDynamoDb(_incidents()))
    with running_ui(site) as base, _window(browser, site, base) as page:
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        for key in ("j", "j", "k", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url("**/incident/incident-7")
        page.keyboard.press("f")
        page.wait_for_url("**/follow/incident-7")
        page.keyboard.press("u")
        page.wait_for_url("**/incident/incident-7")
        page.keyboard.press("/")
        page.keyboard.type("g s?")
        expect(page.get_by_label("Go to")).to_have_value("g s?")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_url("**/search")


def test_a_copied_link_has_neither_token_nor_port(browser: Browser) -> None:
    """It works on another person's page, and on one's own."""
    site = ui_site(IndexedDynamoDb(_incidents()))
    granted = {"permissions": ["clipboard-read", "clipboard-write"]}
    with running_ui(site) as base, _window(browser, site, base, **granted) as page:
        page.goto(f"{base}/incident/incident-7")
        page.get_by_role("button", name="Copy link").click()
        expect(page.get_by_text("Copied /incident/incident-7")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "/incident/incident-7"
        page.goto(base)
        page.get_by_label("Go to").fill(copied)
        page.keyboard.press("Enter")
        page.wait_for_url("**/incident/incident-7")


class _CutOnce:
    """Breaks off the first stream of events after its second recommendation, and notes what each one begins after."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/events":
            await self._app(scope, receive, send)
            return
        self.seen.append(dict(scope["headers"]).get(b"last-event-id", b"").decode())
        sent = 0

        async def cut(message: Message) -> None:
            nonlocal sent
            await send(message)
            sent += b"event: recommendation" in message.get("body", b"")
            if len(self.seen) == 1 and sent == 2:
                raise ConnectionError

        try:
            await self._app(scope, receive, cut)
        except ConnectionError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def test_following_goes_on_after_a_lost_connection_without_repeats(browser: Browser) -> None:
    """The browser says which event it saw last, and gets what came after it."""
    table = [item("knowledge-rag", age=timedelta(seconds=number)) for number in range(4)]
    site = ui_site(IndexedDynamoDb(table))
    cutting: list[_CutOnce] = []

    def wrap(app: ASGIApp) -> ASGIApp:
        cutting.append(_CutOnce(app))
        return cutting[0]

    with running_ui(site, wrap) as base, _window(browser, site, base) as page:
        page.goto(f"{base}/follow/incident-7")
        entries = page.locator("#feed > li")
        expect(entries).to_have_count(4, timeout=PATIENCE)
        table.append(item("consensus", age=timedelta(seconds=-1), reasoning="<b>Roll</b> back."))
        expect(entries).to_have_count(5, timeout=PATIENCE)
        expect(entries.first).to_contain_text("<b>Roll</b> back.")
        assert cutting[0].seen[0] == ""
        assert cutting[0].seen[1].endswith("-2")


def test_an_attackers_page_gets_nothing(browser: Browser) -> None:
    """Neither by a name that leads to this machine, nor from a server on another port, although the cookie is sent."""
    site = ui_site(IndexedDynamoDb(_incidents()), may_review=True)
    other = _OtherServer()
    with running_ui(site) as base, serving(other):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}/?{TOKEN}={site.access.token}")
        answer = page.goto(base.replace("127.0.0.1", "evil.example"))
        assert answer is not None
        assert answer.status == 421
        page.goto(other.url)
        got = page.evaluate(_ATTEMPTS, base)
        assert got == {"cors": "refused", "opaque": "refused", "script": "refused", "form": "sent"}
        frame = page.frame_locator("iframe")
        expect(frame.get_by_text("incident-7")).to_have_count(0)
        context.close()


class _OtherServer(HttpServer):
    """Another program's server on this machine, whose page is of the same site but not of the same origin."""

    def __init__(self) -> None:
        super().__init__(_OtherPage)


class _OtherPage(HttpConnection):
    def do_GET(self) -> None:
        self.respond(200, b"<!doctype html><title>other</title>", (("content-type", "text/html"),))


_ATTEMPTS = """async (base) => {
  const said = async (attempt) => { try { await attempt(); return "read"; } catch { return "refused"; } };
  const cors = await said(() => fetch(`${base}/`, { credentials: "include" }));
  const opaque = await said(() => fetch(`${base}/`, { mode: "no-cors", credentials: "include" }));
  const script = await said(() => new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.onload = resolve;
    element.onerror = reject;
    element.src = `${base}/static/ui.js`;
    document.head.append(element);
  }));
  const frame = document.createElement("iframe");
  frame.name = "attacked";
  document.documentElement.append(document.createElement("body"));
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: `${base}/review`, target: "attacked" });
  document.body.append(form);
  form.submit();
  return { cors, opaque, script, form: "sent" };
}"""


def test_a_review_is_written_with_the_pages_own_form(browser: Browser) -> None:
    """The browser's Origin header is the page's own, whatever the referrer policy is."""
    account = ReviewersAccount(_incidents())
    site = ui_site(account, may_review=True, create_client=account.runtime().create_client)
    with running_ui(site) as base, _window(browser, site, base) as page:
        page.goto(base + PAGES[3])
        page.get_by_text("Review it").click()
        page.get_by_label("harmful").check()
        page.get_by_label("Note").fill("<script>document.title='owned'</script>")
        page.get_by_role("button", name="Store the review").click()
        expect(page.locator(".reviews")).to_contain_text("<script>document.title='owned'</script>")
        expect(page).not_to_have_title("owned")
        assert [json.dumps(stored["verdict"]["S"]) for stored in account.reviews.items.values()] == ['"harmful"']
