"""Any batch, any number of times, in any order, with any failure in between: what the table holds then."""

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.invocation import NothingStoredError, consume
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error, dependencies
from tests.support.lambdas.event import Context, again, body, record, redelivered

pytestmark = pytest.mark.usefixtures("capsys")  # the metrics' lines

Record = dict[str, Any]
AGENTS = [f"agent-{number}" for number in range(8)]
# The same recommendation in two spellings of its JSON, so two messages of one content.
ALIKE = [record(f"{spelling}-{agent}", spelling + body(agent), 1_000) for agent in AGENTS for spelling in ("", " ")]
# And two contents under one ID, of which one was sent earlier, or both within a millisecond.
UNLIKE = [
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
    around = dependencies(table, queue=queue)
    try:
        response = asyncio.run(consume(messages, Context(), around))
    except (NothingStoredError, ExceptionGroup):
        return set()
    return {one["messageId"] for one in batch} - redelivered(response, messages)


def _item(one: Record) -> tuple[str, dict[str, Any]]:
    """Return the item that a message alone makes."""
    return _item_of(one["body"])


@cache
def _item_of(text: str) -> tuple[str, dict[str, Any]]:
    item = encode_item(read_envelope(text))
    return item.recommendation_id, json.loads(item.body)


@settings(deadline=None, max_examples=60)
@given(_batches(ALIKE), st.lists(answers, min_size=12, max_size=12))
def test_redelivery_in_any_order_leaves_the_items_byte_for_byte(
    batches: list[list[Record]], failures: list[list[Any]]
) -> None:
    """Whatever fails in between: an item is absent or as it should be, and what is acknowledged is there."""
    expected = dict(map(_item, ALIKE))
    items: dict[str, Any] = {}
    for number, (batch, failing) in enumerate(zip(batches, failures, strict=False)):
        batch = [again(one) if number % 2 else one for one in batch]  # noqa: PLW2901 - the same, delivered again
        acknowledged = _deliver(batch, items, failing)
        assert items.items() <= expected.items()
        assert {_item(one)[0] for one in batch if one["messageId"] in acknowledged} <= items.keys()
    _deliver(ALIKE, items)
    assert items == expected


@settings(deadline=None, max_examples=60)
@given(st.lists(st.permutations(UNLIKE), min_size=2, max_size=5))
def test_a_batch_with_conflicts_has_the_same_outcome_at_every_delivery(deliveries: list[list[Record]]) -> None:
    """In the table, and in the dead-letter queue: which content stands is decided by what SQS says was sent first."""
    tables, dead_letters = [], []
    items: dict[str, Any] = {}
    for batch in deliveries:
        queue = FakeDeadLetterQueue()
        assert _deliver(batch, items, queue=queue) == {one["messageId"] for one in UNLIKE}
        tables.append(dict(items))
        dead_letters.append({one["originalMessageId"] for one in queue.attributes()})
    assert tables == [dict(map(_item, UNLIKE[::2]))] * len(deliveries)
    assert dead_letters == [{one["messageId"] for one in UNLIKE[1::2]}] * len(deliveries)


@settings(deadline=None, max_examples=60)
@given(_batches(UNLIKE), _batches(UNLIKE))
def test_redelivery_replaces_nothing_in_the_table_even_with_conflicts_across_batches(
    first: list[list[Record]], later: list[list[Record]]
) -> None:
    """What comes back is the table's own content, or a dead letter; in no order does it undo a write."""
    items: dict[str, Any] = {}
    for batch in first:
        _deliver(batch, items)
    _deliver([one for one in UNLIKE if _item(one)[0] not in items], items)
    before = dict(items)
    for batch in later:
        queue = FakeDeadLetterQueue()
        assert _deliver(list(map(again, batch)), items, queue=queue) == {one["messageId"] for one in batch}
        assert items == before
        dead = {(one["originalMessageId"], one["failureReason"]) for one in queue.attributes()}
        for one in batch:
            key, item = _item(one)
            assert items[key] == item or (one["messageId"], "IdConflict") in dead


def test_a_conflict_whose_dead_letter_fails_does_not_come_back_as_the_winner() -> None:
    """It is delivered again alone, where nothing but the table can tell that it lost."""
    early, late = UNLIKE[:2]
    items: dict[str, Any] = {}
    refusing = FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert _deliver([early, late], items, queue=refusing) == {early["messageId"]}
    queue = FakeDeadLetterQueue()
    assert _deliver([again(late)], items, queue=queue) == {late["messageId"]}
    assert items == dict([_item(early)])
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == "IdConflict"
    assert attributes["failureDetail"] == "recommendationId: the table has different content under the same ID"


@settings(deadline=None, max_examples=60)
@given(_batches(UNLIKE))
def test_of_two_contents_first_delivered_in_different_batches_the_one_written_last_stands(
    batches: list[list[Record]],
) -> None:
    """BatchWriteItem replaces without asking: the bound of what this consumer can promise."""
    items: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for batch in batches:
        _deliver(batch, items)
        for one in sorted(
            batch, key=lambda one: (int(one["attributes"]["SentTimestamp"]), one["messageId"]), reverse=True
        ):
            expected.update([_item(one)])
        assert items == expected
