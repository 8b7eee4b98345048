"""The report's sections about executions: their table, and for each of them its timeline and what its agents said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final
from urllib.parse import quote

from recommendation_cli.diff.comparison import AgentDiff, compare
from recommendation_cli.report.agents import agent_html, confidence_html, status_html
from recommendation_cli.report.charts import bar
from recommendation_cli.report.markup import Child, Html, column_table, element
from recommendation_cli.report.overview import agreement_level, recommended_text
from recommendation_cli.report.replays import comparison_html
from recommendation_cli.report.totals import Totals, money
from recommendation_cli.report.values import Folding
from recommendation_cli.timeline.executions import Execution, Moment, duration_text, extent_text, pause_between
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural

# Title, and whether a phone shows it.
_SUMMARY: Final = (
    ("", True),
    ("started (UTC)", True),
    ("took", False),
    ("failed", True),
    ("confidence", True),
    ("agreement", False),
    ("recommended", True),
    ("cost", False),
)


@dataclass(frozen=True)
class ExecutionSections:
    """The executions of a page, oldest first, with the anchor of each part."""

    executions: Sequence[Execution]
    folding: Folding

    @cached_property
    def _anchors(self) -> dict[tuple[int, int], str]:
        """Where each output is: at its recommendation's ID, for links by hand, or at a number without a usable ID."""
        anchors: dict[tuple[int, int], str] = {}
        taken: set[str] = set()
        for position, execution in enumerate(self.executions):
            for index, moment in enumerate(execution.moments):
                identity = moment.summary.recommendation_id
                is_usable = identity and not any(map(str.isspace, identity)) and identity not in taken
                taken.add(identity)
                anchors[position, index] = identity if is_usable else f"output-{position + 1}-{index + 1}"
        return anchors

    def link_to(self, recommendation_id: str) -> str:
        """Return the link to a recommendation on the page."""
        for position, execution in enumerate(self.executions):
            for index, moment in enumerate(execution.moments):
                if moment.document.get("recommendationId") == recommendation_id:
                    return self._href(position, index)
        raise KeyError(recommendation_id)

    def table(self) -> Html:
        """Return one row for each execution."""
        rows = (self._summary(position, execution) for position, execution in enumerate(self.executions))
        return column_table(_SUMMARY, rows, "executions")

    def _summary(self, position: int, execution: Execution) -> list[Child]:
        totals, said = Totals.of([execution]), execution.last(CONSENSUS)
        span = execution.span
        return [
            element("a", f"#{position + 1}", href=f"#execution-{position + 1}"),
            [
                "" if span is None else f"{span[0]:%Y-%m-%d %H:%M}",
                element("div", execution.execution_id, class_="dim name"),
            ],
            "" if span is None else duration_text(span[1] - span[0]),
            element("span", f"{totals.failed} of {totals.recommendations}", class_="bad" if totals.failed else "dim"),
            element("span", "none", class_="dim") if said is None else confidence_html(said),
            agreement_level(execution).lower(),
            recommended_text(execution),
            "" if totals.dollars is None else money(totals.dollars),
        ]

    def details(self) -> list[Html]:
        """Return each execution: its timeline, and what its agents said."""
        return [self._execution(position, execution) for position, execution in enumerate(self.executions)]

    def _execution(self, position: int, execution: Execution) -> Html:
        same = self._same_as_original(position, execution)
        rows = (
            _row(moment, execution.span, self._href(position, index)) for index, moment in enumerate(execution.moments)
        )
        titles = ("agent", "completed (UTC)", "took", "confidence", "status", "when")
        head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
        articles = (
            agent_html(
                moment,
                self._anchors[position, index],
                self._href(position, index),
                self.folding,
                same.get(moment.summary.recommendation_id),
            )
            for index, moment in enumerate(execution.moments)
        )
        return element(
            "section",
            element("h3", f"#{position + 1} {execution.execution_id}"),
            element("p", self._extent(position, execution), class_="dim"),
            element("table", head, element("tbody", *rows), class_="timeline"),
            element("div", *articles, class_="agents"),
            id=f"execution-{position + 1}",
            class_="execution",
        )

    def _extent(self, position: int, execution: Execution) -> str:
        pause = pause_between(self.executions[position - 1], execution) if position else None
        original = self._original(execution)
        replay = execution.replay_of if original is None else f"#{original + 1}"
        parts = (
            extent_text(execution),
            "" if pause is None else f"{duration_text(pause)} after the one before",
            "" if execution.replay_of is None else f"replay of {replay}",
            Totals.of([execution]).text(),
        )
        return " · ".join(filter(None, parts))

    def replays(self) -> list[Html]:
        """Return what each replay changed, if its original is on the page."""
        parts: list[Html] = []
        for position, execution in enumerate(self.executions):
            original = self._original(execution)
            if original is not None:
                agents = self._comparisons[position]
                equal = sum(agent.equal for agent in agents)
                note = f" · {plural(equal, 'agent')} said the same" if equal else ""
                parts.append(element("h3", f"From #{original + 1} to #{position + 1}", element("span", note)))
                parts.append(comparison_html(agents, self.folding))
        return parts

    def _original(self, execution: Execution) -> int | None:
        """Return the position of the execution that this one replays, if the page has it."""
        names = [other.execution_id for other in self.executions]
        if execution.replay_of not in names or execution.replay_of == execution.execution_id:
            return None
        return names.index(execution.replay_of)

    @cached_property
    def _comparisons(self) -> dict[int, list[AgentDiff]]:
        """Each replay, by its position, compared with its original."""
        compared: dict[int, list[AgentDiff]] = {}
        for position, execution in enumerate(self.executions):
            original = self._original(execution)
            if original is not None:
                sides = self.executions[original], execution
                before, after = ([moment.document for moment in side.moments] for side in sides)
                compared[position] = compare(before, after)
        return compared

    def _same_as_original(self, position: int, execution: Execution) -> dict[str, str]:
        """Return links to equal outputs in the original, by the IDs of the replay's recommendations."""
        original = self._original(execution)
        if original is None:
            return {}
        links = {
            str(moment.document.get("recommendationId")): self._href(original, index)
            for index, moment in enumerate(self.executions[original].moments)
        }
        return {
            str(agent.after["recommendationId"]): links[str(agent.before["recommendationId"])]
            for agent in self._comparisons[position]
            if agent.equal and agent.before is not None and agent.after is not None
        }

    def _href(self, position: int, index: int) -> str:
        return "#" + quote(self._anchors[position, index], safe=":")


def _row(moment: Moment, span: tuple[datetime, datetime] | None, href: str) -> Html:
    took = "" if moment.duration is None else duration_text(moment.duration)
    return element(
        "tr",
        element("td", element("a", moment.summary.agent_type, href=href)),
        element("td", moment.summary.time_of_day, class_="number"),
        element("td", took, class_="number"),
        element("td", confidence_html(moment)),
        element("td", status_html(moment)),
        element("td", bar(moment, span)),
    )
