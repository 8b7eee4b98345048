"""Every reading command prints the same bytes whether indexes hold whole items or parts."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any, Final

import boto3
import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from recommendation_cli.aws.connection import Target, connect
from recommendation_cli.runtime import Runtime
from recommendation_cli.search.queries import Search, pages
from tests.support.fakes.recommendation_table import NOW, Item, create_table, item, put, recommendation_id

FULL: Final = "whole-items"
COMPACT: Final = "compact-index"  # as long as the other name: both appear in messages and on the report's page
AGENTS: Final = 7
LONG: Final = "A long story. " * 3_000  # 42 KB, so that an incident exceeds a page of 1 MB


def _execution(number: int, replay_of: str | None = None) -> list[Item]:
    """Return an execution with every kind of item that lists distinguish."""
    metadata = {"status": "SUCCESS", "durationMs": 900}
    if replay_of is not None:
        metadata["replayMetadata"] = {"replay_of": replay_of}
    common = {"execution_id": f"execution-{number}", "metadata": metadata, "citations": [{"title": "runbook"}]}
    start = timedelta(hours=number)
    return [
        item("consensus", start, **{**common, "reasoning": ""}),
        item("failed", start, **{**common, "reasoning": "", "metadata": {"status": "FAILURE", "error": {"m": "x"}}}),
        item("odd", start, **{**common, "confidence": 87}),
        item("permanent", start, **{**common, "retention": None}),
        item("expired", start, **{**common, "retention": 1, "timestamp": NOW - timedelta(days=2 + number)}),
        *(
            item(f"agent-{agent}", start + timedelta(seconds=agent), **{**common, "reasoning": LONG + str(number)})
            for agent in range(AGENTS)
        ),
    ]


ITEMS: Final = [
    stored for number in range(1, 6) for stored in _execution(number, "execution-1" if number == 2 else None)
]


@pytest.fixture(scope="module", params=["moto_server", "dynalite"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with the same items in a table of each kind."""
    url: str = request.getfixturevalue(request.param)
    client = boto3.client("dynamodb", endpoint_url=url)
    for table in (FULL, COMPACT):
        create_table(client, table, compact=table == COMPACT)
        put(client, table, ITEMS)
    yield url
    for table in (FULL, COMPACT):
        client.delete_table(TableName=table)
    client.close()
    _connected(url).close()
    _connected.cache_clear()


@cache
def _connected(endpoint: str) -> Any:
    """Return one client for all commands: creating one takes longer than most of them."""
    return connect(Target(FULL, endpoint_url=endpoint))


class Counting:
    """A client that counts its calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Count the call, and pass it on."""
        self.calls.append(name)
        return getattr(self._client, name)


def _run(endpoint: str, table: str, *args: str) -> tuple[int, bytes, str, list[str]]:
    """Return exit code, standard output and standard error without the table's name, and the calls."""
    clients: list[Counting] = []

    def counted(target: Target) -> Any:
        clients.append(Counting(_connected(str(target.endpoint_url))))
        return clients[-1]

    runtime = Runtime(now=NOW.timestamp, environ={"COLUMNS": "140", "NO_COLOR": "1"}, connect=counted)
    done = CliRunner().invoke(recs, [*args, "--table", table, "--endpoint-url", endpoint], obj=runtime)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    calls = [call for client in clients for call in client.calls]
    return done.exit_code, done.stdout_bytes.replace(table.encode(), b""), done.stderr.replace(table, ""), calls


COMMANDS: Final = [
    *(["incident", "incident-7", "-o", output] for output in ("table", "json", "jsonl", "csv")),
    ["incident", "incident-7", "--include-expired"],
    ["incident", "incident-7", "--limit", "3", "-o", "json"],
    ["incident", "incident-7", "--since", "2026-01-31T08:00:00Z", "--until", "2026-01-31T10:30:00Z"],
    ["agent", "agent-3", "-o", "jsonl"],
    ["agent", "consensus"],
    ["execution", "execution-2"],
    ["execution", "nobody"],
    ["show", recommendation_id(ITEMS[0])],
    ["timeline", "incident-7"],
    ["timeline", "incident-7", "-o", "json"],
    ["diff", "execution-1", "execution-3"],
    ["diff", "execution-2", "-o", "json"],
    ["report", "incident-7", "-o", "-"],
    ["export", "incident", "incident-7", "-"],
    ["export", "execution", "execution-4", "-", "--format", "csv"],
]


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_both_kinds_of_index_give_the_same_bytes(endpoint: str, args: list[str]) -> None:
    """Output, notes and exit codes are equal."""
    code, printed, notes, calls = _run(endpoint, FULL, *args)
    assert "batch_get_item" not in calls
    assert (code, printed, notes) == _run(endpoint, COMPACT, *args)[:3]
    assert code in {0, 1}
    assert printed or "nobody" in args


def test_the_compact_index_really_leaves_something_out(endpoint: str) -> None:
    """Otherwise the test above would prove nothing."""
    calls = _run(endpoint, COMPACT, "incident", "incident-7", "-o", "json")[3]
    assert "batch_get_item" in calls


def test_a_list_that_the_index_covers_fetches_nothing(endpoint: str) -> None:
    """Agent 3 always gives its reasoning, so its list takes one Query, and one for reviews."""
    assert _run(endpoint, COMPACT, "agent", "agent-3")[3] == ["query", "query"]


def test_reading_can_continue_after_any_piece(endpoint: str) -> None:
    """DynamoDB accepts the key of a piece's last item, although it lies in the middle of a page."""
    client = _connected(endpoint)
    search = Search("incidentId", "incident-7", oldest_first=True)
    pieces = list(pages(client, COMPACT, search, piece=4))
    everything = [recommendation_id(dict(stored)) for piece in pieces for stored in piece.items]
    assert len(everything) == len(ITEMS)
    assert len(pieces) >= len(ITEMS) / 4
    for number in (0, 1, len(pieces) - 2):
        rest = [stored for piece in pages(client, COMPACT, search, after=pieces[number].last) for stored in piece.items]
        before = sum(len(piece.items) for piece in pieces[: number + 1])
        assert [recommendation_id(dict(stored)) for stored in rest] == everything[before:]
