"""The proxy in front of SQS and DynamoDB: injects faults, counts those that took effect, and forwards the rest."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, Self

import orjson
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from infra.local.ports import HOST
from recommendation_shared.item.encoding import PARTITION_KEY
from tests.chaos.pipeline.engines.table import SIGNED
from tests.chaos.pipeline.faults.call import Call, Document, Response, error, http_response, reset, truncated
from tests.chaos.pipeline.faults.copies import Copies, deleted, is_copy
from tests.chaos.pipeline.faults.rates import (
    DEAD_LETTER,
    DELETE,
    DELIVERED_AGAIN,
    IN_PLACE_OF_THE_SERVICE,
    READ_MARKS,
    RECEIVE,
    SEND,
    WRITE,
    WRITE_ONE,
    Dice,
)
from tests.chaos.pipeline.faults.stream import TableStream

_MAX_REQUEST: Final = 32 * 1024 * 1024  # bytes of a request; DynamoDB's limit is 16 MB
_KEEP_ALIVE: Final = 2.0  # seconds; the engines close connections that are idle for 5
_SHUTDOWN: Final = 5.0  # seconds at most for calls whose callers are gone; a long poll takes one
_CALLER: Final = re.compile(r"\bapp/(?:consumer-)?(\w+)")  # the user agent's application ID
_FORWARDED_HEADERS: Final = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")


class FaultProxy:
    """Listens on `url`. `injected` counts (fault, call); `refused` has the SHA-256 of each permanently refused body.

    `stream` is the table's. `kill` ends the process of a caller, named as in `Call`.
    """

    def __init__(self, sqs: str, dynamodb: str, dlq_url: str, dice: Dice, table: str) -> None:
        self._upstreams = {"AmazonSQS": sqs, "DynamoDB_20120810": dynamodb}
        self._dlq_url = dlq_url
        self._dice = dice
        self._copies = Copies()
        self._dynamodb_url = dynamodb
        self.stream = TableStream(self._call_table, table)
        self.kill: Callable[[str], None] = lambda _caller: None
        self.injected: Counter[tuple[str, str]] = Counter()
        self.refused: set[str] = set()
        self.deleted = 0  # messages
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        # Without aiohttp's Accept-Encoding, the engines do not compress what would be unpacked here.
        self._session = ClientSession(
            connector=TCPConnector(keepalive_timeout=_KEEP_ALIVE),
            timeout=ClientTimeout(total=60),
            skip_auto_headers=["Accept-Encoding"],
        )
        application = web.Application(client_max_size=_MAX_REQUEST)
        application.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN)
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
        except ConnectionResetError:  # the caller was killed in mid-request, so there is no call
            return web.Response()
        call = self._read(request.headers, body)
        fault = self._dice.fault(call.name)
        response = await (self._act(call) if fault is None else self._inject(fault, call))
        if fault is not None and _took_effect(fault, response):
            self.injected[fault, call.name] += 1
        if response is None:
            return reset(request)
        return truncated(response) if fault == "truncated" else http_response(response)

    async def _inject(self, fault: str, call: Call) -> Response | None:
        """Return the response under this fault; None resets the connection."""
        match fault:
            case "reset_before":
                return None
            case "reset_after" | "response_lost":
                await self._act(call, reaches_caller=False)
                await asyncio.sleep(self._dice.silence if fault == "response_lost" else 0)
                return None
            case "killed_sending":
                await self._act(call, reaches_caller=False)
                self.kill(call.caller)
                return None
            case "truncated":
                return await self._act(call)
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
        forwarded = {name: headers[name] for name in _FORWARDED_HEADERS if name in headers}
        caller = _CALLER.search(headers.get("User-Agent", ""))
        return Call(name, document, self._upstreams[service], forwarded, caller[1] if caller else "")

    async def _act(self, call: Call, *, reaches_caller: bool = True) -> Response:
        """Let the service act on the call; a copy is only delivered in a response that reaches the caller."""
        if call.name == RECEIVE and reaches_caller:
            return await self._receive(call)
        if call.name == DELETE:
            return await self._delete(call)
        if call.name == READ_MARKS:  # the table has no indexes here, and nothing is held or erased
            return Response(200, {"Items": []})
        return await self._forward(call, call.document)

    async def _forward(self, call: Call, document: Document) -> Response:
        if call.name in {WRITE, WRITE_ONE}:
            return await self.stream.observe(_keys(document), lambda: self._send(call, document))
        return await self._send(call, document)

    async def _call_table(self, operation: str, document: Document) -> Document:
        headers = {**SIGNED, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        return (await self._send(Call(operation, document, self._dynamodb_url, headers), document)).document

    async def _send(self, call: Call, document: Document) -> Response:
        async with self._session.post(call.upstream, data=orjson.dumps(document), headers=call.headers) as upstream:
            body = await upstream.read()
            query_error = upstream.headers.get("x-amzn-query-error")
            return Response(upstream.status, orjson.loads(body) if body else {}, query_error)

    async def _leave_unprocessed(self, call: Call) -> Response:
        ((table, puts),) = call.document["RequestItems"].items()
        withheld, forwarded = self._dice.split(puts)
        response = Response(200, {"UnprocessedItems": {}})
        if forwarded:
            response = await self._forward(call, {**call.document, "RequestItems": {table: forwarded}})
        if response.is_ok:
            unprocessed = response.document.get("UnprocessedItems", {})
            response.document["UnprocessedItems"] = {table: withheld + unprocessed.get(table, [])}
        return response

    async def _fail_entries(self, call: Call, *, is_final: bool) -> Response:
        withheld, forwarded = self._dice.split(call.document["Entries"], most=1 if is_final else None)
        response = Response(200, {"Successful": []})
        if forwarded:
            response = await self._forward(call, {**call.document, "Entries": forwarded})
        if response.is_ok:
            code = "InvalidParameterValue" if is_final else "InternalError"
            failed = [{"Id": entry["Id"], "Code": code, "SenderFault": is_final} for entry in withheld]
            response.document["Failed"] = failed + response.document.get("Failed", [])
            if is_final:
                self.refused.update(sha256(entry["MessageBody"].encode()).hexdigest() for entry in withheld)
        return response

    async def _receive(self, call: Call, fault: str | None = None) -> Response:
        most = call.document.get("MaxNumberOfMessages", 1)
        copies = self._copies.take() if most > 1 else []
        response = await self._forward(call, {**call.document, "MaxNumberOfMessages": most - len(copies)})
        if not response.is_ok:
            self._copies.give_back(copies)
            return response
        messages = response.document.get("Messages", [])
        if fault is not None and messages:
            self._copies.plan(fault, self._dice.choose(messages))
        if copies:
            response.document["Messages"] = messages + [copy.message for copy in copies]
            self.injected.update((copy.fault, RECEIVE) for copy in copies)
        return response

    async def _delete(self, call: Call) -> Response:
        entries = call.document["Entries"]
        known = [entry for entry in entries if not is_copy(entry)]
        response = Response(200, {"Successful": []})
        if known:
            response = await self._forward(call, {**call.document, "Entries": known})
        if response.is_ok:
            deleted_ids = {entry["Id"] for entry in response.document.get("Successful", [])}
            self._copies.note_deleted(entry["ReceiptHandle"] for entry in known if entry["Id"] in deleted_ids)
            self.deleted += len(deleted_ids)
            response.document.setdefault("Successful", []).extend(
                deleted([entry for entry in entries if is_copy(entry)])
            )
        return response


def _keys(document: Document) -> list[str]:
    """Return the IDs of the items that a BatchWriteItem or a PutItem writes."""
    if "Item" in document:
        return [document["Item"][PARTITION_KEY]["S"]]
    return [put["PutRequest"]["Item"][PARTITION_KEY]["S"] for puts in document["RequestItems"].values() for put in puts]


def _took_effect(fault: str, response: Response | None) -> bool:
    """Return whether to count a fault now. Altering a response takes a successful one; copies count when delivered."""
    if response is None or fault in IN_PLACE_OF_THE_SERVICE:
        return True
    return response.is_ok and fault not in DELIVERED_AGAIN
