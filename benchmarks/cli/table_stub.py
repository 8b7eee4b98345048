"""A stub of DynamoDB on 127.0.0.1: one large incident, for Query (a megabyte of items a page) and GetItem."""

import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson

from benchmarks.support import stub_process
from benchmarks.support.recorded_outputs import recorded_fields
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.identity import recommendation_id, sort_key
from recommendation_shared.item.encoding import PARTITION_KEY, encode_item, item_digest
from recommendation_shared.item.size import item_size

INCIDENT: Final = "incident-aws-s3-2017-02-28"
_PAGE_BYTES: Final = 1024 * 1024  # Amazon DynamoDB Developer Guide, "Paginating table query results"
_FIRST: Final = datetime(2026, 11, 1, tzinfo=UTC)


def running_table(executions: int) -> AbstractContextManager[str]:
    """Run the stub until the end of the block, with seven recommendations per execution, and yield its URL."""
    return stub_process.running("benchmarks.cli.table_stub", str(executions))


def generated(executions: int) -> list[dict[str, Any]]:
    """Return items, oldest first. They share their content, so their digests are those of the first execution."""
    encoded = [
        orjson.loads(encode_item(Envelope.create(**fields).to_fields()).body) for fields in recorded_fields().values()
    ]
    return [
        _moved(item, execution, _FIRST + timedelta(minutes=execution, seconds=position))
        for execution in range(executions)
        for position, item in enumerate(encoded)
    ]


def _moved(item: dict[str, Any], execution: int, completed: datetime) -> dict[str, Any]:
    key = recommendation_id(INCIDENT, item["agentType"]["S"], sort_key(completed))
    changes = {PARTITION_KEY: key, "executionId": f"exec-{execution:05}", "timestamp": sort_key(completed)}
    never = "4102444800"  # in 2100, so that nothing is hidden as expired
    return {**item, **{name: {"S": text} for name, text in changes.items()}, "ttl": {"N": never}}


class _Table:
    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = items
        sizes = {item["agentType"]["S"]: item_size(item) for item in items[:7]}
        self._sizes = [sizes[item["agentType"]["S"]] for item in items]  # IDs are of one length
        self._position = {item[PARTITION_KEY]["S"]: number for number, item in enumerate(items)}

    def get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        number = self._position.get(request["Key"][PARTITION_KEY]["S"])  # None: the incident has no mark
        if number is None:
            return {}
        item = self._items[number]
        return {"Item": {**item, "contentDigest": {"S": item_digest(item)}}}

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("IndexName") is None:  # of the reviews table, by incident: nobody has reviewed anything
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        step = 1 if request.get("ScanIndexForward", True) else -1
        after = request.get("ExclusiveStartKey")
        start = 0 if step == 1 else len(self._items) - 1
        number = start if after is None else self._position[after[PARTITION_KEY]["S"]] + step
        names = request.get("ExpressionAttributeNames", {})
        paths = [
            [names.get(part, part) for part in path.strip().split(".")]
            for path in request.get("ProjectionExpression", "").split(",")
            if path
        ]
        page: list[dict[str, Any]] = []
        size = 0
        while 0 <= number < len(self._items) and size < _PAGE_BYTES and len(page) < request.get("Limit", sys.maxsize):
            item = self._items[number]
            size += self._sizes[number]
            page.append(_projected(item, paths) if paths else item)
            number += step
        answer: dict[str, Any] = {"Items": page, "Count": len(page), "ScannedCount": len(page)}
        answer["ConsumedCapacity"] = {"TableName": request["TableName"], "CapacityUnits": size / 8192}
        if 0 <= number < len(self._items):
            last = self._items[number - step]
            answer["LastEvaluatedKey"] = {name: last[name] for name in (PARTITION_KEY, "incidentId", "timestamp")}
        return answer


def _projected(item: dict[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for path in paths:
        source: Any = item
        target = result
        for part in path[:-1]:
            source = source.get(part, {}).get("M", {})
            if source:
                target = target.setdefault(part, {"M": {}})["M"]
        if path[-1] in source:
            target[path[-1]] = source[path[-1]]
    return result


def _handler(table: _Table) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_get = self.headers["X-Amz-Target"].endswith(".GetItem")
            answer = orjson.dumps(table.get_item(request) if is_get else table.query(request))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Print nothing: the port is the only line."""

    return Handler


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(_Table(generated(int(sys.argv[1])))))
    print(server.server_port, flush=True)
    server.serve_forever()
