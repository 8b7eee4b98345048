import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_shared.item.agent_types import registration
from tests.support.fakes.recommendation_table import (
    COMPLETED,
    NOW,
    IndexedDynamoDb,
    Item,
    item,
    recommendation_id,
    runtime,
)

_NOW = COMPLETED - NOW  # as an item's age
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Query")


class _Table(IndexedDynamoDb):
    """A table to which something happens at each wait; after the last, Ctrl-C is pressed."""

    def __init__(self, stored: list[Item], *waits: Callable[["_Table"], None]) -> None:
        super().__init__(list(stored))
        self.failures: list[Exception] = []
        self.clock = NOW.timestamp()
        self._waits = list(waits)

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        return {**super().query(**parameters), "ConsumedCapacity": {"CapacityUnits": 0.5}}

    def sleep(self, seconds: float) -> None:
        self.clock += seconds
        if not self._waits:
            raise KeyboardInterrupt
        self._waits.pop(0)(self)

    def run(self, *args: str, **environ: str) -> Result:
        surroundings = replace(
            runtime(self, environ), now=lambda: self.clock, sleep=self.sleep, monotonic=lambda: self.clock
        )
        return CliRunner().invoke(recs, args, obj=surroundings)


def _store(*items: Item) -> Callable[[_Table], None]:
    def wait(table: _Table) -> None:
        stored = table.pages[0]
        assert isinstance(stored, list)
        stored.extend(items)

    return wait


def _fail(*failures: Exception) -> Callable[[_Table], None]:
    return lambda table: table.failures.extend(failures)


def _nothing(_table: _Table) -> None:
    """Let a poll find nothing new."""


def _ids(result: Result) -> list[str]:
    return [json.loads(line)["recommendationId"] for line in result.stdout.splitlines()]


def test_an_incident_is_followed_from_its_start_without_repeating_anything() -> None:
    """What was there comes first, oldest first; Ctrl-C ends it with 130 and what it cost."""
    old = [item(age=_NOW + timedelta(minutes=minutes)) for minutes in (2, 1)]
    new = item("knowledge-rag", age=_NOW)
    result = _Table(old, _nothing, _store(new), _nothing).run("incident", "incident-7", "--follow", "-o", "jsonl")
    assert _ids(result) == [recommendation_id(stored) for stored in (*old, new)]
    assert result.exit_code == 130
    assert (
        "Followed incident incident-7 for 4s: 3 recommendations shown, 3.5 read units (under $0.000001 on demand)."
        in result.stderr
    )


def test_what_completed_long_ago_is_shown_when_it_is_stored() -> None:
    """A redriven dead letter is a new recommendation, though its time lies before everything that was shown."""
    late = item("knowledge-rag", age=timedelta(days=30))
    result = _Table([item()], _store(late)).run("incident", "incident-7", "--follow", "-o", "jsonl")
    assert _ids(result) == [recommendation_id(item()), recommendation_id(late)]


@pytest.mark.parametrize(
    "failure", [THROTTLED, EndpointConnectionError(endpoint_url="http://127.0.0.1"), ClientError({}, "Query")]
)
def test_following_survives_throttling_and_lost_connections_only(failure: Exception) -> None:
    """Nothing is missed or repeated; an error that would recur ends it with exit code 3."""
    new = item("knowledge-rag", age=_NOW)
    table = _Table([item()], _fail(failure, failure), _store(new), _nothing, _nothing)
    result = table.run("incident", "incident-7", "--follow", "-o", "jsonl")
    if isinstance(failure, ClientError) and failure is not THROTTLED:
        assert result.exit_code == 3
        return
    assert _ids(result) == [recommendation_id(item()), recommendation_id(new)]
    assert "retrying, nothing is missed" in result.stderr


def test_following_ends_with_the_consensus_of_the_newest_execution() -> None:
    """An earlier execution's consensus does not end it; one that is there already ends it at once."""
    started = [item(age=timedelta(hours=1)), item("knowledge-rag", execution_id="execution-2")]
    consensus = item(execution_id="execution-2", age=_NOW)
    result = _Table(started, _nothing, _store(consensus)).run("incident", "incident-7", "--until-consensus")
    assert result.exit_code == 0
    assert _Table([*started, consensus]).run("incident", "incident-7", "--until-consensus").exit_code == 0


