"""The report's table of agents: what each did over all executions, as `recs stats` adds it up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from recommendation_cli.report.charts import strip
from recommendation_cli.report.markup import Child, Html, column_table, element
from recommendation_cli.report.totals import money
from recommendation_cli.reviews.review import Subject, Verdict
from recommendation_cli.search.filters import Filter
from recommendation_cli.stats.collect import Span, Tallies
from recommendation_cli.stats.tally import Tally, percentile, quartiles
from recommendation_cli.timeline.executions import Execution, duration_text
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.vocabulary import CONSENSUS

# Each title, and whether its column is shown on phones too.
_COLUMNS: Final = (
    ("agent", True),
    ("not successful", True),
    ("confidence", True),
    ("agrees", False),
    ("took: median, p95", True),
    ("tokens", False),
    ("cost", False),
)


def agent_totals(executions: Sequence[Execution], tallies: Tallies) -> Html | None:
    """Return a row for each agent; None unless there are several executions with times: one has its own tables."""
    if len(executions) < 2 or all(execution.span is None for execution in executions):  # noqa: PLR2004 - "several"
        return None
    return totals_table(tallies.agents.items())


def totals_table(tallies: Iterable[tuple[str, Tally]]) -> Html:
    """Return a row for each name and tally, that of the consensus last."""
    rows = sorted(tallies, key=lambda entry: (entry[0] == CONSENSUS, entry[0]))
    longest = max((max(tally.durations, default=0.0) for _, tally in rows), default=0.0)
    return column_table(_COLUMNS, (_cells(name, tally, longest) for name, tally in rows), "totals")


def tallies_of(executions: Sequence[Execution], verdicts: Mapping[Subject, Verdict]) -> Tallies:
    """Add up the executions, and people's verdicts on their recommendations."""
    spans = [execution.span for execution in executions if execution.span is not None] or [(EPOCH, EPOCH)]
    since, until = min(start for start, _ in spans), max(end for _, end in spans)
    span, tallies = Span(since, until + timedelta(microseconds=1)), Tallies(verdicts)
    for execution in executions:
        documents = [moment.document for moment in execution.moments]
        said = [document for document in documents if document.get("agentType") == CONSENSUS]
        tallies.add(tallies.note_consensus(said), span, Filter())
        tallies.add((document for document in documents if document.get("agentType") != CONSENSUS), span, Filter())
    return tallies


def _cells(agent: str, tally: Tally, longest: float) -> Iterator[Child]:
    spread = quartiles(tally.confidences)
    yield agent
    yield element("span", f"{tally.failed:,} of {tally.count:,}", class_="bad" if tally.failed else "dim")
    yield (
        element("span", "none", class_="dim")
        if spread is None
        else [
            f"{spread.median:.2f}",
            element("span", f" ({spread.first:.2f}-{spread.third:.2f})", class_="dim extra"),
        ]
    )
    yield "" if tally.agreement is None else f"{tally.agreement:.0%}"
    yield _took(tally, longest)
    yield f"{tally.tokens:,}" if tally.tokens else ""
    yield money(Decimal(str(tally.usd))) if tally.usd else ""


def _took(tally: Tally, longest: float) -> Child:
    """Return durations in words, above a bar to the median and a mark at the 95th percentile."""
    middle, slow = percentile(tally.durations, 50), percentile(tally.durations, 95)
    if middle is None or slow is None or not longest:
        return ""
    words = f"{duration_text(timedelta(milliseconds=middle))}, {duration_text(timedelta(milliseconds=slow))}"
    drawn = strip(
        element("rect", x=0, y=0, width=round(middle / longest * 99, 2), height=10, class_="worked"),
        element("rect", x=round(slow / longest * 99, 2), y=0, width=1, height=10, class_="point"),
    )
    return [words, drawn]
