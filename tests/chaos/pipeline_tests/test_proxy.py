"""Each fault of the chaos run does what its name says: the caller sees it, and the service did or did not act."""

import asyncio
import time
from dataclasses import fields

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from infra.local.ports import HOST
from tests.chaos.pipeline.faults.rates import (
    DEAD_LETTER,
    DELETE,
    FAULTS_OF,
    KINDS,
    RECEIVE,
    SEND,
    WRITE,
    WRITE_ONE,
    Dice,
    Rates,
)
from tests.chaos.pipeline_tests.proxy_bench import NEVER, SILENCE, TEN, bench

ANY_CALL = pytest.mark.parametrize("name", FAULTS_OF)


@ANY_CALL
async def test_without_a_fault_every_call_goes_through(name: str) -> None:
    """No fault is counted."""
    async with bench() as on:
        await on.call(name)
        assert len(on.service.requests) == 1
        assert not on.proxy.injected


@ANY_CALL
async def test_latency_delays_the_call_and_spoils_nothing(name: str) -> None:
    """The dice decide how long the delay is."""
    async with bench(latency=1.0) as on:
        started = time.monotonic()
        await on.call(name)
        assert time.monotonic() - started >= Dice(7, NEVER).latency()
        assert len(on.service.requests) == 1
        assert on.proxy.injected == {("latency", name): 1}


