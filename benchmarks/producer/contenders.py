"""The ways to hand over one recommendation that are compared, each with what its timed call includes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.producer import direct_aws_calls, our_producer, standard_library, telemetry_clients
from benchmarks.producer.latency import CallCounts, Subject

LOCAL: Final = CallCounts(warm_up=1_000, burst=1_000, isolated=300)
NETWORK: Final = CallCounts(warm_up=10, burst=100, isolated=50)


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of the report; `open` yields what is timed for the given arguments of `enqueue`."""

    name: str
    includes: str
    open: Callable[[dict[str, Any]], AbstractContextManager[Subject]]
    counts: CallCounts = LOCAL


CONTENDERS: Final = (
    Contender("json.dumps", "serialising the recommendation alone; the text is discarded", standard_library.json_dumps),
    Contender(
        "producer.enqueue",
        "validation, snapshot, serialising the whole envelope, queueing; the sender runs with a no-op client",
        our_producer.enqueue,
    ),
    Contender(
        "producer.enqueue, sender parked",
        "the same while the sender waits for responses that never come",
        our_producer.enqueue_parked,
    ),
    Contender(
        "producer.enqueue without orjson",
        "the same in a host that has no orjson: a copy of the values, which the sender serialises",
        our_producer.enqueue_without_orjson,
    ),
    Contender(
        "OTel BatchSpanProcessor.on_end",
        "queueing a reference to a span created beforehand",
        telemetry_clients.otel_span,
    ),
    Contender(
        "OTel BatchLogRecordProcessor.on_emit",
        "queueing a reference to a record created beforehand",
        telemetry_clients.otel_log,
    ),
    Contender(
        "OTel on_emit, body json.dumps",
        "snapshot and serialising with json.dumps, creating the record, queueing",
        telemetry_clients.otel_log_of_text,
    ),
    Contender(
        "stdlib QueueHandler",
        "snapshot with str() of the recommendation, creating the record, queueing",
        standard_library.queue_handler,
    ),
    Contender(
        "Sentry capture_message",
        "snapshot to Sentry's depth and breadth limits; no queueing, no serialising, no integrations",
        telemetry_clients.sentry,
    ),
    Contender("PostHog capture", "snapshot, queueing; serialising happens on its thread", telemetry_clients.posthog),
    Contender(
        "boto3 send_message",
        "serialising with json.dumps, one request to a server with 5 ms latency",
        direct_aws_calls.send_message,
        NETWORK,
    ),
    Contender(
        "boto3 batch_writer + put_metric_data",
        "floats to Decimal, serialising, two requests to a server with 5 ms latency",
        direct_aws_calls.batch_writer,
        NETWORK,
    ),
)
