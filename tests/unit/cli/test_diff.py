"""What `recs diff` finds, and how it ends."""

import csv
import io
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.app import recs
from recommendation_cli.diff.comparison import compare
from recommendation_cli.diff.json_changes import Change, changes, same
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, Item, item, runtime

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=4),
    max_leaves=12,
)


class ByExecution(FakeDynamoDb):
    """Answers as the index of executions does."""

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items of the execution asked for, newest first."""
        asked = parameters["ExpressionAttributeValues"][":key"]
        made = [one for page in self.pages if not isinstance(page, Exception) for one in page]
        return {"Items": [one for one in made if one["executionId"] == asked]}


def _recs(*args: str, made: list[Item], environ: dict[str, str] | None = None) -> Result:
    return CliRunner(env=environ).invoke(recs, ["diff", *args], obj=runtime(ByExecution(made), environ))


def _two(before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> list[Item]:
    return [
        item(age=timedelta(hours=1), execution_id="a", **(before or {})),
        item(execution_id="b", **(after or {})),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"x": 1}, {"x": 1}, []),
        ({"x": 1}, {"x": 2}, [Change("/x", "changed", 1, 2)]),
        ({"x": True}, {"x": 1}, [Change("/x", "changed", True, 1)]),  # noqa: FBT003 - JSON's own
        ({"x": {"y": 1}}, {"x": {"z": 1}}, [Change("/x/y", "removed", 1, None), Change("/x/z", "added", None, 1)]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [Change("/a~1b/~0", "changed", 1, 2)]),
        ({"x": [1]}, {"x": {"0": 1}}, [Change("/x", "changed", [1], {"0": 1})]),
        ([1, 2, 3], [0, 1, 2, 3], [Change("/0", "added", None, 0)]),
        ([1, 2, 3], [1, 3], [Change("/1", "removed", 2, None)]),
        ([{"n": 1, "m": 1}, 9], [{"n": 1, "m": 2}, 9], [Change("/0/m", "changed", 1, 2)]),
        ([1, 2], [5], [Change("/0", "changed", 1, 5), Change("/1", "removed", 2, None)]),
        (None, {}, [Change("", "changed", None, {})]),
    ],
)
def test_changes_are_paths_and_values(before: Any, after: Any, expected: list[Change]) -> None:
    """As small as they can be."""
    assert list(changes(before, after)) == expected


@given(JSON, JSON)
def test_there_is_a_change_exactly_when_values_differ(before: Any, after: Any) -> None:
    """Whatever they are; and what was added one way is removed the other way."""
    found = list(changes(before, after))
    assert (found == []) == same(before, after)
    assert bool(found) == bool(list(changes(after, before)))
    assert all(change.kind in ("added", "removed") or not same(change.before, change.after) for change in found)


def test_long_lists_and_texts_are_compared_in_time() -> None:
    """A megabyte that differs everywhere must not hang a terminal."""
    numbers = list(range(100_000))
    before, after = item(reasoning="\n" * 100_000), item(reasoning="x\n" * 50_000)
    start = time.process_time()
    assert len(list(changes([0] * 100_000, numbers))) == 99_999
    assert compare([decode_item(before)], [decode_item(after)])[0].reasoning
    assert time.process_time() - start < 10


def test_equal_executions_end_with_0() -> None:
    """Though IDs, times, cost and duration differ between any two executions."""
    metadata = {"status": "SUCCESS", "durationMs": 5, "cost": {"inputTokens": 1}}
    made = _two(after={"metadata": metadata})
    result = _recs("a", "b", made=made)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "--- a",
        "    1 recommendation, the last at 2026-01-31 11:00:00 UTC",
        "+++ b",
        "    1 recommendation, the last at 2026-01-31 12:00:00 UTC",
        "",
        "No difference: consensus",
    ]
    assert json.loads(_recs("a", "b", "-o", "json", made=made).stdout)["equal"] is True


def test_all_of_the_metadata_is_compared_on_request() -> None:
    """And then the cost is a difference."""
    result = _recs("a", "b", "--all", made=_two(after={"metadata": {"status": "SUCCESS", "cost": 5}}))
    assert result.exit_code == 1
    assert "  + /metadata/cost  5" in result.stdout.splitlines()


def test_a_difference_ends_with_1_and_is_named() -> None:
    """Confidence, fields, reasoning by sentence, and citations."""
    made = _two(
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
    result = _recs("a", "b", made=made)
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


def test_programs_get_all_of_it() -> None:
    """With both recommendations' IDs, and agents that are on one side only."""
    made = [*_two(after={"confidence": None}), item("knowledge-rag", execution_id="a"), item("new", execution_id="b")]
    found = json.loads(_recs("a", "b", "-o", "json", made=made).stdout)
    assert (found["before"], found["after"], found["equal"]) == ("a", "b", False)
    assert {agent["agentType"]: agent["result"] for agent in found["agents"]} == {
        "consensus": "changed",
        "knowledge-rag": "only-before",
        "new": "only-after",
    }
    consensus, knowledge, _ = found["agents"]
    assert consensus["confidence"] == {"before": 0.87, "after": None}
    assert consensus["before"] == "rec-incident-7-consensus-2026-01-31T11:00:00Z"
    assert (knowledge["before"][:25], knowledge["after"]) == ("rec-incident-7-knowledge-", None)


