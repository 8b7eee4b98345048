"""An incident, or one of its executions: what each agent said, execution beside execution."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.document_source import DocumentSource
from recommendation_cli.marks.text import notice
from recommendation_cli.report.agents import agent_html
from recommendation_cli.report.charts import bar, confidence_chart, trend_chart
from recommendation_cli.report.markup import Html
from recommendation_cli.report.overview import overview_html
from recommendation_cli.report.values import Folding
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.screen.progress import Report
from recommendation_cli.search.projection import LISTED
from recommendation_cli.timeline.executions import (
    Execution,
    Moment,
    duration_text,
    extent_text,
    group_by_execution,
    pause_between,
)
from recommendation_cli.ui.form import fields_of, list_options_of
from recommendation_cli.ui.links import incident_path, recommendation_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, respond
from recommendation_cli.ui.reviewed import reviews_html
from recommendation_cli.ui.site import address_behind, identity_behind, site_behind
from recommendation_shared import limits
from recommendation_shared.envelope.vocabulary import CONSENSUS

_BESIDE: Final = 2  # executions, the newest ones, unless the address names others
_MOST_BESIDE: Final = 4
_MOST_ROWS: Final = 200  # executions in the table
_MOST_OUTPUTS: Final = 60  # shown of one execution; more is a mistake of the executor
_LONGEST: Final = 4_000  # characters of one text
_ELSEWHERE: Final = "on the recommendation's own page"


class ExecutionRow(NamedTuple):
    """An execution in the table, and the pause since the one before it."""

    execution: Execution
    pause: str
    is_shown: bool

    @property
    def execution_id(self) -> str:
        """The ID as it is stored; the summary's is for printing."""
        return str(self.execution.moments[0].document.get("executionId"))

    @property
    def extent(self) -> str:
        """When it started, and how long it took."""
        return extent_text(self.execution)

    @property
    def failed(self) -> int:
        """How many of its agents did not succeed."""
        return sum(moment.failed for moment in self.execution.moments)

    @property
    def consensus(self) -> Moment | None:
        """What it concluded."""
        return self.execution.last(CONSENSUS)


class Output(NamedTuple):
    """What one agent said once: a strip that shows when, all it said, and what people say that it was worth."""

    strip: Html
    article: Html
    verdict: str | None


async def incident_page(request: Request) -> Response:
    """Show an incident."""
    site = site_behind(request)
    identity = identity_behind(request, limits.ID_BYTES)
    query = request.query_params

    def make(report: Report) -> Html:
        source = DocumentSource(site.runtime, site.table)
        listed = list_options_of(site.runtime, query)
        documents = source.fetch("incidentId", identity, listed, attributes=LISTED, report=report)
        executions = group_by_execution(documents)
        names = [str(execution.moments[0].document.get("executionId")) for execution in executions]
        chosen = [name for name in names if name in query.getlist("execution")] or names[-_BESIDE:]
        chosen = chosen[:_MOST_BESIDE]
        whole = [_whole(source, name, identity, report) for name in chosen]
        reviewed = source.reviews.of_incident(identity)
        rows = [
            ExecutionRow(execution, _pause(executions, position), name in chosen)
            for position, (execution, name) in enumerate(zip(executions, names, strict=True))
        ]
        return render(
            "incident.html",
            incident_id=identity,
            rows=rows[::-1][:_MOST_ROWS],
            more=max(0, len(rows) - _MOST_ROWS),
            recommendations=len(documents),
            trend=trend_chart(executions[-_MOST_ROWS:]) if len(executions) > 1 else "",
            scope=listed.scope(site.runtime),
            notice=notice(source.mark(identity)),
            reviews=reviews_html(site, source.reviews, reviewed.history(identity), incident=identity),
            **_beside(whole, chosen, reviewed),
        )

    fields = fields_of(query)
    return await respond(
        site,
        Page(identity, "incidents", address_behind(request)),
        render("filters.html", fields=fields, action=incident_path(identity), period="", text=None),
        make,
    )


async def execution_page(request: Request) -> Response:
    """Show one execution."""
    site = site_behind(request)
    identity = identity_behind(request, limits.ID_BYTES)

    def make(report: Report) -> Html:
        source = DocumentSource(site.runtime, site.table)
        whole = _whole(source, identity, None, report)
        incident_id = str(whole.moments[0].document.get("incidentId"))
        reviewed = source.reviews.of_incident(incident_id)
        beside = _beside([whole], [identity], reviewed)
        return render("execution.html", incident_id=incident_id, execution=whole, **beside)

    return await respond(site, Page(identity, "incidents", address_behind(request)), Html(), make)


def _whole(source: DocumentSource, execution_id: str, incident_id: str | None, report: Report) -> Execution:
    documents = source.fetch("executionId", execution_id, report=report)
    if incident_id is not None:
        documents = [document for document in documents if document.get("incidentId") == incident_id] or documents
    return group_by_execution(documents)[0]


def _pause(executions: Sequence[Execution], position: int) -> str:
    pause = pause_between(executions[position - 1], executions[position]) if position else None
    return "" if pause is None else duration_text(pause)


def _beside(executions: Sequence[Execution], names: Sequence[str], reviewed: Reviewed) -> dict[str, object]:
    """Return what the templates need to show executions beside each other: a row for each agent."""
    folding = Folding(longest=_LONGEST, elsewhere=_ELSEWHERE)
    outputs = [
        [(moment.summary.agent_type, _output(moment, execution, folding, reviewed)) for moment in execution.moments]
        for execution in executions
    ]
    agents = dict.fromkeys(agent for said in outputs for agent, _ in said)
    ordered = sorted(agents, key=lambda agent: agent == CONSENSUS)
    rows = [
        (agent, [[output for name, output in said[:_MOST_OUTPUTS] if name == agent] for said in outputs])
        for agent in ordered
    ]
    return {
        "columns": list(zip(names, executions, map(extent_text, executions), strict=True)),
        "agents": rows,
        "left_out": sum(max(0, len(said) - _MOST_OUTPUTS) for said in outputs),
        "overview": overview_html(executions, folding),
        "chart": confidence_chart(executions) if len(executions) == 1 else "",
    }


def _output(moment: Moment, execution: Execution, folding: Folding, reviewed: Reviewed) -> Output:
    href = recommendation_path(str(moment.document.get("recommendationId")))
    review = reviewed.of(*(str(moment.document.get(name)) for name in ("incidentId", "recommendationId")))
    verdict = None if review is None else review.verdict
    return Output(bar(moment, execution.span), agent_html(moment, None, href, folding, None), verdict)
