from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from recommendation_cli.report.agent_totals import agent_totals, tallies_of
from recommendation_cli.report.markup import Html
from recommendation_cli.search.queries import Document
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import Item, item


def _run(execution: int, milliseconds: int, **metadata: Any) -> Item:
    cost = {"estimatedCost": 0.25, "inputTokens": 1000, "outputTokens": 200}
    return item(
        "knowledge-rag",
        age=timedelta(hours=-execution),
        execution_id=f"execution-{execution}",
        confidence=execution / 4,
        metadata={"status": "SUCCESS", "durationMs": milliseconds, "cost": cost, **metadata},
    )


def _consensus(execution: int, *minority: str) -> Item:
    said = {"minority_opinions": [{"agent_id": agent} for agent in minority]}
    return item(age=timedelta(hours=-execution, seconds=-1), execution_id=f"execution-{execution}", recommendation=said)


def _totals(documents: Iterable[Document]) -> Html | None:
    executions = group_by_execution(documents)
    return agent_totals(executions, tallies_of(executions, {}))


def test_an_agents_runs_are_added_up_over_all_executions() -> None:
    """How often it failed and agreed, its median confidence and durations, its tokens and dollars."""
    table = [
        _run(1, 1_000),
        _run(2, 2_000, status="TIMEOUT"),
        _run(3, 4_000),
        _consensus(1),
        _consensus(3, "knowledge-rag"),
    ]
    page = _totals(map(decode_item, table))
    assert page is not None
    row, consensus = page.split("<tr>")[2:]
    for shown in ('class="bad">1 of 3<', ">0.50<", "(0.38-0.62)", ">50%<", "2.0 s, 4.0 s", ">3,600<", ">$0.7500<"):
        assert shown in row
    assert ">consensus<" in consensus


def test_a_single_execution_has_no_totals() -> None:
    """Its tables show each run anyway."""
    assert _totals(map(decode_item, [_run(1, 1_000), _consensus(1)])) is None


def test_a_timestamp_that_is_not_a_time_is_added_up_too() -> None:
    """An item written by hand may have one."""
    odd = [{**decode_item(_run(number, 1_000)), "timestamp": f"later {number}"} for number in (1, 2)]
    assert _totals(odd) is None
    page = _totals([*odd, decode_item(_run(3, 1_000))])
    assert page is not None
    assert "0 of 3" in page
