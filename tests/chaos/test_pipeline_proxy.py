"""Each fault of the chaos run does what it says: the caller sees it, and the service did or did not act."""

import asyncio
import time
from dataclasses import fields

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from infra.local.ports import HOST
from tests.chaos.pipeline.faults.rates import (
    DEAD_LETTER,
    DELETE,
    KINDS,
    RECEIVE,
    SEND,
    STRIKES,
    WRITE,
    WRITE_ONE,
    Dice,
    Rates,
)
from tests.support.pipeline_bench import NEVER, SILENCE, TEN, bench

ANY_CALL = pytest.mark.parametrize("name", STRIKES)


@ANY_CALL
async def test_without_a_fault_every_call_goes_through(name: str) -> None:
    """And none is counted."""
    async with bench() as on:
        await on.call(name)
        assert len(on.service.asked) == 1
        assert not on.proxy.injected


@ANY_CALL
async def test_latency_delays_the_call_and_spoils_nothing(name: str) -> None:
    """By what the dice say."""
    async with bench(latency=1.0) as on:
        started = time.monotonic()
        await on.call(name)
        assert time.monotonic() - started >= Dice(7, NEVER).latency()
        assert len(on.service.asked) == 1
        assert on.proxy.injected == {("latency", name): 1}


@ANY_CALL
@pytest.mark.parametrize(("fault", "acted"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_reset_breaks_the_connection_before_or_after_the_service_acts(
    name: str, fault: str, acted: int
) -> None:
    """The caller cannot tell which."""
    async with bench(**{fault: 1.0}) as on:
        with pytest.raises(ConnectionClosedError):
            await on.call(name)
        assert len(on.service.asked) == acted
        assert on.proxy.injected == {(fault, name): 1}


@ANY_CALL
async def test_a_lost_response_leaves_the_caller_waiting_though_the_service_acted(name: str) -> None:
    """Until its own timeout."""
    async with bench(patience=SILENCE / 2, response_lost=1.0) as on:
        with pytest.raises(ReadTimeoutError):
            await on.call(name)
        assert len(on.service.asked) == 1
        await asyncio.sleep(SILENCE)
        assert on.proxy.injected == {("response_lost", name): 1}


@pytest.mark.parametrize(
    ("fault", "name", "status", "code"),
    [
        *(
            ("error_500", name, 500, "InternalServerError" if name in {WRITE, WRITE_ONE} else "InternalFailure")
            for name in STRIKES
        ),
        *(
            (
                "throttled",
                name,
                400,
                "ProvisionedThroughputExceededException" if name in {WRITE, WRITE_ONE} else "RequestThrottled",
            )
            for name in STRIKES
        ),
        ("dlq_failing", DEAD_LETTER, 500, "InternalFailure"),
    ],
)
async def test_an_error_is_answered_in_the_place_of_the_service(fault: str, name: str, status: int, code: str) -> None:
    """Under the code that AWS has for it; the service is not asked."""
    async with bench(**{fault: 1.0}) as on:
        with pytest.raises(ClientError) as caught:
            await on.call(name)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert caught.value.response["Error"]["Code"] == code
        assert on.service.asked == []
        assert on.proxy.injected == {(fault, name): 1}


async def test_unprocessed_items_are_not_written_and_all_others_are() -> None:
    """A random part, that differs from call to call."""
    async with bench(unprocessed=1.0) as on:
        sizes = set()
        for _ in range(20):
            on.service.asked.clear()
            answer = await on.call(WRITE)
            returned = [
                put["PutRequest"]["Item"]["recommendationId"]["S"] for put in answer["UnprocessedItems"]["table"]
            ]
            assert returned
            assert sorted(returned + on.service.written) == TEN
            sizes.add(len(returned))
        assert len(sizes) > 3
        assert on.proxy.injected == {("unprocessed", WRITE): 20}


@pytest.mark.parametrize("name", [SEND, DEAD_LETTER])
async def test_failed_entries_are_not_sent_and_all_others_are(name: str) -> None:
    """By the service's fault, so that a retry helps."""
    async with bench(entries_failed=1.0) as on:
        answer = await on.call(name)
        failed = [one["Id"] for one in answer["Failed"]]
        assert failed
        assert not any(one["SenderFault"] for one in answer["Failed"])
        assert sorted([f"body {one}" for one in failed] + on.service.sent) == [f"body {one}" for one in TEN]
        assert {one["Id"] for one in answer.get("Successful", [])} == set(TEN) - set(failed)
        assert on.proxy.injected == {("entries_failed", name): 1}
        assert not on.proxy.refused


async def test_one_entry_is_refused_for_good_and_remembered() -> None:
    """By its sender's fault, so that no retry helps."""
    async with bench(entry_refused=1.0) as on:
        answer = await on.call(SEND)
        (failed,) = answer["Failed"]
        assert failed["SenderFault"]
        assert len(on.service.sent) == 9
        assert len(on.proxy.refused) == 1
        assert on.proxy.injected == {("entry_refused", SEND): 1}


async def test_a_message_is_delivered_twice_before_it_is_deleted() -> None:
    """Under another receipt, with which it can be deleted without touching the first delivery."""
    async with bench(delivered_twice=1.0) as on:
        on.service.messages = [{"MessageId": "m0", "ReceiptHandle": "receipt 0", "Body": "body"}]
        first = (await on.call(RECEIVE))["Messages"]
        on.service.messages = []
        (again,) = (await on.call(RECEIVE))["Messages"]
        assert [one["MessageId"] for one in first] == ["m0"]
        assert (again["MessageId"], again["Body"]) == ("m0", "body")
        assert again["ReceiptHandle"] != "receipt 0"
        assert on.proxy.injected == {("delivered_twice", RECEIVE): 1}
        asked = len(on.service.asked)
        deleted = await on.call(DELETE, Entries=[{"Id": "0", "ReceiptHandle": again["ReceiptHandle"]}])
        assert [one["Id"] for one in deleted["Successful"]] == ["0"]
        assert len(on.service.asked) == asked


async def test_a_deleted_message_is_delivered_again() -> None:
    """After the delete and not before."""
    async with bench(redelivered=1.0) as on:
        on.service.messages = [{"MessageId": "m0", "ReceiptHandle": "receipt 0", "Body": "body"}]
        await on.call(RECEIVE)
        on.service.messages = []
        assert "Messages" not in await on.call(RECEIVE) or not (await on.call(RECEIVE))["Messages"]
        assert not on.proxy.injected
        await on.call(DELETE)
        assert on.proxy.deleted == 10
        (again,) = (await on.call(RECEIVE))["Messages"]
        assert again["MessageId"] == "m0"
        assert on.proxy.injected == {("redelivered", RECEIVE): 1}


async def test_a_caller_that_dies_in_mid_request_has_asked_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """As a consumer that is killed; and nobody complains."""
    async with bench(error_500=1.0) as on:
        _, writer = await asyncio.open_connection(HOST, int(on.proxy.url.rpartition(":")[2]))
        writer.write(
            b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: 9\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        assert not on.proxy.injected
        assert on.service.asked == []
    assert caplog.records == []


def test_every_kind_of_fault_has_its_rate_and_its_test() -> None:
    """A kind that is added must be added here."""
    assert set(KINDS) == {field.name for field in fields(Rates)} - {"latency_seconds", "silence_seconds"}
    assert len(KINDS) == 12
    for strikes in STRIKES.values():
        assert sum(getattr(Rates(), fault) for fault in strikes) < 0.25


def test_the_same_seed_gives_each_call_the_same_faults_whatever_else_happens() -> None:
    """And another seed gives others."""
    alone, beside, other = Dice(7, Rates()), Dice(7, Rates()), Dice(8, Rates())
    faults = [alone.fault(SEND) for _ in range(500)]
    mixed = [(beside.fault(SEND), beside.fault(WRITE), beside.fault(DELETE))[0] for _ in range(500)]
    assert faults == mixed
    assert faults != [other.fault(SEND) for _ in range(500)]
    assert set(faults) >= {None, "latency", "throttled"}


def test_faults_strike_as_often_as_their_rate_says() -> None:
    """To a fifth, in 20,000 throws."""
    dice = Dice(7, Rates())
    throws = [dice.fault(WRITE) for _ in range(20_000)]
    for fault in ("unprocessed", "latency", "throttled"):
        assert throws.count(fault) == pytest.approx(getattr(Rates(), fault) * len(throws), rel=0.2)