@ANY_CALL
@pytest.mark.parametrize(("fault", "acted"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_reset_breaks_the_connection_before_or_after_the_service_acts(
    name: str, fault: str, acted: int
) -> None:
    """The caller cannot distinguish the two."""
    async with bench(**{fault: 1.0}) as on:
        with pytest.raises(ConnectionClosedError):
            await on.call(name)
        assert len(on.service.requests) == acted
        assert on.proxy.injected == {(fault, name): 1}


@ANY_CALL
async def test_a_lost_response_leaves_the_caller_waiting_although_the_service_acted(name: str) -> None:
    """The caller waits until its own timeout."""
    async with bench(read_timeout=SILENCE / 2, response_lost=1.0) as on:
        with pytest.raises(ReadTimeoutError):
            await on.call(name)
        assert len(on.service.requests) == 1
        await asyncio.sleep(SILENCE)
        assert on.proxy.injected == {("response_lost", name): 1}


@pytest.mark.parametrize(
    ("fault", "name", "status", "code"),
    [
        *(
            ("error_500", name, 500, "InternalServerError" if name in {WRITE, WRITE_ONE} else "InternalFailure")
            for name in FAULTS_OF
        ),
        *(
            (
                "throttled",
                name,
                400,
                "ProvisionedThroughputExceededException" if name in {WRITE, WRITE_ONE} else "RequestThrottled",
            )
            for name in FAULTS_OF
        ),
        ("dlq_failing", DEAD_LETTER, 500, "InternalFailure"),
    ],
)
async def test_the_proxy_returns_an_error_in_place_of_the_service(
    fault: str, name: str, status: int, code: str
) -> None:
    """The error has AWS's code; the service never sees the call."""
    async with bench(**{fault: 1.0}) as on:
        with pytest.raises(ClientError) as caught:
            await on.call(name)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert caught.value.response["Error"]["Code"] == code
        assert on.service.requests == []
        assert on.proxy.injected == {(fault, name): 1}


async def test_unprocessed_items_are_not_written_and_all_others_are() -> None:
    """The unprocessed part is random and differs from call to call."""
    async with bench(unprocessed=1.0) as on:
        sizes = set()
        for _ in range(20):
            on.service.requests.clear()
            response = await on.call(WRITE)
            returned = [
                put["PutRequest"]["Item"]["recommendationId"]["S"] for put in response["UnprocessedItems"]["table"]
            ]
            assert returned
            assert sorted(returned + on.service.written) == TEN
            sizes.add(len(returned))
        assert len(sizes) > 3
        assert on.proxy.injected == {("unprocessed", WRITE): 20}


@pytest.mark.parametrize("name", [SEND, DEAD_LETTER])
async def test_failed_entries_are_not_sent_and_all_others_are(name: str) -> None:
    """The failure is the service's fault, so a retry can succeed."""
    async with bench(entries_failed=1.0) as on:
        response = await on.call(name)
        failed = [entry["Id"] for entry in response["Failed"]]
        assert failed
        assert not any(entry["SenderFault"] for entry in response["Failed"])
        assert sorted([f"body {key}" for key in failed] + on.service.sent) == [f"body {key}" for key in TEN]
        assert {entry["Id"] for entry in response.get("Successful", [])} == set(TEN) - set(failed)
        assert on.proxy.injected == {("entries_failed", name): 1}
        assert not on.proxy.refused


async def test_one_entry_is_refused_permanently_and_recorded() -> None:
    """The failure is the sender's fault, so no retry can help."""
    async with bench(entry_refused=1.0) as on:
        response = await on.call(SEND)
        (failed,) = response["Failed"]
        assert failed["SenderFault"]
        assert len(on.service.sent) == 9
        assert len(on.proxy.refused) == 1
        assert on.proxy.injected == {("entry_refused", SEND): 1}


async def test_a_message_is_delivered_twice_before_it_is_deleted() -> None:
    """The copy has its own receipt handle; deleting it does not affect the first delivery."""
    async with bench(delivered_twice=1.0) as on:
        on.service.messages = [{"MessageId": "m0", "ReceiptHandle": "receipt 0", "Body": "body"}]
        first = (await on.call(RECEIVE))["Messages"]
        on.service.messages = []
        (again,) = (await on.call(RECEIVE))["Messages"]
        assert [message["MessageId"] for message in first] == ["m0"]
        assert (again["MessageId"], again["Body"]) == ("m0", "body")
        assert again["ReceiptHandle"] != "receipt 0"
        assert on.proxy.injected == {("delivered_twice", RECEIVE): 1}
        requests = len(on.service.requests)
        deleted = await on.call(DELETE, Entries=[{"Id": "0", "ReceiptHandle": again["ReceiptHandle"]}])
        assert [entry["Id"] for entry in deleted["Successful"]] == ["0"]
        assert len(on.service.requests) == requests


async def test_a_deleted_message_is_delivered_again() -> None:
    """It is delivered after the delete, not before."""
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


async def test_a_caller_killed_while_sending_its_request_has_made_no_call(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is injected, forwarded or logged for it."""
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
        assert on.service.requests == []
    assert caplog.records == []


@pytest.mark.parametrize("name", [WRITE, WRITE_ONE])
async def test_a_truncated_response_arrives_in_half_although_the_service_acted(name: str) -> None:
    """Half of a JSON text is not JSON."""
    async with bench(truncated=1.0) as on:
        response = await on.call(name)  # botocore parses what is not JSON as empty
        assert "UnprocessedItems" not in response
        assert len(on.service.requests) == 1
        assert on.proxy.injected == {("truncated", name): 1}


async def test_a_sender_is_killed_between_the_dead_letter_and_its_response() -> None:
    """The user agent says which process it is."""
    async with bench(killed_sending=1.0) as on:
        killed: list[str] = []
        on.proxy.kill = killed.append
        with pytest.raises(ConnectionClosedError):
            await on.call(DEAD_LETTER)
        assert on.service.sent == [f"body {key}" for key in TEN]
        assert killed == ["2"]
        assert on.proxy.injected == {("killed_sending", DEAD_LETTER): 1}


async def test_the_stream_has_what_a_second_write_replaced() -> None:
    """The first write of an item is an insertion, and an identical one changes nothing: neither is in the stream."""
    old, new = ({"Item": {"recommendationId": {"S": "0"}, "reasoning": {"S": text}}} for text in ("old", "new"))
    async with bench() as on:
        await on.call(WRITE_ONE)
        assert on.proxy.stream.is_empty
        on.service.items = [old, new]
        await on.call(WRITE_ONE)
        on.service.items = [new, new]
        await on.call(WRITE_ONE)
        (record,) = on.proxy.stream.take(10)
        assert (record["eventName"], on.proxy.stream.is_empty) == ("MODIFY", True)
        assert record["dynamodb"]["OldImage"] == old["Item"]
        assert record["dynamodb"]["NewImage"] == new["Item"]


def test_every_kind_of_fault_has_a_rate() -> None:
    """Whoever adds a kind must change the count here, and add its test."""
    assert set(KINDS) == {field.name for field in fields(Rates)} - {"latency_seconds", "silence_seconds"}
    assert len(KINDS) == 14
    for faults in FAULTS_OF.values():
        assert sum(getattr(Rates(), fault) for fault in faults) < 0.25


def test_a_seed_gives_each_call_the_same_faults_whatever_other_calls_there_are() -> None:
    """A different seed gives different faults."""
    alone, among_others, other = Dice(7, Rates()), Dice(7, Rates()), Dice(8, Rates())
    faults = [alone.fault(SEND) for _ in range(500)]
    mixed = [(among_others.fault(SEND), among_others.fault(WRITE), among_others.fault(DELETE))[0] for _ in range(500)]
    assert faults == mixed
    assert faults != [other.fault(SEND) for _ in range(500)]
    assert set(faults) >= {None, "latency", "throttled"}


def test_faults_occur_at_their_rates() -> None:
    """Within 20 %, over 20,000 calls."""
    dice = Dice(7, Rates())
    faults = [dice.fault(WRITE) for _ in range(20_000)]
    for kind in ("unprocessed", "latency", "throttled"):
        assert faults.count(kind) == pytest.approx(getattr(Rates(), kind) * len(faults), rel=0.2)
