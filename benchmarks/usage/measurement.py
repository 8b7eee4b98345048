"""Send one incident through the real producer and consumer, and measure what that used of AWS."""

import io
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from benchmarks.support.aws_stub import running_stub
from benchmarks.support.lambda_runtime import REGION, sqs_record
from benchmarks.usage.billed_metrics import metric_names
from benchmarks.usage.counting_proxy import counting
from benchmarks.usage.engines import INDEXES, client, create_table
from benchmarks.usage.sized_recommendations import recommendations
from infra.paths import ROOT
from recommendation_producer import RecommendationProducer
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.size import item_size

INVOCATIONS: Final = 21  # the first is cold, the others are for the median
AGENTS: Final = 7  # six, and the consensus
_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}


class UsageError(RuntimeError):
    """The pipeline did not behave as the measurement assumes."""


def measure(size: int, sqs_url: str, dynamodb_url: str, invocations: int = INVOCATIONS) -> dict[str, Any]:
    """Send, receive, delete and store an incident's recommendations, `size` bytes each; return what that used.

    Sizes are in bytes and, except for `envelope_bytes`, of all recommendations together. Raises `UsageError`, also if
    the engine's count of the table's write units differs from DynamoDB's rule.
    """
    fields = recommendations(size)
    with counting(sqs_url) as queue:
        queue_url = client("sqs", sqs_url).create_queue(QueueName=f"usage-{uuid4().hex}")["QueueUrl"]
        executor_log = _send(fields, queue_url, queue.url)
        event = _receive(queue_url, queue.url)
    whole = _store(event, dynamodb_url, compact=False)
    compact = _store(event, dynamodb_url, compact=True)
    with running_stub(latency=0) as stub_url:  # the engine would compete with the consumer for the CPU
        timed = _invoke(event, "usage", stub_url, invocations)
    lines = [line for line in (whole["log"] + executor_log).splitlines() if line.startswith("{")]
    return {
        "envelope_bytes": size,
        "item_bytes": whole["item_bytes"],
        "compact_index_bytes": compact["index_bytes"],
        "send_requests": queue.billed["SendMessageBatch"],
        "receive_requests": queue.billed["ReceiveMessage"],
        "delete_requests": queue.billed["DeleteMessageBatch"],
        "write_calls": whole["write_calls"],
        "table_write_units": whole["table_units"],
        "index_write_units": whole["index_units"],
        "compact_index_write_units": compact["index_units"],
        "consumer_log_bytes": len(whole["log"].encode()),
        "executor_log_bytes": len(executor_log.encode()),
        "metrics": metric_names(lines),
        "warm_cpu_ms": round(timed["warm_cpu_ms"], 2),
        "cold_cpu_ms": round(timed["cold_cpu_ms"]),
    }


def measure_full_batch(size: int, records: int, invocations: int) -> float:
    """Return the CPU milliseconds of a warm invocation with `records` records of `size` bytes."""
    fields = recommendations(size)
    bodies = [
        write_envelope(
            **{"retention": 90, **fields[number % AGENTS], "incident_id": f"incident-{number // AGENTS}"}
        ).body
        for number in range(records)
    ]
    messages = [
        {"MessageId": str(number), "ReceiptHandle": "", "Body": body.decode(), "Attributes": {}, "MD5OfBody": ""}
        for number, body in enumerate(bodies)
    ]
    with running_stub(latency=0) as stub_url:
        event = {"Records": [_record(message) for message in messages]}
        return float(_invoke(event, "usage", stub_url, invocations)["warm_cpu_ms"])


def _send(fields: list[dict[str, Any]], queue_url: str, endpoint_url: str) -> str:
    """Send the recommendations with the real producer; return the EMF lines of its flush."""
    os.environ.update(_ENVIRONMENT)
    producer = RecommendationProducer(queue_url, REGION, endpoint_url, emit_metrics=True)
    stdout = io.StringIO()
    with redirect_stdout(stdout):
        for recommendation in fields:
            producer.enqueue(**recommendation)
        balance = producer.flush(timeout=30)
    producer.close()
    if balance.sent != len(fields):
        raise UsageError(f"the producer did not send everything: {balance}")
    return stdout.getvalue()


