"""The addresses of the page."""

from pathlib import Path
from typing import Final

import click
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from recommendation_cli.report.page import STYLE
from recommendation_cli.ui.access import Guard
from recommendation_cli.ui.feed import lines
from recommendation_cli.ui.pages.compare import diff_page
from recommendation_cli.ui.pages.find import go, search_page
from recommendation_cli.ui.pages.follow import follow_page
from recommendation_cli.ui.pages.incident import execution_page, incident_page
from recommendation_cli.ui.pages.incidents import incidents_page
from recommendation_cli.ui.pages.recommendation import recommendation_page
from recommendation_cli.ui.pages.reviewing import review
from recommendation_cli.ui.pages.statistics import statistics_page
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, bug, explain, respond_at_once
from recommendation_cli.ui.site import Site, address_behind, checked_identity, site_behind
from recommendation_shared import limits

_STATIC: Final = Path(__file__).with_name("static")


def application(site: Site) -> ASGIApp:
    """Return the ASGI application; it needs no lifespan events."""
    app = Starlette(
        routes=[
            Route("/static/report.css", _report_style),
            Mount("/static", StaticFiles(directory=_STATIC)),
            Route("/", incidents_page),
            Route("/incident/{id:path}", incident_page),
            Route("/execution/{id:path}", execution_page),
            Route("/recommendation/{id:path}", recommendation_page),
            Route("/diff", diff_page),
            Route("/search", search_page),
            Route("/stats", statistics_page),
            Route("/follow", follow_page),
            Route("/follow/{id:path}", follow_page),
            Route("/events", _events),
            Route("/go", go),
            Route("/review", review, methods=["POST"]),
        ],
        exception_handlers={404: _no_such_page, click.UsageError: _usage_error, 500: _bug},
    )
    app.state.site = site
    return Guard(app, site.access)  # around everything, so that no response is without its headers


async def _report_style(_request: Request) -> Response:
    return FileResponse(STYLE, media_type="text/css")


async def _events(request: Request) -> Response:
    site = site_behind(request)
    incident_id = request.query_params.get("incident")
    feed = site.feeds.feed(None if incident_id is None else checked_identity(incident_id, limits.ID_BYTES))
    # The header is of a browser that reconnects; the address is of a page that looks again.
    last = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return StreamingResponse(lines(feed, last, site.closing), media_type="text/event-stream")


async def _no_such_page(request: Request, _error: Exception) -> Response:
    content = render("problem.html", heading="There is no such page", lines=[f"Nothing is at {request.scope['path']}."])
    return respond_at_once(site_behind(request), Page("No such page", "", address_behind(request)), content, 404)


async def _usage_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, click.UsageError):  # which Starlette never passes
        raise error
    page = Page("That cannot be looked up", "", address_behind(request))
    return respond_at_once(site_behind(request), page, *explain(error))


async def _bug(request: Request, _error: Exception) -> Response:
    return respond_at_once(site_behind(request), Page("A bug", "", address_behind(request)), bug(), 500)
