"""A recommendation's own page: all of it."""

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.marks.text import document_hold, hold_text
from recommendation_cli.options.keys import RECOMMENDATION_ID_BYTES
from recommendation_cli.reading.document_view import expiry_text
from recommendation_cli.reading.query import read_recommendation
from recommendation_cli.report.agents import agent_html
from recommendation_cli.report.markup import Html
from recommendation_cli.report.values import Folding
from recommendation_cli.screen.progress import Report
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_cli.ui.links import recommendation_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond
from recommendation_cli.ui.reviewed import reviews_beside, reviews_html
from recommendation_cli.ui.site import address_behind, identity_behind, site_behind


async def recommendation_page(request: Request) -> Response:
    """Show a recommendation in full."""
    site = site_behind(request)
    identity = identity_behind(request, RECOMMENDATION_ID_BYTES)

    def make(_report: Report) -> Html:
        verified = read_recommendation(site.client(), site.target, identity, now=site.expired_by())
        document = verified.document
        moment = group_by_execution([document])[0].moments[0]
        hold, reviews = document_hold(document), reviews_beside(site)
        history = reviews.of_documents([document]).history(str(document.get("incidentId")), identity)
        return render(
            "recommendation.html",
            verified=verified,
            document=document,
            summary=moment.summary,
            expires=expiry_text(document),
            held="" if hold is None else hold_text(hold),
            reviews=reviews_html(site, reviews, history, recommendation=identity),
            article=agent_html(moment, None, recommendation_path(identity), Folding(is_full=True), None),
        )

    page = Page(identity, "incidents", address_behind(request))
    return await respond(site, page, Html(), make)
