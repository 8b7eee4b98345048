"""Finding: recommendations that mention a text, and whatever an ID belongs to."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.options.listing import since_by_default
from recommendation_cli.report.markup import Html
from recommendation_cli.screen.progress import Report
from recommendation_cli.search.at_once import at_once
from recommendation_cli.search.suggestions import exists, is_recommendation_id
from recommendation_cli.summary import summarise
from recommendation_cli.text_search.query import TextQuery, TextSearch
from recommendation_cli.ui.form import fields_of, list_options_of
from recommendation_cli.ui.links import execution_path, incident_path, own_address, query_path, recommendation_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, redirect, respond, respond_at_once
from recommendation_cli.ui.site import address_behind, checked_identity, site_behind
from recommendation_shared import limits

_SHOWN: Final = 100  # recommendations, unless the address has a limit
_PERIOD: Final = "7d"
_KINDS: Final = (("incidentId", incident_path), ("executionId", execution_path))


async def search_page(request: Request) -> Response:
    """Show what mentions a text; ask for it if there is none."""
    site = site_behind(request)
    query = request.query_params
    text, incident_id = query.get("text", "").strip(), query.get("incident", "").strip() or None
    fields = {**fields_of(query), "incident": incident_id or ""}
    form = render("filters.html", fields=fields, action="/search", period=_PERIOD, text=text)
    page = Page("Search", "search", address_behind(request))
    if not text:
        return respond_at_once(site, page, form)

    def make(report: Report) -> Html:
        listed = list_options_of(site.runtime, query)
        if incident_id is not None:
            checked_identity(incident_id, limits.ID_BYTES)
        else:
            listed = since_by_default(site.runtime, listed, _PERIOD)
        most = listed.limit or _SHOWN
        wanted = TextQuery(text, incident_id, listed._replace(limit=most), whole=False, now=site.expired_by())
        search = TextSearch(site.client(), site.target.table, wanted)
        hits = [
            (str(document.get("recommendationId")), summarise(document), here)
            for document, here in search.hits(report, at_once)
        ]
        if not hits:
            raise NothingFoundError(search.nothing())
        hits.sort(key=lambda hit: hit[1].timestamp, reverse=True)
        return render("search.html", hits=hits, search=search, scope=listed.scope(site.runtime))

    return await respond(site, page, form, make)


async def go(request: Request) -> Response:
    """Redirect to whatever was pasted: a link from anyone's page, an ID of any kind, or else a text to search for."""
    site = site_behind(request)
    text = request.query_params.get("q", "").strip()
    address = own_address(text)
    if not address.startswith("/go?"):
        return RedirectResponse(address, 303)
    if is_recommendation_id(text):
        return RedirectResponse(recommendation_path(text), 303)

    def find() -> str:
        client = site.client()
        for key, path in _KINDS:
            if len(text.encode(errors="replace")) <= limits.ID_BYTES and exists(client, site.target.table, key, text):
                return path(text)
        return query_path("/search", text=text)

    return await redirect(site, Page(text, "", "/"), find)
