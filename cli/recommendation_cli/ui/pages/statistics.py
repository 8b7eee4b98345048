"""How the agents did over a period."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.options.listing import since_by_default
from recommendation_cli.report.agent_totals import totals_table
from recommendation_cli.report.calibration import judged_html
from recommendation_cli.report.markup import Html
from recommendation_cli.screen.progress import Report
from recommendation_cli.stats.query import nothing_to_add_up, read_statistics, span_of
from recommendation_cli.stats.view import trend_text
from recommendation_cli.ui.charts import course_chart
from recommendation_cli.ui.form import fields_of, list_options_of
from recommendation_cli.ui.links import recommendation_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond
from recommendation_cli.ui.reviewed import reviews_beside
from recommendation_cli.ui.site import address_behind, site_behind

_PERIOD: Final = "30d"


async def statistics_page(request: Request) -> Response:
    """Show the agents' totals, their confidence over the period, and how people judged them."""
    site = site_behind(request)
    query = request.query_params
    form = render("filters.html", fields=fields_of(query), action="/stats", period=_PERIOD, text=None)

    def make(report: Report) -> Html:
        listed = since_by_default(site.runtime, list_options_of(site.runtime, query), _PERIOD)
        span = span_of(listed, site.runtime.now())
        reviews = reviews_beside(site)
        now, before, cost = read_statistics(
            *(site.client(), site.target.table, span, listed, report), now=site.expired_by(), reviews=reviews
        )
        if not now.everything.count:
            raise NothingFoundError(nothing_to_add_up(site.target))
        agents = [
            (
                agent,
                course_chart(tally.medians(), f"Median confidence of {agent} over the period, from 0 to 1"),
                trend_text(tally, before.agents.get(agent)),
            )
            for agent, tally in [("all", now.everything), *sorted(now.agents.items())]
        ]
        groups = [(" · ".join(filter(None, group)), tally) for group, tally in sorted(now.groups.items())]
        return render(
            "stats.html",
            totals=totals_table([*sorted(now.agents.items()), ("all", now.everything)]),
            agents=agents,
            groups=totals_table(groups),
            judged=judged_html(now, recommendation_path),
            note=reviews.note,
            count=now.everything.count,
            scope=listed.scope(site.runtime),
            cost=cost,
        )

    return await respond(site, Page("Statistics", "stats", address_behind(request)), form, make)
