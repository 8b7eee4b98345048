from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from recommendation_cli.search.filters import Filter
from tests.support.fakes.recommendation_table import IndexedDynamoDb, item, runtime


@pytest.mark.parametrize(
    ("matching", "metadata", "passes"),
    [
        (Filter(statuses=("TIMEOUT",)), {"status": "TIMEOUT"}, True),
        (Filter(statuses=("TIMEOUT",)), {"status": "timeout"}, True),
        (Filter(statuses=("TIMEOUT", "FAILURE")), {"status": "SUCCESS"}, False),
        (Filter(statuses=("SUCCESS",)), {}, True),
        (Filter(failed=True), {"status": "PARTIAL"}, True),
        (Filter(failed=True), {"status": "SUCCESS"}, False),
        (Filter(failed=True), {}, False),
        (Filter(least_ms=500), {"durationMs": 500}, True),
        (Filter(least_ms=500), {"durationMs": Decimal("499.9")}, False),
        (Filter(least_ms=500), {"durationMs": "long"}, False),
        (Filter(least_ms=0), {}, False),
    ],
)
def test_status_and_duration_come_from_the_metadata(matching: Filter, metadata: dict[str, Any], passes: bool) -> None:
    """A missing status is a success; a missing duration passes no limit."""
    assert matching.passes({"metadata": metadata}) is passes


@pytest.mark.parametrize(("confidence", "passes"), [(Decimal("0.1"), True), (Decimal("0.2"), False), (None, False)])
def test_a_highest_confidence_leaves_out_what_has_none(confidence: Decimal | None, passes: bool) -> None:
    """As a lowest one does; the limit itself passes."""
    assert Filter(most_confidence=Decimal("0.1")).passes({"confidence": confidence}) is passes


def test_lists_take_all_filters_and_say_which() -> None:
    """Durations are typed with a unit."""
    slow = {"status": "TIMEOUT", "durationMs": 90_000}
    table = [item(metadata=slow, confidence=0.3), item("knowledge-rag", age=timedelta(seconds=1))]
    args = ["--status", "timeout", "--failed", "--max-confidence", "0.5", "--min-duration", "1.5m"]
    result = CliRunner().invoke(recs, ["incident", "incident-7", *args], obj=runtime(IndexedDynamoDb(table)))
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "Only confidence of at most 0.5, status timeout, not successful, a duration of at least 90 s\n"
    )
    assert "1 recommendation, 1 other left out." in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--min-duration", "90"), "must be a duration, such as 500ms"),
        (("--status", "broken"), "'broken' is not one of"),
        (("--min-confidence", "0.9", "--max-confidence", "0.1"), "must not be above --max-confidence"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_a_usage_error(args: tuple[str, ...], message: str) -> None:
    """The message says what is allowed."""
    result = CliRunner().invoke(recs, ["incident", "i", *args], obj=runtime(IndexedDynamoDb([])))
    assert result.exit_code == 2
    assert message in result.stderr
