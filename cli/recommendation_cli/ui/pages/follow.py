"""New recommendations as they are stored, of one incident or of all."""

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.ui.links import query_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond_at_once
from recommendation_cli.ui.site import address_behind, site_behind


async def follow_page(request: Request) -> Response:
    """Show the page that the browser's script fills."""
    site = site_behind(request)
    incident_id = request.path_params.get("id") or request.query_params.get("id", "")
    events = query_path("/events", incident=incident_id) if incident_id else "/events"
    title = f"Following {incident_id}" if incident_id else "Following all incidents"
    content = render("follow.html", incident_id=incident_id, events=events)
    return respond_at_once(site, Page(title, "follow", address_behind(request)), content)