def test_an_agent_on_one_side_only_is_a_difference() -> None:
    """With what it said."""
    made = [*_two(), item("knowledge-rag", execution_id="a", reasoning="Gone."), item("new", execution_id="b")]
    result = _recs("a", "b", made=made)
    assert result.exit_code == 1
    assert "- knowledge-rag: only in this execution\n    Gone." in result.stdout
    assert "+ new: only in this execution" in result.stdout


def test_an_agent_that_answered_twice_is_compared_answer_by_answer() -> None:
    """In the order of time."""
    again = item(execution_id="b", age=timedelta(seconds=-5), reasoning="Again.")
    result = _recs("a", "b", made=[again, *_two()[::-1]])
    assert "+ consensus (2): only in this execution\n    Again." in result.stdout
    assert "No difference: consensus" in result.stdout


def test_a_replay_is_compared_with_its_original() -> None:
    """Which it names itself."""
    made = _two(after={"confidence": 0.5, "metadata": {"status": "SUCCESS", "replayMetadata": {"replay_of": "a"}}})
    result = _recs("b", made=made)
    assert result.exit_code == 1
    assert result.stdout.startswith("--- a\n")
    alone = _recs("a", made=made)
    assert alone.exit_code == 2
    assert "name both executions" in alone.stderr


@pytest.mark.parametrize("args", [["a", "none"], ["none", "b"], ["none"], [], ["a", "b", "-o", "xml"], ["a", ""]])
def test_what_cannot_be_compared_is_no_difference(args: list[str]) -> None:
    """1 would say that the executions differ."""
    result = _recs(*args, made=_two())
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """A value that does not fit beside its path has a line of its own; many are cut off, and counted."""
    fields = {f"field-{number}": "value " * number for number in range(30)}
    made = _two(after={"recommendation": fields})
    printed = _recs("a", "b", made=made, environ={"COLUMNS": str(width)}).stdout
    assert max(map(len, printed.splitlines())) <= width
    assert "more: see -o json" in printed


def test_hostile_text_is_only_shown() -> None:
    """In names, values, prose and citations."""
    hostile = "\x1b]0;owned\x07"
    fields = {"recommendation": {hostile: hostile, "recommended_action": hostile}, "reasoning": hostile}
    made = _two(after={**fields, "citations": [{"title": hostile}, {hostile: 1}]})
    printed = _recs("a", "b", made=made).stdout
    assert not set(printed) & set("\x1b\x07")
    assert printed.count("]0;owned") == 6


def test_help_tells_its_own_exit_codes() -> None:
    """Because 1 means something else than in other commands."""
    printed = _recs("-h", made=[]).stdout
    assert "Examples:\n    recs diff " in printed
    assert "1    the executions differ" in printed


def test_two_executions_are_compared_agent_by_agent_in_lines_and_cells_too() -> None:
    """The exit code stays that of diff."""
    made = _two(after={"confidence": 0.5})
    lines = _recs("a", "b", "-o", "jsonl", made=made)
    assert lines.exit_code == 1
    assert json.loads(lines.stdout)["confidence"] == {"before": 0.87, "after": 0.5}
    rows = list(csv.DictReader(io.StringIO(_recs("a", "b", "-o", "csv", made=made).stdout)))
    assert [(row["agentType"], row["result"]) for row in rows] == [("consensus", "changed")]


def test_one_agent_can_be_compared_alone() -> None:
    """The others do not make a difference then."""
    changed = item("knowledge-rag", execution_id="b", confidence=0.1)
    made = [*_two(), item("knowledge-rag", execution_id="a"), changed]
    assert _recs("a", "b", made=made).exit_code == 1
    alone = _recs("a", "b", "--agent", "consensus", made=made)
    assert alone.exit_code == 0
    assert alone.stdout.startswith("Only agent consensus\n")
