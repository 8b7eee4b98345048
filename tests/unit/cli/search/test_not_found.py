from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.facts import FACTS
from recommendation_cli.output import COLUMNS, OTHER_FIELDS
from recommendation_cli.review_columns import REVIEW_COLUMNS
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, IndexedDynamoDb, item, runtime


def _run(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


@pytest.mark.parametrize(
    ("output", "stdout"),
    [
        ("json", "[]\n"),
        ("jsonl", ""),
        ("csv", f"{','.join((*COLUMNS, *FACTS, *REVIEW_COLUMNS, OTHER_FIELDS))}\n"),
        ("table", ""),
    ],
)
def test_finding_nothing_exits_with_1(output: str, stdout: str) -> None:
    """One sentence says where it looked and what to check; standard output keeps its format."""
    result = _run(FakeDynamoDb([]), "incident", "incident-8", "-o", output)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: No recommendation of incident incident-8 in table {TABLE} in us-east-1: check the ID, --table and"
        " --region, or whether it has expired; there is nothing similar among the newest 100 of each agent type."
        "\n"
    )
    assert result.stdout == stdout


@pytest.mark.parametrize(
    ("args", "page", "advice"),
    [
        (
            ["incident", "incident-7"],
            [item(retention=1)],
            "Everything found for incident incident-7 has expired (1 recommendation)",
        ),
        (["incident", "incident-7", "--since", "1h"], [item()], "only outside it: widen --since and --until"),
        (["incident", "incident-7", "--since", "1h"], [], "check the ID, --table and --region"),
        (["agent", "oracle"], [], "the types are signal-intelligence, historical-pattern"),
        (["agent", "consensu"], [], "did you mean consensus?"),
        (["agent", "consensus"], [], "check --table and --region"),
        (["incident", "\x1b[2J"], [], r"incident \x1b[2J in table"),
        (["show", "rec-1"], [], "No recommendation rec-1 in table"),
        (["show", "rec-incident-7-consensus-2026-01-31T12:00:00Z"], [item(retention=1)], "--include-expired shows it"),
    ],
)
def test_finding_nothing_comes_with_a_remedy(args: list[str], page: list[Any], advice: str) -> None:
    """The remedy depends on why nothing was found."""
    result = _run(IndexedDynamoDb(page), *args)
    assert result.exit_code == 1
    assert advice in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_filter_that_nothing_passes_says_which_agents_there_are() -> None:
    """A misspelt agent type is easy to spot."""
    table = [item("knowledge-rag"), item("change-intelligence")]
    result = _run(IndexedDynamoDb(table), "incident", "incident-7", "--agent", "consensu")
    assert result.exit_code == 1
    assert "No recommendation of incident incident-7 matches agent consensu; those found are from " in result.stderr
    assert "knowledge-rag (1)" in result.stderr