def _receive(queue_url: str, endpoint_url: str) -> dict[str, Any]:
    """Receive and delete with as few calls as an event source mapping can, ten messages at a time; return its event."""
    sqs = client("sqs", endpoint_url)
    messages: list[dict[str, Any]] = []
    while len(messages) < AGENTS:
        received = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            raise UsageError(f"only {len(messages)} of {AGENTS} messages could be received")
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(received)
        ]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
        messages += received
    return {"Records": [_record(message) for message in messages]}


def _record(message: Mapping[str, Any]) -> dict[str, Any]:
    return sqs_record(
        message["MessageId"],
        message["Body"],
        message["Attributes"],
        receipt_handle=message["ReceiptHandle"],
        md5=message["MD5OfBody"],
    )


def _store(event: dict[str, Any], dynamodb_url: str, *, compact: bool) -> dict[str, Any]:
    """Invoke the real handler once on a new table; return the write calls, units and bytes, and the log."""
    table = f"usage-{uuid4().hex}"
    dynamodb = client("dynamodb", dynamodb_url)
    create_table(dynamodb, table, compact=compact)
    with counting(dynamodb_url) as counts:
        log = _invoke(event, table, counts.url, invocations=1)["log"]
    stored = _scan(dynamodb, TableName=table)
    indexed = [item for index in INDEXES for item in _scan(dynamodb, TableName=table, IndexName=index)]
    if counts.table_units != write_units(stored):
        raise UsageError(
            f"the engine counted {counts.table_units} write units; the rule gives {write_units(stored)}. "
            "If the machine was busy, the consumer may have retried a write: run it again"
        )
    return {
        "log": log,
        "write_calls": counts.calls["BatchWriteItem"],
        "table_units": counts.table_units,
        "index_units": write_units(indexed),
        "item_bytes": sum(map(item_size, stored)),
        "index_bytes": sum(map(item_size, indexed)),
    }


def _scan(dynamodb: Any, **parameters: Any) -> list[Any]:
    return list(dynamodb.get_paginator("scan").paginate(**parameters).search("Items[]"))


def write_units(items: Iterable[Mapping[str, Any]]) -> int:
    """Return the write units for new items of a table or an index: one for each KB, rounded up per item.

    Rule: DynamoDB Developer Guide, "DynamoDB read and write operations" and "Provisioned throughput considerations for
    global secondary indexes". A new item costs one write in each index, of the size of its projection.
    """
    return sum(math.ceil(item_size(item) / 1024) for item in items)


def _invoke(event: dict[str, Any], table: str, dynamodb_url: str, invocations: int) -> dict[str, Any]:
    """Run the handler in a fresh process, like a new sandbox; return its CPU milliseconds and its log."""
    environment = {
        **_ENVIRONMENT,
        "PATH": os.defpath,
        "AWS_ENDPOINT_URL": dynamodb_url,
        "RECOMMENDATIONS_TABLE": table,
        "RECOMMENDATIONS_DLQ_URL": "http://127.0.0.1:1/000000000000/none",  # never called: there is no poison here
    }
    with tempfile.TemporaryDirectory() as folder:
        event_file, result_file = Path(folder, "event.json"), Path(folder, "result.json")
        event_file.write_text(json.dumps(event))
        command = [
            sys.executable,
            "-m",
            "benchmarks.usage.invocation",
            str(event_file),
            str(result_file),
            str(invocations),
        ]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"the consumer failed:\n{done.stderr}")
        result: dict[str, Any] = json.loads(result_file.read_text())
    if result["response"] != {"batchItemFailures": []}:
        raise UsageError(f"the consumer did not store everything: {result['response']}")
    return {**result, "log": done.stdout}
