"""The table's content after any batches, delivered any number of times and in any order, with failures in between."""

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import again, body, record, redelivered
from tests.support.lambdas.invoke import invoke

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

Record = dict[str, Any]
AGENTS = [f"agent-{number}" for number in range(8)]
# Two messages with the same recommendation, whose JSON differs in a space.
DUPLICATES = [
    record(f"{spelling}-{agent}", spelling + body(agent), 1_000) for agent in AGENTS for spelling in ("", " ")
]
# Two messages with different content under the same ID; one was sent earlier, or both in the same millisecond.
CONFLICTS = [
    record(f"{text}-{agent}", body(agent, reasoning=text), sent_at)
    for agent, (early, late) in zip(AGENTS, [(1_000, 2_000), (1_000, 1_000)] * 4, strict=True)
    for text, sent_at in (("early", early), ("late", late))
]

answers = st.lists(
    st.one_of(
        st.integers(0, 25),
        st.sampled_from(
            [client_error("ThrottlingException"), client_error("InternalServerError", 500), RuntimeError()]
        ),
    ),
    max_size=4,
)


def _batches(records: Sequence[Record]) -> st.SearchStrategy[list[list[Record]]]:
    return st.lists(st.lists(st.sampled_from(records), min_size=1, max_size=20), min_size=1, max_size=12)


def _deliver(
    batch: Sequence[Record],
    items: dict[str, Any],
    failures: Sequence[Any] = (),
    queue: FakeDeadLetterQueue | None = None,
) -> set[str]:
    """Deliver a batch to a table that holds `items`; return the IDs of the messages that were acknowledged."""
    table, messages = FakeTable(*failures), {"Records": list(batch)}
    table.items = items
    try:
        response = asyncio.run(invoke(messages, table, queue))
    except NothingStoredError:
        return set()
    return _message_ids(batch) - redelivered(response, messages)


def _message_ids(records: Sequence[Record]) -> set[str]:
    return {record["messageId"] for record in records}


def _item(record: Record) -> tuple[str, dict[str, Any]]:
    """Return the ID and the item of a record's recommendation."""
    return _item_of_body(record["body"])


@cache
def _item_of_body(text: str) -> tuple[str, dict[str, Any]]:
    item = encode_item(read_envelope(text))
    return item.recommendation_id, json.loads(item.body)


@settings(max_examples=60)
@given(_batches(DUPLICATES), st.lists(answers, min_size=12, max_size=12))
def test_redelivery_in_any_order_gives_identical_items(batches: list[list[Record]], failures: list[list[Any]]) -> None:
    """Whatever fails in between, an item is either absent or right, and it is there if its message is acknowledged."""
    expected = dict(map(_item, DUPLICATES))
    items: dict[str, Any] = {}
    for number, (batch, failing) in enumerate(zip(batches, failures, strict=False)):
        delivered = list(map(again, batch)) if number % 2 else batch
        acknowledged = _deliver(delivered, items, failing)
        assert items.items() <= expected.items()
        assert {_item(record)[0] for record in delivered if record["messageId"] in acknowledged} <= items.keys()
    _deliver(DUPLICATES, items)
    assert items == expected


@settings(max_examples=60)
@given(st.lists(st.permutations(CONFLICTS), min_size=2, max_size=5))
def test_batch_with_conflicts_has_the_same_outcome_at_every_delivery(deliveries: list[list[Record]]) -> None:
    """Both in the table and in the dead-letter queue, because SQS's SentTimestamp decides which message wins."""
    tables, dead_letters = [], []
    items: dict[str, Any] = {}
    for batch in deliveries:
        queue = FakeDeadLetterQueue()
        assert _deliver(batch, items, queue=queue) == _message_ids(CONFLICTS)
        tables.append(dict(items))
        dead_letters.append({attributes["originalMessageId"] for attributes in queue.attributes()})
    assert tables == [dict(map(_item, CONFLICTS[::2]))] * len(deliveries)
    assert dead_letters == [_message_ids(CONFLICTS[1::2])] * len(deliveries)


@settings(max_examples=60)
@given(_batches(CONFLICTS), _batches(CONFLICTS))
def test_redelivery_replaces_nothing_even_with_conflicts_across_batches(
    first: list[list[Record]], later: list[list[Record]]
) -> None:
    """A redelivered message equals what the table has, or it is dead-lettered; it never undoes a write."""
    items: dict[str, Any] = {}
    for batch in first:
        _deliver(batch, items)
    _deliver([record for record in CONFLICTS if _item(record)[0] not in items], items)
    before = dict(items)
    for batch in later:
        queue = FakeDeadLetterQueue()
        assert _deliver(list(map(again, batch)), items, queue=queue) == _message_ids(batch)
        assert items == before
        dead = {(attributes["originalMessageId"], attributes["failureReason"]) for attributes in queue.attributes()}
        for delivered in batch:
            key, item = _item(delivered)
            assert items[key] == item or (delivered["messageId"], "IdConflict") in dead


def test_conflict_whose_dead_letter_fails_does_not_win_when_redelivered() -> None:
    """It is redelivered alone, so only the table shows that it lost."""
    early, late = CONFLICTS[:2]
    items: dict[str, Any] = {}
    denied = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert _deliver([early, late], items, queue=denied) == {early["messageId"]}
    queue = FakeDeadLetterQueue()
    assert _deliver([again(late)], items, queue=queue) == {late["messageId"]}
    assert items == dict([_item(early)])
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == "IdConflict"
    assert attributes["failureDetail"] == "recommendationId: the table has different content under the same ID"


@settings(max_examples=60)
@given(_batches(CONFLICTS))
def test_last_write_wins_between_first_deliveries_in_different_batches(batches: list[list[Record]]) -> None:
    """BatchWriteItem overwrites unconditionally, which limits what this consumer can promise."""
    items: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for batch in batches:
        _deliver(batch, items)
        expected.update(map(_item, sorted(batch, key=_sending_order, reverse=True)))
        assert items == expected


def _sending_order(record: Record) -> tuple[int, str]:
    return int(record["attributes"]["SentTimestamp"]), record["messageId"]
