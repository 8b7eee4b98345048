import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import IndexedDynamoDb, Item, item, runtime


def _recs(*args: str, table: list[Item], environ: dict[str, str] | None = None) -> Result:
    return CliRunner(env=environ).invoke(recs, ["diff", *args], obj=runtime(IndexedDynamoDb(table), environ))


def _two(before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> list[Item]:
    return [
        item(age=timedelta(hours=1), execution_id="a", **(before or {})),
        item(execution_id="b", **(after or {})),
    ]


def test_equal_executions_exit_with_0() -> None:
    """IDs, times, cost and duration always differ, so they do not count."""
    metadata = {"status": "SUCCESS", "durationMs": 5, "cost": {"inputTokens": 1}}
    table = _two(after={"metadata": metadata})
    result = _recs("a", "b", table=table)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "--- a",
        "    1 recommendation, the last at 2026-01-31 11:00:00 UTC",
        "+++ b",
        "    1 recommendation, the last at 2026-01-31 12:00:00 UTC",
        "",
        "No difference: consensus",
    ]
    assert json.loads(_recs("a", "b", "-o", "json", table=table).stdout)["equal"] is True


def test_all_metadata_is_compared_on_request() -> None:
    """The cost is a difference then."""
    result = _recs("a", "b", "--all", table=_two(after={"metadata": {"status": "SUCCESS", "cost": 5}}))
    assert result.exit_code == 1
    assert "  + /metadata/cost  5" in result.stdout.splitlines()


def test_differences_are_listed_and_exit_with_1() -> None:
    """They cover confidence, fields, the reasoning by sentence, and citations."""
    table = _two(
        before={
            "reasoning": "The deploy came first. Then errors. Roll back.",
            "citations": [{"title": "Old"}, {"n": 1}],
        },
        after={
            "confidence": 0.5,
            "recommendation": {"recommended_action": "wait", "risk": "low"},
            "reasoning": "The deploy came first. Then silence. Roll back.",
            "citations": [{"n": 1}, {"title": "New", "url": "https://example.com"}, {"n": 1}],
            "metadata": {"status": "PARTIAL"},
        },
    )
    result = _recs("a", "b", table=table)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[4:] == [
        "",
        "consensus",
        "  confidence  0.87 → 0.5",
        '  ~ /metadata/status  "SUCCESS" → "PARTIAL"',
        '  ~ /recommendation/recommended_action  "roll back" → "wait"',
        '  + /recommendation/risk  "low"',
        "  reasoning",
        "     The deploy came first.",
        "    -Then errors.",
        "    +Then silence.",
        "     Roll back.",
        "  - citation  Old",
        "  + citation  New · https://example.com",
        '  + citation  {"n":1}',
    ]


def test_programs_get_the_whole_comparison() -> None:
    """It includes both recommendation IDs, and agents that only one side has."""
    table = [*_two(after={"confidence": None}), item("knowledge-rag", execution_id="a"), item("new", execution_id="b")]
    comparison = json.loads(_recs("a", "b", "-o", "json", table=table).stdout)
    assert (comparison["before"], comparison["after"], comparison["equal"]) == ("a", "b", False)
    assert {agent["agentType"]: agent["result"] for agent in comparison["agents"]} == {
        "consensus": "changed",
        "knowledge-rag": "only-before",
        "new": "only-after",
    }
    consensus, knowledge, _ = comparison["agents"]
    assert consensus["confidence"] == {"before": 0.87, "after": None}
    assert consensus["before"] == "rec-incident-7-consensus-2026-01-31T11:00:00Z"
    assert (knowledge["before"][:25], knowledge["after"]) == ("rec-incident-7-knowledge-", None)


def test_an_agent_that_only_one_side_has_is_a_difference() -> None:
    """Its recommendation is shown."""
    table = [*_two(), item("knowledge-rag", execution_id="a", reasoning="Gone."), item("new", execution_id="b")]
    result = _recs("a", "b", table=table)
    assert result.exit_code == 1
    assert "- knowledge-rag: only in this execution\n    Gone." in result.stdout
    assert "+ new: only in this execution" in result.stdout


def test_repeated_outputs_of_an_agent_are_compared_in_order() -> None:
    """The second output on one side has no counterpart here."""
    again = item(execution_id="b", age=timedelta(seconds=-5), reasoning="Again.")
    result = _recs("a", "b", table=[again, *_two()[::-1]])
    assert "+ consensus (2): only in this execution\n    Again." in result.stdout
    assert "No difference: consensus" in result.stdout


def test_a_replay_alone_is_compared_with_its_original() -> None:
    """The replay's metadata names the original; any other execution needs a second one."""
    table = _two(after={"confidence": 0.5, "metadata": {"status": "SUCCESS", "replayMetadata": {"replay_of": "a"}}})
    result = _recs("b", table=table)
    assert result.exit_code == 1
    assert result.stdout.startswith("--- a\n")
    alone = _recs("a", table=table)
    assert alone.exit_code == 2
    assert "name both executions" in alone.stderr


@pytest.mark.parametrize("args", [["a", "none"], ["none", "b"], ["none"], [], ["a", "b", "-o", "xml"], ["a", ""]])
def test_an_impossible_comparison_exits_with_2(args: list[str]) -> None:
    """Exit code 1 would mean that the executions differ."""
    result = _recs(*args, table=_two())
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Values that do not fit next to their path go below it; long lists of changes are cut and counted."""
    fields = {f"field-{number}": "value " * number for number in range(30)}
    table = _two(after={"recommendation": fields})
    printed = _recs("a", "b", table=table, environ={"COLUMNS": str(width)}).stdout
    assert max(map(len, printed.splitlines())) <= width
    assert "more: see -o json" in printed


def test_control_characters_of_agents_are_escaped() -> None:
    """Names, values, prose and citations are safe to print."""
    hostile = "\x1b]0;owned\x07"
    fields = {"recommendation": {hostile: hostile, "recommended_action": hostile}, "reasoning": hostile}
    table = _two(after={**fields, "citations": [{"title": hostile}, {hostile: 1}]})
    printed = _recs("a", "b", table=table).stdout
    assert not set(printed) & set("\x1b\x07")
    assert printed.count("]0;owned") == 6


def test_help_explains_the_exit_codes() -> None:
    """Here 1 means something else than in other commands."""
    printed = _recs("-h", table=[]).stdout
    assert "Examples:\n    recs diff " in printed
    assert "1    the executions differ" in printed


def test_json_lines_and_csv_have_one_record_per_agent() -> None:
    """The exit codes are the same."""
    table = _two(after={"confidence": 0.5})
    lines = _recs("a", "b", "-o", "jsonl", table=table)
    assert lines.exit_code == 1
    assert json.loads(lines.stdout)["confidence"] == {"before": 0.87, "after": 0.5}
    rows = list(csv.DictReader(io.StringIO(_recs("a", "b", "-o", "csv", table=table).stdout)))
    assert [(row["agentType"], row["result"]) for row in rows] == [("consensus", "changed")]


def test_the_comparison_can_be_limited_to_one_agent() -> None:
    """Differences of other agents do not count."""
    changed = item("knowledge-rag", execution_id="b", confidence=0.1)
    table = [*_two(), item("knowledge-rag", execution_id="a"), changed]
    assert _recs("a", "b", table=table).exit_code == 1
    alone = _recs("a", "b", "--agent", "consensus", table=table)
    assert alone.exit_code == 0
    assert alone.stdout.startswith("Only agent consensus\n")
