"""New recommendations as they are stored, of one incident or of all."""

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.ui.links import query_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond_at_once
from recommendation_cli.ui.site import address_behind, identity_behind, site_behind
from recommendation_shared import limits


async def follow_page(request: Request) -> Response:
    """Show the page that the browser's script fills."""
    site = site_behind(request)
    is_everything = request.url.path == "/follow"
    incident_id = "" if is_everything else identity_behind(request, limits.ID_BYTES)
    events = query_path("/events", incident=incident_id) if incident_id else "/events"
    title = f"Following {incident_id}" if incident_id else "Following all incidents"
    content = render("follow.html", incident_id=incident_id, events=events)
    return respond_at_once(site, Page(title, "follow", address_behind(request)), content)
