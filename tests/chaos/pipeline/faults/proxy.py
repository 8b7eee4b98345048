"""A proxy before SQS and DynamoDB that injects faults, counts those that really happened, and forwards the rest."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Self

import orjson
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from infra.local.ports import HOST
from tests.chaos.pipeline.faults.call import Answer, Call, Document, error, reset, response
from tests.chaos.pipeline.faults.copies import Copies, deleted, is_copy
from tests.chaos.pipeline.faults.rates import (
    DEAD_LETTER,
    DELETE,
    DELIVERED_AGAIN,
    IN_PLACE_OF_THE_SERVICE,
    RECEIVE,
    SEND,
    Dice,
)

_MOST: Final = 32 * 1024 * 1024  # bytes of a request; DynamoDB's limit is 16 MB
_KEEP_ALIVE: Final = 2.0  # seconds; the engines close what is idle for 5
_LAST_ANSWERS: Final = 5.0  # seconds at most for calls whose callers are gone; a long poll takes one
_PASSED_ON: Final = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")


class FaultProxy:
    """Listens on `url`. `injected` counts (fault, call); `refused` holds the SHA-256 of every body refused for good."""

    def __init__(self, sqs: str, dynamodb: str, dlq_url: str, dice: Dice) -> None:
        self._upstreams = {"AmazonSQS": sqs, "DynamoDB_20120810": dynamodb}
        self._dlq_url = dlq_url
        self._dice = dice
        self._copies = Copies()
        self.injected: Counter[tuple[str, str]] = Counter()
        self.refused: set[str] = set()
        self.deleted = 0  # messages
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        # Without its own Accept-Encoding, nothing is compressed only to be unpacked here.
        self._session = ClientSession(
            connector=TCPConnector(keepalive_timeout=_KEEP_ALIVE),
            timeout=ClientTimeout(total=60),
            skip_auto_headers=["Accept-Encoding"],
        )
        application = web.Application(client_max_size=_MOST)
        application.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_LAST_ANSWERS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()
        await self._session.close()

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except ConnectionResetError:  # the caller was killed in mid-request, which then nobody made
            return web.Response()
        call = self._read(request.headers, body)
        fault = self._dice.fault(call.name)
        answer = await (self._act(call) if fault is None else self._strike(fault, call))
        if fault is not None and _has_happened(fault, answer):
            self.injected[fault, call.name] += 1
        return reset(request) if answer is None else response(answer)

    async def _strike(self, fault: str, call: Call) -> Answer | None:
        """Answer as the fault has it; None is the end of the connection."""
        match fault:
            case "reset_before":
                return None
            case "reset_after" | "response_lost":
                await self._act(call, is_heard=False)
                await asyncio.sleep(self._dice.silence if fault == "response_lost" else 0)
                return None
            case "latency":
                await asyncio.sleep(self._dice.latency())
                return await self._act(call)
            case "error_500" | "dlq_failing":
                return error(call, "outage", "InternalServerError")
            case "throttled":
                return error(call, "throttling", "ProvisionedThroughputExceededException")
            case "unprocessed":
                return await self._leave_unprocessed(call)
            case "entries_failed" | "entry_refused":
                return await self._fail_entries(call, is_final=fault == "entry_refused")
        return await self._receive(call, fault)

    def _read(self, headers: Mapping[str, str], body: bytes) -> Call:
        service, _, name = headers["X-Amz-Target"].partition(".")
        document = orjson.loads(body)
        if name == SEND and document["QueueUrl"] == self._dlq_url:
            name = DEAD_LETTER
        passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
        return Call(name, document, self._upstreams[service], passed_on)

    async def _act(self, call: Call, *, is_heard: bool = True) -> Answer:
        """Let the service do what the call asks for; an answer that nobody hears is not worth a copy."""
        if call.name == RECEIVE and is_heard:
            return await self._receive(call)
        if call.name == DELETE:
            return await self._delete(call)
        return await self._forward(call, call.document)

    async def _forward(self, call: Call, document: Document) -> Answer:
        async with self._session.post(call.upstream, data=orjson.dumps(document), headers=call.headers) as answer:
            body = await answer.read()
            return Answer(answer.status, orjson.loads(body) if body else {}, answer.headers.get("x-amzn-query-error"))

    async def _leave_unprocessed(self, call: Call) -> Answer:
        ((table, puts),) = call.document["RequestItems"].items()
        withheld, kept = self._dice.split(puts)
        answer = Answer(200, {"UnprocessedItems": {}})
        if kept:
            answer = await self._forward(call, {**call.document, "RequestItems": {table: kept}})
        if answer.is_ok:
            unprocessed = answer.document.get("UnprocessedItems", {})
            answer.document["UnprocessedItems"] = {table: withheld + unprocessed.get(table, [])}
        return answer

    async def _fail_entries(self, call: Call, *, is_final: bool) -> Answer:
        withheld, kept = self._dice.split(call.document["Entries"], most=1 if is_final else None)
        answer = Answer(200, {"Successful": []})
        if kept:
            answer = await self._forward(call, {**call.document, "Entries": kept})
        if answer.is_ok:
            code = "InvalidParameterValue" if is_final else "InternalError"
            failed = [{"Id": one["Id"], "Code": code, "SenderFault": is_final} for one in withheld]
            answer.document["Failed"] = failed + answer.document.get("Failed", [])
            if is_final:
                self.refused.update(sha256(one["MessageBody"].encode()).hexdigest() for one in withheld)
        return answer

    async def _receive(self, call: Call, fault: str | None = None) -> Answer:
        most = call.document.get("MaxNumberOfMessages", 1)
        copies = self._copies.take() if most > 1 else []
        answer = await self._forward(call, {**call.document, "MaxNumberOfMessages": most - len(copies)})
        if not answer.is_ok:
            self._copies.give_back(copies)
            return answer
        messages = answer.document.get("Messages", [])
        if fault is not None and messages:
            self._copies.plan(fault, self._dice.one_of(messages))
        if copies:
            answer.document["Messages"] = messages + [copy.message for copy in copies]
            self.injected.update((copy.fault, RECEIVE) for copy in copies)
        return answer

    async def _delete(self, call: Call) -> Answer:
        entries = call.document["Entries"]
        known = [entry for entry in entries if not is_copy(entry)]
        answer = Answer(200, {"Successful": []})
        if known:
            answer = await self._forward(call, {**call.document, "Entries": known})
        if answer.is_ok:
            gone = {one["Id"] for one in answer.document.get("Successful", [])}
            self._copies.note_deleted(entry["ReceiptHandle"] for entry in known if entry["Id"] in gone)
            self.deleted += len(gone)
            answer.document.setdefault("Successful", []).extend(deleted([one for one in entries if is_copy(one)]))
        return answer


def _has_happened(fault: str, answer: Answer | None) -> bool:
    """Tell whether to count a fault now: one that spoils a part of an answer needs one, a copy its delivery."""
    if answer is None or fault in IN_PLACE_OF_THE_SERVICE:
        return True
    return answer.is_ok and fault not in DELIVERED_AGAIN
