"""The consumer's DynamoDB calls are visible to whoever traces them, as in the examples."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no type hints
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from recommendation_consumer.handler import handler, observe_calls
from recommendation_consumer.observation import Call
from tests.support.lambdas.event import Context, again, body, event
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import AwsServer, aws_server, dynamodb_error

MESSAGES: Any = event(*(body(incident_id=f"incident-{number}", retention=None) for number in range(60)))


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """A server, and a sandbox that uses it."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        yield running


def _example(name: str) -> Any:
    """Import an example afresh, as a new sandbox does."""
    module = f"examples.tracing.{name}"
    sys.modules.pop(module, None)
    return importlib.import_module(module)


def test_each_call_is_observed_with_its_outcome(server: AwsServer) -> None:
    """Also a guarded one, and one that fails."""
    seen: list[tuple[str, str]] = []

    @contextmanager
    def observer(call: Call) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            seen.append((call.operation, type(error).__name__))
            raise
        seen.append((call.operation, call.table))

    observe_calls(observer)
    server.table.faults.append(dynamodb_error("ThrottlingException"))
    handler(MESSAGES, Context())
    assert sorted(seen) == [
        ("BatchWriteItem", "ClientError"),
        *[("BatchWriteItem", "recommendations")] * 3,
        ("Query", "recommendations"),
    ]
    seen.clear()
    handler({"Records": [again(MESSAGES["Records"][0])]}, Context())
    assert seen == [("PutItem", "recommendations")]


def test_nothing_is_observed_without_a_hook(server: AwsServer) -> None:
    """A new sandbox has none."""
    assert handler(MESSAGES, Context()) == {"batchItemFailures": []}
    assert len(server.items) == 60


def test_opentelemetry_sees_a_span_for_each_call(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the example's handler; the failed call's span has its exception."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    server.table.faults.append(dynamodb_error("ThrottlingException"))
    _example("opentelemetry_handler").handler(MESSAGES, Context())
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["DynamoDB.Query", *["DynamoDB.BatchWriteItem"] * 4]
    methods = [span.attributes["rpc.method"] for span in spans if span.attributes]
    assert methods == ["Query", *["BatchWriteItem"] * 4]
    assert sum(span.status.is_ok is False for span in spans) == 1


def test_xray_sees_a_subsegment_for_each_call(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the example's handler; calls overlap, and each is a child of the invocation's segment."""
    sent: list[dict[str, Any]] = []
    emitter: Any = type(
        "Emitter", (), {"send_entity": lambda _self, entity: sent.append(json.loads(entity.serialize()))}
    )
    monkeypatch.setattr(xray_recorder, "_emitter", emitter())
    xray_recorder.configure(sampling=False)
    server.table.faults.append(dynamodb_error("ThrottlingException"))
    example = _example("xray_handler")
    with _segment():
        example.handler(MESSAGES, Context())
    (segment,) = sent
    calls = [part for part in segment["subsegments"] if part["name"] == "DynamoDB"]
    assert [part["aws"]["operation"] for part in calls] == ["Query", *["BatchWriteItem"] * 4]
    assert all(part["namespace"] == "aws" and part["end_time"] for part in calls)
    assert sum("cause" in part for part in calls) == 1


def _segment() -> AbstractContextManager[Any]:
    segment: AbstractContextManager[Any] = xray_recorder.in_segment("recommendation-consumer")
    return segment
