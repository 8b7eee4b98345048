import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recommendation_cli.ui.feed import Feed, lines
from tests.support.fakes.clock import Clock
from tests.support.fakes.recommendation_table import COMPLETED, NOW, IndexedDynamoDb, Item, item, recommendation_id
from tests.support.ui import ui_site

_AGO = NOW - COMPLETED


class _Growing(IndexedDynamoDb):
    """A table that can fail the next queries."""

    def __init__(self, items: list[Item]) -> None:
        super().__init__(items)
        self.items = items
        self.failures: list[str] = []

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return what the index holds, or raise."""
        if self.failures:
            raise ClientError({"Error": {"Code": self.failures.pop(0), "Message": "no"}}, "Query")
        return super().query(**parameters)


def _feed(table: _Growing, incident_id: str | None = "incident-7") -> Feed:
    clock = Clock()

    def monotonic() -> float:
        clock.passed += 1.0  # so that no poll is waited for
        return clock.passed

    site = ui_site(table, monotonic=monotonic, now=clock.now)
    return site.feeds.feed(incident_id)


async def _events(feed: Feed, last_event_id: str, count: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the first events, each with its kind, ID and fields."""
    events = []
    stream = lines(feed, last_event_id, asyncio.Event())
    async for text in stream:
        fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
        if "event" in fields:
            events.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
        if len(events) == count:
            break
    await stream.aclose()
    return events


async def test_a_feed_begins_with_what_there_is_and_goes_on_with_what_is_new() -> None:
    """Each recommendation has an ID of its own, and its address."""
    table = _Growing([item("consensus", age=timedelta(seconds=1))])
    feed = _feed(table)
    (waiting, _, _), (kind, identity, fields) = await _events(feed, "", 2)
    assert (waiting, kind, identity) == ("waiting", "recommendation", f"{feed.name}-1")
    assert fields["path"] == "/recommendation/rec-incident-7-consensus-2026-01-31T11:59:59Z"
    table.items.append(item("knowledge-rag"))
    news = await _events(feed, identity, 2)
    assert [fields.get("agent") for _, _, fields in news] == [None, "knowledge-rag"]


async def test_a_page_that_reconnects_gets_nothing_twice_and_misses_nothing() -> None:
    """The browser sends the ID of the last event that it saw."""
    table = _Growing([item("consensus", age=timedelta(seconds=number)) for number in range(5)])
    feed = _feed(table)
    every = [identity for kind, identity, _ in await _events(feed, "", 6) if kind == "recommendation"]
    rest = await _events(feed, every[2], 2)
    assert [identity for _, identity, _ in rest] == every[3:]


@pytest.mark.parametrize("last", ["", "other-3", "nonsense", "-", "٣"])
async def test_the_event_of_another_run_begins_at_the_beginning(last: str) -> None:
    """The page itself leaves out what it shows already."""
    feed = _feed(_Growing([item()]))
    events = await _events(feed, last, 2)
    assert events[1][1] == f"{feed.name}-1"
    assert (await _events(feed, f"{feed.name}-٣", 1))[0][1] == f"{feed.name}-1"


async def test_pages_that_follow_the_same_share_the_polls() -> None:
    """What one of them has found is not read again for another."""
    table = _Growing([item()])
    feed = _feed(table)
    await _events(feed, "", 2)
    read = len(table.queries)
    await _events(feed, "", 1)
    assert len(table.queries) == read


async def test_throttling_passes_and_a_refusal_ends_the_feed() -> None:
    """The reason is said in both cases."""
    table = _Growing([item()])
    table.failures = ["ProvisionedThroughputExceededException", "AccessDeniedException"]
    events = await _events(_feed(table), "", 2)
    assert events[0] == ("waiting", "", {"why": "ProvisionedThroughputExceededException"})
    assert events[1][0] == "failed"
    assert "RecommendationReaderRole" in events[1][2]["message"]


