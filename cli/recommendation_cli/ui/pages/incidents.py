"""The first page: the incidents of a period."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.incidents.query import no_incident, read_incidents
from recommendation_cli.marks.text import hold_text
from recommendation_cli.options.listing import since_by_default
from recommendation_cli.report.markup import Html
from recommendation_cli.screen.progress import Report
from recommendation_cli.ui.form import fields_of, list_options_of
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond
from recommendation_cli.ui.site import address_behind, site_behind

_SHOWN: Final = 200  # incidents, unless the address has a limit
_PERIOD: Final = "7d"


async def incidents_page(request: Request) -> Response:
    """Show the incidents that match, newest first."""
    site = site_behind(request)
    query = request.query_params
    form = render("filters.html", fields=fields_of(query), action="/", period=_PERIOD, text=None)

    def make(report: Report) -> Html:
        listed = since_by_default(site.runtime, list_options_of(site.runtime, query), _PERIOD)
        found = read_incidents(site.client(), site.target.table, listed, report, now=site.expired_by())
        if not found.incidents:
            raise NothingFoundError(no_incident(found, site.target))
        now = site.runtime.now()
        shown = found.incidents[: listed.limit or _SHOWN]
        rows = [
            (incident, incident.state(now), "" if incident.hold is None else hold_text(incident.hold))
            for incident in shown
        ]
        scope = listed.scope(site.runtime)
        return render("incidents.html", rows=rows, found=found, scope=scope)

    return await respond(site, Page("Incidents", "incidents", address_behind(request)), form, make)
