"""Responding with a page: its content is made in a thread, and what takes longer is shown as it progresses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple

import click
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from recommendation_cli.aws.errors import AwsError, NothingFoundError, NothingToCompareError, explained
from recommendation_cli.report.markup import Html
from recommendation_cli.screen.progress import Report
from recommendation_cli.ui.in_thread import in_thread
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.site import Site

Make = Callable[[Report], Html]
"""Makes a page's content, and reports how far it is; called in a thread."""

_EACH: Final = 0.2  # seconds between two lines of progress
_OK: Final = 200
# By the kind of problem: the status, and the heading of the page that explains it.
_PROBLEMS: Final = (
    (AwsError, 502, "AWS could not be read"),
    (NothingFoundError, 404, "Nothing found"),
    (NothingToCompareError, 404, "Nothing to compare"),
    (click.UsageError, 400, "That cannot be looked up"),
    (click.ClickException, 500, "That did not work"),
)


class Page(NamedTuple):
    """What is around the content: the title, the entry of the navigation, and the address to copy."""

    title: str
    section: str
    path: str


class _AbandonedError(Exception):
    """Nobody waits for the page any more."""


class _Progress:
    """What a page's thread reported last; `stop` ends that thread at its next report."""

    def __init__(self) -> None:
        self.text = "reading"
        self._stopped = False

    def report(self, text: str, _done: int, _total: int | None) -> None:
        if self._stopped:
            raise _AbandonedError
        self.text = text

    def stop(self) -> None:
        self._stopped = True


class _Made(NamedTuple):
    content: Html
    status: int


async def respond(site: Site, page: Page, form: Html, make: Make) -> Response:
    """Return the page, with a form above its content.

    It is whole with the right status if it is quick, otherwise a stream that begins with the progress.
    """
    progress = _Progress()
    making = asyncio.create_task(in_thread(lambda: _make(site, make, progress.report)))
    await asyncio.wait({making}, timeout=site.quick)
    top, bottom = _frame(site, page)
    top += form
    if making.done():
        made = making.result()
        return HTMLResponse(top + made.content + bottom, made.status)

    async def parts() -> AsyncIterator[str]:
        try:
            yield f'{top}<div class="progress" role="status">'
            shown = None
            while not making.done():
                if site.closing.is_set():
                    yield f"</div>{_ended()}{bottom}"
                    return
                if progress.text != shown:
                    shown = progress.text
                    yield render("progress.html", text=shown)
                await asyncio.wait({making}, timeout=_EACH)
            try:
                content = making.result().content
            except Exception:
                yield f"</div>{bug()}{bottom}"
                raise
            yield f"</div>{content}{bottom}"
        finally:  # also if the browser has gone
            progress.stop()
            making.cancel()

    return StreamingResponse(parts(), media_type="text/html; charset=utf-8")


def respond_at_once(site: Site, page: Page, content: Html, status: int = _OK) -> Response:
    """Return a page whose content is there already."""
    top, bottom = _frame(site, page)
    return HTMLResponse(top + content + bottom, status)


async def redirect(site: Site, page: Page, find: Callable[[], str]) -> Response:
    """Return a redirect to what `find`, called in a thread, returns; or a page that says why there is none."""

    def found() -> str:
        with explained(site.target):
            return find()

    try:
        return RedirectResponse(await in_thread(found), 303)
    except click.ClickException as error:
        return respond_at_once(site, page, *explain(error))


def explain(error: click.ClickException) -> tuple[Html, int]:
    """Return what a page shows of a problem, and its status."""
    status, heading = next((status, heading) for kind, status, heading in _PROBLEMS if isinstance(error, kind))
    return render("problem.html", heading=heading, lines=error.format_message().splitlines()), status


def bug() -> Html:
    """Return what a page shows where `recs` itself is at fault."""
    lines = ["This is a bug of recs: the terminal in which recs ui runs says more."]
    return render("problem.html", heading="That did not work", lines=lines)


def _ended() -> Html:
    """Return what is shown at the end of a page that was incomplete when the server ended."""
    return render("problem.html", heading="recs ui has ended", lines=["This page was not read to its end."])


def _make(site: Site, make: Make, report: Report) -> _Made:
    try:
        with explained(site.target):
            return _Made(make(report), _OK)
    except click.ClickException as error:
        if isinstance(error, AwsError):
            site.connection.forget()
        return _Made(*explain(error))


def _frame(site: Site, page: Page) -> tuple[str, str]:
    top = render("top.html", page=page, target=site.target)
    return top, render("bottom.html", page=page, target=site.target)
