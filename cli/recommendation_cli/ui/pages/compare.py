"""What changed between two executions."""

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.diff.comparison import compare
from recommendation_cli.diff.query import read_sides
from recommendation_cli.document_source import DocumentSource
from recommendation_cli.report.markup import Html
from recommendation_cli.report.replays import comparison_html
from recommendation_cli.report.values import Folding
from recommendation_cli.screen.progress import Report
from recommendation_cli.timeline.executions import extent_text, group_by_execution
from recommendation_cli.ui.form import list_options_of
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond, respond_at_once
from recommendation_cli.ui.site import address_behind, checked_identity, site_behind
from recommendation_shared import limits


async def diff_page(request: Request) -> Response:
    """Compare two executions, or a replay with its original; ask for them if none is named."""
    site = site_behind(request)
    query = request.query_params
    before, after = query.get("before", "").strip(), query.get("after", "").strip()
    everything = bool(query.get("all"))
    form = render("diff_form.html", before=before, after=after, everything=everything)
    page = Page("Compare two executions", "diff", address_behind(request))
    if not before:
        return respond_at_once(site, page, form)

    def make(_report: Report) -> Html:
        for execution_id in filter(None, (before, after)):
            checked_identity(execution_id, limits.ID_BYTES)
        source = DocumentSource(site.runtime, site.table)
        sides = read_sides(source, before, after or None, list_options_of(site.runtime, query))
        agents = compare(*(side.documents for side in sides), everything=everything)
        extents = [extent_text(group_by_execution(side.documents)[0]) for side in sides]
        changes = comparison_html(agents, Folding(), ("the first", "the second"))
        equal = [agent.agent for agent in agents if agent.equal]
        return render("diff.html", sides=list(zip(sides, extents, strict=True)), changes=changes, equal=equal)

    return await respond(site, page, form, make)