def test_everything_is_followed_with_new_agents_and_without_what_was_there() -> None:
    """The next poll shows an agent that is registered while following; --since shows what was there too."""
    new = item("cost-guardian", incident_id="incident-8", age=_NOW)
    registered = json.loads(registration("cost-guardian").body)
    assert _ids(_Table([item()], _nothing, _store(new, registered)).run("follow", "-o", "jsonl")) == [
        recommendation_id(new)
    ]
    result = _Table([item()]).run("follow", "-o", "jsonl", "--since", "25h")
    assert _ids(result) == [recommendation_id(item())]


def test_a_mistyped_incident_gets_a_suggestion_and_is_waited_for() -> None:
    """It may be a new incident, so what comes is shown; one that exists gets no suggestion."""
    new = item("knowledge-rag", incident_id="incident-77", age=_NOW)
    result = _Table([item()], _store(new)).run("incident", "incident-77", "--follow", "-o", "jsonl")
    assert "did you mean incident-7?" in result.stderr
    assert _ids(result) == [recommendation_id(new)]
    assert "did you mean" not in _Table([item()]).run("incident", "incident-7", "--follow").stderr


def test_a_suggestion_that_fails_does_not_end_following() -> None:
    """Throttling is waited out as in any poll."""
    new = item("knowledge-rag", age=_NOW)
    table = _Table([], _store(new))
    table.failures = [THROTTLED, THROTTLED]
    assert _ids(table.run("incident", "incident-7", "--follow", "-o", "jsonl")) == [recommendation_id(new)]


def test_only_what_matches_is_followed() -> None:
    """The filters are those of lists."""
    failed = item("knowledge-rag", age=_NOW, metadata={"status": "TIMEOUT"})
    table = _Table([item()], _store(failed, item("risk-blast-radius", age=_NOW)))
    assert _ids(table.run("incident", "incident-7", "--follow", "--failed", "-o", "jsonl")) == [
        recommendation_id(failed)
    ]


def test_followed_recommendations_are_lines_in_a_pipe() -> None:
    """Each under its day, with the incident's ID where there may be several."""
    table = _Table([item()], _store(item("knowledge-rag", age=_NOW)))
    output = table.run("follow", "--since", "2d").stdout
    assert [line.split()[0] for line in output.splitlines()[2:]] == [
        "time",
        "2026-01-31",
        "12:00:00.000",
        "2026-02-01",
        "12:00:00.000",
    ]
    assert "incident-7" in output


@pytest.mark.parametrize("args", [("follow", "--since", "2d"), ("incident", "incident-7", "--follow")])
def test_a_narrow_terminal_loses_text_before_the_status(args: tuple[str, ...]) -> None:
    """What failed is what an operator looks for on a phone."""
    failed = item("response-strategy", metadata={"status": "TIMEOUT"})
    lines = _Table([failed]).run(*args, COLUMNS="40").stdout.splitlines()
    assert [line for line in lines if "! TIMEOUT" in line]
    assert max(map(len, lines[2:])) <= 40


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("incident", "a", "b", "--follow"), "takes one incident"),
        (("incident", "a", "--follow", "--limit", "3"), "no --limit"),
        (("incident", "a", "--follow", "-o", "json"), "An array would never end"),
    ],
)
def test_what_cannot_be_followed_is_a_usage_error(args: tuple[str, ...], message: str) -> None:
    """The message says what can."""
    result = _Table([]).run(*args)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_sweep_of_a_large_incident_waits_until_it_is_paid_for() -> None:
    """Its newest part is read each second; all of it only at 20 read units a second on average."""

    class Large(_Table):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            is_sweep = ":since" not in parameters["ExpressionAttributeValues"]
            return {**super().query(**parameters), "ConsumedCapacity": {"CapacityUnits": 100.0 if is_sweep else 0.5}}

    table = Large([item()], *[_nothing] * 9)
    table.run("incident", "incident-7", "--follow")
    sweeps = [":since" not in query["ExpressionAttributeValues"] for query in table.queries]
    assert sweeps == [True, *[False] * 5, True, *[False] * 4]  # 100 read units pay for 5 seconds
