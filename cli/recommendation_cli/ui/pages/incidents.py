"""The first page: the incidents of a period."""

from collections.abc import Collection
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.incidents.incident import Incident, newest_first
from recommendation_cli.incidents.query import Seen, no_incident, read_incidents
from recommendation_cli.marks.text import hold_text
from recommendation_cli.options.listing import since_by_default
from recommendation_cli.report.markup import Html
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report
from recommendation_cli.ui.form import fields_of, list_options_of
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond
from recommendation_cli.ui.site import address_behind, site_behind

_SHOWN: Final = 200  # incidents, unless the address has a limit
_PERIOD: Final = "7d"
_SO_FAR: Final = 20  # incidents, while the others are read
_EACH: Final = 0.1  # seconds between two of such lists


async def incidents_page(request: Request) -> Response:
    """Show the incidents that match, newest first."""
    site = site_behind(request)
    query = request.query_params
    form = render("filters.html", fields=fields_of(query), action="/", period=_PERIOD, text=None)

    def make(report: Report) -> Html:
        listed = since_by_default(site.runtime, list_options_of(site.runtime, query), _PERIOD)
        seen = _showing(site.runtime, report)
        found = read_incidents(site.client(), site.target.table, listed, seen, now=site.expired_by())
        if not found.incidents:
            raise NothingFoundError(no_incident(found, site.target))
        now = site.runtime.now()
        rows = [
            (incident, incident.state(now), "" if incident.hold is None else hold_text(incident.hold))
            for incident in found.incidents[: listed.limit or _SHOWN]
        ]
        scope = listed.scope(site.runtime)
        return render("incidents.html", rows=rows, found=found, scope=scope)

    return await respond(site, Page("Incidents", "incidents", address_behind(request)), form, make)


def _showing(runtime: Runtime, report: Report) -> Seen:
    """Return a function that reports the newest incidents so far: the newest are read first."""
    due = runtime.monotonic() + _EACH

    def seen(incidents: Collection[Incident], read: int) -> None:
        nonlocal due
        if runtime.monotonic() < due:
            return
        # Without their state: a consensus that was not read yet is not a missing one.
        rows = [(incident, "", "") for incident in newest_first(incidents)[:_SO_FAR]]
        report(render("incidents_so_far.html", rows=rows, read=read), 0, None)
        due = runtime.monotonic() + _EACH

    return seen
