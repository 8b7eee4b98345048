"""The page for a post-incident review: one file that needs no network and runs no script."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Final

from recommendation_cli.calibration.track_record import verdicts_by_subject
from recommendation_cli.report.agent_totals import agent_totals, tallies_of
from recommendation_cli.report.agents import agreement_html
from recommendation_cli.report.calibration import judged_html
from recommendation_cli.report.charts import confidence_chart, trend_chart
from recommendation_cli.report.markup import Html, element, fragment
from recommendation_cli.report.overview import overview_html
from recommendation_cli.report.sections import ExecutionSections
from recommendation_cli.report.values import Folding
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.timeline.executions import Execution
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural

_TEMPLATE: Final = Path(__file__).with_name("page.html")
STYLE: Final = Path(__file__).with_name("page.css")  # which `recs ui` shares


def report_page(  # noqa: PLR0913 - what the page says about itself
    incident_id: str,
    executions: Sequence[Execution],
    source: str,
    now: float,
    scope: str = "",
    *,
    author: str = "",
    standing: str = "",
    full: bool = False,
    reviewed: Reviewed | None = None,
) -> str:
    """Return the page for at least one execution, the oldest first.

    `source` names the table, `now` is in epoch seconds, `scope` says in words how the page is narrowed, `author` who
    made it, `standing` whether the incident is held; `full` unfolds all that is folded, and `reviewed` has what people
    said.
    """
    by_execution = ExecutionSections(executions, Folding(full))
    conclusion_of_review = None if reviewed is None else reviewed.of(incident_id)
    parts = [
        ("summary", "In short", overview_html(executions, by_execution.folding, conclusion_of_review)),
        *_agreement(executions, by_execution.folding),
        ("executions", "Executions", by_execution.table()),
        ("confidence", "Confidence", confidence_chart(executions) if len(executions) == 1 else trend_chart(executions)),
    ]
    tallies = tallies_of(executions, {} if reviewed is None else verdicts_by_subject(reviewed.counting()))
    totals = agent_totals(executions, tallies)
    if totals is not None:
        parts.append(("totals", "What each agent did over all executions", totals))
    judged = judged_html(tallies, by_execution.link_to)
    if judged is not None:
        parts.append(("judged", "Was it right?", judged))
    replays = by_execution.replays()
    if replays:
        title = "What the replay changed" if len(replays) == 2 else "What the replays changed"  # noqa: PLR2004 - see `replays`
        parts.append(("replays", title, fragment(*replays)))
    sections = [element("section", element("h2", title), content, id=name) for name, title, content in parts]
    contents = [(name, title) for name, title, _ in parts] + [("agents", "What each agent said")]
    page = fragment(
        _header(incident_id, _origin(executions, source, now, author), scope, standing),
        _contents(contents, executions),
        *sections,
        element("section", element("h2", "What each agent said"), *by_execution.details(), id="agents"),
        element("footer", "Created by recs report. To see a recommendation in full: recs show ID."),
    )
    template = _TEMPLATE.read_text(encoding="utf-8")
    style = STYLE.read_text(encoding="utf-8")
    # The browser hashes all that is between the tags, the template's line break included.
    style_hash = "sha256-" + b64encode(sha256(f"\n{style}".encode()).digest()).decode()
    title = fragment(f"Agent recommendations: {incident_id}")
    return Template(template).substitute(title=title, style=style, style_hash=style_hash, content=page)


def _origin(executions: Sequence[Execution], source: str, now: float, author: str) -> str:
    """Return what the page holds, where it is from, and who made it when."""
    created = (EPOCH + timedelta(seconds=now)).strftime("%Y-%m-%d %H:%M UTC")
    moments = sum(len(execution.moments) for execution in executions)
    counts = f"{plural(moments, 'recommendation')} in {plural(len(executions), 'execution')}"
    maker = f", made by {author}" if author else ""
    return f"{counts}, from {source}, as of {created}{maker}"


def _header(incident_id: str, origin: str, scope: str, standing: str) -> Html:
    return element(
        "header",
        element("h1", f"Agent recommendations: {incident_id}"),
        element("p", origin, class_="dim"),
        element("p", f"Not the whole incident: {scope}.", class_="note") if scope else "",
        element("p", standing, class_="note") if standing else "",
        element("p", "This page shows what AI agents advised: hypotheses, not findings.", class_="note"),
    )


def _contents(parts: Sequence[tuple[str, str]], executions: Sequence[Execution]) -> Html:
    inner = element(
        "ol",
        *(
            element("li", element("a", f"#{number}", href=f"#execution-{number}"), class_="execution")
            for number in range(1, len(executions) + 1)
        ),
    )
    items = [
        element("li", element("a", title, href=f"#{name}"), inner if name == "agents" and len(executions) > 1 else "")
        for name, title in parts
    ]
    return element("nav", element("ol", *items), aria_label="Contents")


def _agreement(executions: Sequence[Execution], folding: Folding) -> list[tuple[str, str, Html]]:
    """Return the section about the newest consensus, if there is one."""
    for number, execution in reversed(list(enumerate(executions, 1))):
        said = execution.last(CONSENSUS)
        if said is not None:
            source = element("p", f"From execution #{number}.", class_="dim") if len(executions) > 1 else ""
            return [("agreement", "Agreement and conflicts", fragment(source, agreement_html(said, folding)))]
    return []
