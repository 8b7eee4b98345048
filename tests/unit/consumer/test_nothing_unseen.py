"""The consumer and the keeper together: whatever happens to a stored recommendation, each version of it is kept."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from io import StringIO
from itertools import count
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.keeping import keep
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item, item_digest
from recommendation_shared.settings import Settings
from tests.support.fakes.aws import Clock, FakeDeadLetterQueue, FakeTable
from tests.support.lambdas.event import Context, again, body, envelope, named, record
from tests.support.lambdas.invoke import invoke
from tests.support.lambdas.stream_event import deleted, modified, stream_event

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

ID = envelope().recommendation_id
REASONS = ("IdConflict", "Tampered", "Deleted")
Image = dict[str, Any]


class _System:
    """A table with one ID, its stream and keeper, and the dead-letter queue."""

    def __init__(self) -> None:
        self.table, self.queue = FakeTable(), FakeDeadLetterQueue()
        self.seen: set[str] = set()  # digests of all content that the table ever held, or that was refused
        self._numbers, clock = count(1), Clock()
        self._keeper = KeeperDependencies(
            settings=Settings(),
            logger=Logger(service="unseen", stream=StringIO(), level="CRITICAL"),
            send_dead_letters=self.queue.send_batch,
            put_file=None,
            monotonic=clock.monotonic,
            wall=clock.wall,
        )

    async def change(self, how: Callable[[], Any]) -> None:
        """Change the table, by hand or by an invocation of the consumer; then give the keeper what the stream has."""
        old = self.table.items.get(ID)
        response = how()
        if response is not None:
            assert named(await response) == []
        new, number = self.table.items.get(ID), next(self._numbers)
        if new is not None:
            self.seen.add(item_digest(new))
        if old is not None and old != new:
            change = deleted(old, number) if new is None else modified(old, new, number)
            assert await keep(stream_event(change), Context(), self._keeper) == {"batchItemFailures": []}

    async def deliver(self, text: str, *, back: bool = False) -> None:
        """Deliver a message to the consumer, alone."""
        self.seen.add(encode_item(read_envelope(text)).digest)
        message = record(f"m{next(self._numbers)}", text)
        await self.change(lambda: invoke({"Records": [again(message) if back else message]}, self.table, self.queue))

    async def edit(self, **attributes: Any) -> None:
        """Change attributes by hand, if there is an item."""
        if ID in self.table.items:
            await self.change(lambda: self.table.items.update({ID: {**self.table.items[ID], **attributes}}))

    async def delete(self) -> None:
        """Delete the item, if there is one."""
        await self.change(lambda: self.table.items.pop(ID, None) and None)

    async def redrive(self, reason: str) -> None:
        """Redrive the dead letters of a reason by name, once each."""
        letters = list(zip(self.queue.messages, self.queue.attributes(), strict=True))
        chosen = [letter for letter, attributes in letters if attributes["failureReason"] == reason]
        self.queue.messages = [letter for letter in self.queue.messages if letter not in chosen]
        for letter in chosen:
            message = record(f"m{next(self._numbers)}", letter["MessageBody"])
            message["messageAttributes"] = {
                name: {"dataType": "String", "stringValue": attribute["StringValue"]}
                for name, attribute in letter["MessageAttributes"].items()
            }
            await self.change(partial(invoke, {"Records": [message]}, self.table, self.queue))

    def kept(self) -> set[str]:
        """Return the digests of what is in the table or in the dead-letter queue."""
        letters = {encode_item(read_envelope(letter["MessageBody"])).digest for letter in self.queue.messages}
        return letters | {item_digest(item) for item in self.table.items.values()}


actions = st.one_of(
    st.tuples(st.just("deliver"), st.sampled_from(["first", "second"]), st.booleans()),
    st.tuples(st.just("edit"), st.sampled_from(["reasoning", "ttl", "contentDigest"]), st.sampled_from(["1", "2"])),
    st.tuples(st.just("delete")),
    st.tuples(st.just("redrive"), st.sampled_from(REASONS)),
)


async def _run(system: _System, steps: list[tuple[Any, ...]]) -> None:
    for step in steps:
        match step:
            case "deliver", text, back:
                await system.deliver(body(reasoning=text), back=back)
            case "edit", "ttl", value:
                await system.edit(ttl={"N": value})
            case "edit", name, value:
                await system.edit(**{name: {"S": value}})
            case "redrive", reason:
                await system.redrive(reason)
            case _:
                await system.delete()
        assert system.seen <= system.kept()


@settings(max_examples=60)
@given(st.lists(actions, max_size=10))
def test_every_content_that_was_ever_stored_is_in_the_table_or_a_dead_letter(steps: list[tuple[Any, ...]]) -> None:
    """Conflicts in any batches, redeliveries, edits, deletions and redrives by name, in any order."""
    asyncio.run(_run(_System(), steps))


@pytest.mark.parametrize("attribute", [{"reasoning": {"S": "edited"}}, {"ttl": {"N": "1"}}], ids=["content", "ttl"])
async def test_redriving_what_was_tampered_with_restores_it_and_makes_no_new_letter_of_that_reason(
    attribute: dict[str, Any],
) -> None:
    """Otherwise `recs dlq redrive --reason Tampered` would meet its own letters."""
    system = _System()
    await system.deliver(body())
    original = json.dumps(system.table.items[ID])
    await system.edit(**attribute)
    assert [letter["failureReason"] for letter in system.queue.attributes()] == ["Tampered"]
    await system.redrive("Tampered")
    assert json.dumps(system.table.items[ID]) == original
    assert [letter["failureReason"] for letter in system.queue.attributes()] == ["IdConflict"]


async def test_two_first_deliveries_in_different_batches_stay_two_however_often_they_are_redriven() -> None:
    """The second one is stored; the first one remains a dead letter."""
    system = _System()
    await _run(system, [("deliver", "first", False), ("deliver", "second", False)])
    for _ in range(2):
        await system.redrive("IdConflict")
        assert system.table.items[ID]["reasoning"] == {"S": "second"}
        (letter,) = system.queue.messages
        assert json.loads(letter["MessageBody"])["reasoning"] == "first"
