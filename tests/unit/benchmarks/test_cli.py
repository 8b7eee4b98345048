"""The stub of the command line's benchmark pages as DynamoDB does, and the first page of `recs ui` is timed."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.cli import first_page
from benchmarks.cli.first_page import Page
from benchmarks.cli.generated_items import NEWEST_INCIDENT, PER_EXECUTION, Item, recent_incidents
from benchmarks.cli.table import PAGE_BYTES, Table
from benchmarks.cli.table_stub import running_recent
from recommendation_cli.search.period import Period
from recommendation_cli.search.projection import COUNTED
from recommendation_cli.search.queries import Search, pages
from recommendation_shared.envelope.identity import sort_key
from recommendation_shared.item.size import item_size

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AGENT = "consensus"
EXECUTIONS = 1_000


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Return the items of all agents, oldest first."""
    return recent_incidents(EXECUTIONS, NOW)


class _Client:
    """The table with boto3's method."""

    def __init__(self, items: list[Item]) -> None:
        self._table = Table(items)

    def query(self, **request: Any) -> Mapping[str, Any]:
        return self._table.query(request)

    get_item = batch_get_item = put_item = update_item = query  # which a listing does not call


def _read(items: list[Item], search: Search) -> list[list[Mapping[str, Any]]]:
    return [list(page.items) for page in pages(_Client(items), "table", search)]


def test_default_period_holds_the_whole_data_set() -> None:
    """205 incidents of the last six days, the newest under the name that the benchmark waits for."""
    recent = recent_incidents(1_429, NOW)
    assert len(recent) == 10_003
    assert len({item["incidentId"]["S"] for item in recent}) == 205
    assert len({item["recommendationId"]["S"] for item in recent}) == 10_003
    assert recent[-1]["incidentId"]["S"] == NEWEST_INCIDENT
    moments = [item["timestamp"]["S"] for item in recent]
    assert moments == sorted(moments)
    assert sort_key(NOW - timedelta(days=6)) < moments[0] < moments[-1] < sort_key(NOW)


@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_of_a_megabyte_hold_each_item_of_an_agent_once(items: list[Item], oldest_first: bool) -> None:
    """In the order that the query asks for, with the read units of whole items."""
    read = _read(items, Search("agentType", AGENT, oldest_first=oldest_first))
    ordered = [item for item in items if item["agentType"]["S"] == AGENT]
    assert [item for page in read for item in page] == (ordered if oldest_first else ordered[::-1])
    assert len(read) > 1
    size = item_size(ordered[0])
    assert all(PAGE_BYTES <= len(page) * size < PAGE_BYTES + size for page in read[:-1])


def test_period_includes_both_its_ends(items: list[Item]) -> None:
    """Pages continue inside it, also where one agent's items of the period take several."""
    ordered = [item for item in items if item["agentType"]["S"] == AGENT]
    inside = ordered[10:-10]
    period = Period(inside[0]["timestamp"]["S"], inside[-1]["timestamp"]["S"])
    read = _read(items, Search("agentType", AGENT, period=period))
    assert len(read) > 1
    assert [item for page in read for item in page] == inside[::-1]
    assert _read(items, Search("agentType", "nobody", period=period)) == [[]]


def test_start_key_outside_the_period_is_rejected(items: list[Item]) -> None:
    """DynamoDB answers with a ValidationException."""
    ordered = [item for item in items if item["agentType"]["S"] == AGENT]
    search = Search("agentType", AGENT, period=Period(ordered[5]["timestamp"]["S"], ordered[9]["timestamp"]["S"]))
    table, request = Table(items), {"TableName": "table", **search.parameters()}
    assert len(table.query({**request, "ExclusiveStartKey": ordered[7]})["Items"]) == 2
    for outside in (ordered[4], ordered[10]):
        with pytest.raises(ValueError, match="outside query boundaries"):
            table.query({**request, "ExclusiveStartKey": outside})


def test_projected_items_are_billed_whole(items: list[Item]) -> None:
    """A projection saves bytes, neither pages nor read units."""
    table = Table(items)
    requests = [
        {"TableName": "table", **Search("agentType", "response-strategy", attributes=attributes).parameters()}
        for attributes in ((), COUNTED)
    ]
    whole, counted = (table.query(request) for request in requests)
    assert counted["ConsumedCapacity"] == whole["ConsumedCapacity"]
    assert counted["LastEvaluatedKey"] == whole["LastEvaluatedKey"]
    assert len(counted["Items"]) == len(whole["Items"])
    assert counted["Items"][0] == {
        **{name: whole["Items"][0][name] for name in COUNTED if "." not in name},
        "metadata": {"M": {"status": whole["Items"][0]["metadata"]["M"]["status"]}},
    }


@pytest.mark.one_python
def test_first_page_is_timed_to_its_end() -> None:
    """Just after the start, and again later."""
    command = [sys.executable, "-m", "recommendation_cli", "ui", "--no-browser"]
    with running_recent(PER_EXECUTION + 1, delay=0.01) as url:
        environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
        }
        timed = first_page.measured(command, environ, NEWEST_INCIDENT, later=2, pause=0)
        with pytest.raises(RuntimeError, match="does not show incident-9999"):
            first_page.measured(command, environ, "incident-9999", later=1, pause=0)
    assert list(timed) == ["just after the start", "later"]
    for page in timed.values():
        assert 0.01 < page.first_byte <= page.first_row <= page.whole


def test_goal_is_judged_by_the_newest_incident() -> None:
    """Not by the first byte, which shows nothing, nor by the whole page."""
    lines = first_page.goals({"early": Page(0.1, 1.0, 5.0, 1.0), "late": Page(0.1, 1.01, 1.02, 1.0)}).splitlines()
    assert [line.split()[0] for line in lines] == ["met", "missed"]
    assert "late, s: 1.01 (goal: at most 1)" in lines[1]
