import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_shared.item.agent_types import registration
from tests.support.fakes.recommendation_table import COMPLETED, NOW, IndexedDynamoDb, Item, item, runtime

_AGO = NOW - COMPLETED
_FAILED = {"status": "FAILURE", "error": {"message": "no index"}}


def _run(table: list[Item], *args: str) -> Result:
    return CliRunner().invoke(recs, ["incidents", *args], obj=runtime(IndexedDynamoDb(table)))


def _records(table: list[Item], *args: str) -> dict[str, dict[str, object]]:
    result = _run(table, *args, "-o", "json")
    assert result.exit_code == 0, result.output
    return {record["incidentId"]: record for record in json.loads(result.stdout)}


def _finished(incident: str, age: timedelta) -> list[Item]:
    fields = {"incident_id": incident, "execution_id": f"execution-of-{incident}"}
    return [
        item("knowledge-rag", age=age + timedelta(seconds=5), metadata=_FAILED, **fields),
        item("consensus", age=age, reasoning="Roll back.", **fields),
    ]


def _running(incident: str) -> list[Item]:
    return [item("knowledge-rag", age=-_AGO, incident_id=incident, execution_id="execution-2")]


def test_incidents_are_listed_newest_first_with_what_happened_in_them() -> None:
    """Executions and recommendations are counted, failures named, and the latest consensus quoted."""
    table = [
        *_finished("older", timedelta(days=2)),
        *_finished("newer", timedelta()),
        *_finished("older", timedelta(days=1)),
    ]
    result = _run(table)
    assert result.exit_code == 0
    assert result.stdout.index("newer") < result.stdout.index("older")
    records = _records(table)
    assert records["newer"] == {
        "incidentId": "newer",
        "first": "2026-01-31T11:59:55.000000Z",
        "last": "2026-01-31T12:00:00.000000Z",
        "executions": 1,
        "recommendations": 2,
        "running": False,
        "failed": {"knowledge-rag": 1},
        "consensusId": "rec-newer-consensus-2026-01-31T12:00:00Z",
        "consensusConfidence": 0.87,
        "consensus": "Roll back.",
        "hold": None,
    }
    assert (records["older"]["recommendations"], records["older"]["failed"]) == (4, {"knowledge-rag": 2})


def test_an_agent_that_is_new_is_not_missed() -> None:
    """The consumer registers it, and the register is read first."""
    registered = json.loads(registration("cost-guardian").body)
    new = item("cost-guardian", incident_id="only-new")
    assert "only-new" in _records([new, registered])


def test_an_execution_without_a_consensus_is_running_for_a_quarter_of_an_hour() -> None:
    """A Lambda function cannot run for longer."""
    recent = item("knowledge-rag", age=-_AGO + timedelta(minutes=14), incident_id="recent")
    stale = item("knowledge-rag", age=-_AGO + timedelta(minutes=16), incident_id="stale")
    records = _records([recent, stale])
    assert (records["recent"]["running"], records["stale"]["running"]) == (True, False)
    output = _run([recent, stale]).stdout
    assert "running" in output
    assert "no consensus" in output


def test_only_the_last_week_is_read_unless_a_period_is_given() -> None:
    """The line above the list says which period it is."""
    table = [*_finished("old", timedelta(days=10)), *_finished("new", timedelta())]
    assert set(_records(table)) == {"new"}
    assert set(_records(table, "--since", "30d")) == {"new", "old"}
    assert _run(table).stdout.startswith("Since 2026-01-25 12:00:00 UTC")


def test_filters_leave_incidents_in_which_something_matches() -> None:
    """What is counted stays the same; the limit counts incidents."""
    table = [*_finished("failed", timedelta()), item(incident_id="fine", age=timedelta(hours=1))]
    assert set(_records(table, "--failed")) == {"failed"}
    assert set(_records(table, "--agent", "consensus", "--limit", "1")) == {"failed"}
    nothing = _run(table, "--max-confidence", "0.1")
    assert nothing.exit_code == 1
    assert "matches the filters: 2 others left out" in nothing.stderr


def test_what_reading_cost_is_said() -> None:
    """In recommendations, read units and dollars."""
    assert (
        "1 incident; read 2 recommendations: 0.0 read units ($0.000000 on demand)."
        in _run(_finished("incident", timedelta())).stderr
    )


@pytest.mark.parametrize("columns", ["42", "60", "80", "120"])
def test_an_incident_id_is_shown_whole_on_a_narrow_terminal(columns: str) -> None:
    """Whoever lists incidents does so to learn an ID; what does not fit beside it goes below."""
    name = "incident-aws-dynamodb-2025-10-20"
    client = IndexedDynamoDb([*_finished(name, timedelta()), *_running(name)])
    result = CliRunner().invoke(recs, ["incidents"], obj=runtime(client, {"COLUMNS": columns}))
    assert name in result.stdout
    assert "knowledge-rag" in result.stdout
    assert "Roll back." in result.stdout
    assert "0.87" in result.stdout
    assert all(len(line) <= int(columns) for line in result.stdout.splitlines())
    (row,) = [line for line in result.stdout.splitlines() if name in line]
    assert "running" in row