async def test_a_feed_that_ended_begins_again_when_somebody_looks() -> None:
    """With a new connection: other credentials may be there by then."""
    table = _Growing([item()])
    connected: list[object] = []

    def connect(target: object) -> _Growing:
        connected.append(target)
        return table

    site = ui_site(table, connect=connect)
    table.failures = ["ExpiredTokenException"]
    assert (await _events(site.feeds.feed("incident-7"), "", 1))[0][0] == "failed"
    events = await _events(site.feeds.feed("incident-7"), "", 2)
    assert events[1][2]["agent"] == "consensus"
    assert len(connected) == 2


async def test_what_was_found_before_a_poll_failed_is_not_lost() -> None:
    """The next poll does not find it again."""
    broken = item("knowledge-rag", age=timedelta(seconds=-1))
    table = _Growing([item(), broken])
    get_item = table.get_item
    failing = [True]

    def fail_once(**parameters: Any) -> Mapping[str, Any]:
        if parameters["Key"]["recommendationId"]["S"] == recommendation_id(broken) and failing:
            failing.pop()
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "GetItem")
        return get_item(**parameters)

    table.get_item = fail_once  # type: ignore[method-assign]  # fails once
    first = item(age=timedelta(seconds=5), execution_id="older")
    table.items[:] = [first]
    feed = _feed(table)
    await _events(feed, "", 2)
    table.items += [item(), broken]
    events = await _events(feed, f"{feed.name}-1", 4)
    kinds = [(kind, fields.get("why"), fields.get("agent")) for kind, _, fields in events]
    assert kinds[0] == ("waiting", "ThrottlingException", None)
    assert [agent for kind, _, agent in kinds if kind == "recommendation"] == ["consensus", "knowledge-rag"]


async def test_a_page_that_was_away_for_too_long_is_told() -> None:
    """A feed keeps its last thousand events."""
    table = _Growing([item(age=timedelta(seconds=number)) for number in range(1_010)])
    feed = _feed(table)
    await _events(feed, "", 1)
    events = await _events(feed, f"{feed.name}-2", 2)
    assert events[0] == ("gap", "", {"missed": 8})
    assert events[1][1] == f"{feed.name}-11"


async def test_a_page_that_begins_with_more_than_is_kept_is_told() -> None:
    """Once: the incident's own page has them."""
    table = _Growing([item(age=timedelta(seconds=number)) for number in range(1_010)])
    events = await _events(_feed(table), "", 1_003)
    assert [(kind, fields) for kind, _, fields in events if kind == "gap"] == [("gap", {"missed": 10})]
    assert events[-1][0] == "waiting"


async def test_a_feed_of_everything_begins_with_the_last_hour() -> None:
    """Older recommendations are on the page of incidents."""
    recent = item("knowledge-rag", age=-_AGO + timedelta(minutes=59), incident_id="recent")
    older = item("knowledge-rag", age=-_AGO + timedelta(minutes=61), incident_id="older")
    events = await _events(_feed(_Growing([recent, older]), None), "", 3)
    assert [fields.get("incident") for kind, _, fields in events if kind == "recommendation"] == ["recent"]


async def test_hostile_text_cannot_end_an_event() -> None:
    """A line break in it would begin another field."""
    table = _Growing([item("consensus", reasoning="a\r\ndata: {}\u2028\ud800\n\nevent: failed")])
    events = await _events(_feed(table), "", 2)
    assert events[1][0] == "recommendation"
    assert events[1][2]["headline"] == "a"


async def test_a_feed_ends_with_the_server() -> None:
    """At once, although it would wait for the next poll."""
    closing = asyncio.Event()
    stream = lines(_feed(_Growing([item()])), "", closing)
    assert len([text async for text in _closed_after(stream, 3, closing)]) == 3


async def _closed_after(stream: AsyncGenerator[str, None], count: int, closing: asyncio.Event) -> AsyncIterator[str]:
    async for text in stream:
        count -= 1
        if count == 0:
            closing.set()
        yield text
